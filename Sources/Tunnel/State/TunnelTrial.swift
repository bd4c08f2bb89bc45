/// By which way an owner comes with a wish about the tunnel.
public enum TunnelApproach: String, Hashable, Sendable, Codable {
    /// Through the tunnel that the wish is about.
    case tunnel
    /// From this machine or its network.
    case near
}

/// A change that came through the tunnel which it changes: whether its maker still gets in is not known yet. Unless somebody
/// keeps it by the new way, what was chosen before holds again.
public struct TunnelTrial: Hashable, Sendable, Codable {
    /// What was chosen before.
    public var formerMode: TunnelMode?
    /// The same.
    public var formerIsOn: Bool
    /// Then it holds again.
    public var until: BootInstant
    /// The run of cloudflared by which the change came: a word that comes by it says nothing about the new way.
    public var run: String?

    /// What is left of it; nil: it is over. It does not outlive the boot, and it never gets longer than it was.
    public func left(at now: BootInstant, of length: Duration) -> Duration? {
        // In choice.json any number may stand.
        guard now.boot == until.boot, BootInstant.times.contains(until.milliseconds) else { return nil }
        let left = Duration.milliseconds(until.milliseconds - now.milliseconds)
        return left > .zero && left <= length ? left : nil
    }
}

extension TunnelChoice {
    /// The choice without whatever is on trial about it.
    private var plain: TunnelChoice {
        var choice = TunnelChoice(mode: mode, isOn: isOn)
        choice.halt = halt
        return choice
    }

    /// What holds when the trial is over.
    public var former: TunnelChoice? {
        guard let trial else { return nil }
        var choice = TunnelChoice(mode: trial.formerMode, isOn: trial.formerIsOn)
        // What the tunnel on trial exposed, the one before it need not.
        if halt == .stopped { choice.halt = halt }
        return choice
    }

    /// What is wanted, where Supervisor.toml says `file`.
    public func wanted(_ file: TunnelMode) -> TunnelMode { isOn ? mode ?? file : .off }

    /// After an owner's wish. From near it holds at once; through the tunnel it is on trial, unless it brings back what was
    /// known to work.
    /// - Parameter run: of cloudflared, by which a wish through the tunnel came.
    public func changed(
        to next: TunnelChoice, over approach: TunnelApproach, run: String?, file: TunnelMode, at now: BootInstant,
        length: Duration
    ) -> TunnelChoice {
        var next = next.plain
        let former = former ?? plain
        switch approach {
        case .near: break
        case .tunnel:
            if next.wanted(file) == wanted(file) {
                next.trial = trial
            } else if next.wanted(file) != former.wanted(file) {
                next.trial = TunnelTrial(
                    formerMode: former.mode, formerIsOn: former.isOn, until: now.advanced(by: length), run: run)
            }
        }
        return next
    }

    /// After somebody said that the new way carries; the error says why it does not count.
    /// - Parameter run: of cloudflared now, when it is connected.
    public func kept(
        over approach: TunnelApproach, run: String?, at now: BootInstant, length: Duration
    ) throws(TunnelError) -> TunnelChoice {
        guard let trial, trial.left(at: now, of: length) != nil else {
            throw TunnelError("nothing is on trial: what was changed is kept already, or was undone")
        }
        switch approach {
        case .near: return plain
        case .tunnel:
            guard let run, run != trial.run else {
                throw TunnelError("this came by the tunnel as it was before the change; say it again when it is back")
            }
            return plain
        }
    }

    /// As it is at an instant: back to what was before, when a trial is over.
    public func settled(at now: BootInstant, length: Duration) -> TunnelChoice {
        guard let trial, let former, trial.left(at: now, of: length) == nil else { return self }
        return former
    }
}

import Tunnel
import WorkerKit

/// A change that came through the tunnel is on trial (`TunnelTrial`).
extension TunnelKeeper {
    /// Seconds until it is undone.
    var trialLeft: Int64? {
        choice.trial?.left(at: .now(), of: pace.patience.trial).map { $0.components.seconds + 1 }
    }

    /// What is to be kept of a wish that came by this way.
    func onTrial(_ next: TunnelChoice, over approach: TunnelApproach) async -> TunnelChoice {
        // As nexusd has it now: what was seen last may be a run before.
        let run = approach == .tunnel ? await runNow() : nil
        return choice.changed(
            to: next, over: approach, run: run, file: workshop.settings.mode, at: .now(), length: pace.patience.trial)
    }

    /// Somebody got in by the new way, or stands beside the machine.
    func keep(over approach: TunnelApproach) async throws(TunnelError) {
        try await enterByCommand()
        defer { gate.leave() }
        let run = approach == .tunnel && machine.state.connections != nil ? await runNow() : nil
        let next = try choice.kept(over: approach, run: run, at: .now(), length: pace.patience.trial)
        try next.write(in: workshop.directory)
        (choice, unwritten) = (next, nil)
        workshop.forgetFormer()
        Log.notice("the tunnel: the change is kept")
        show()
    }

    /// Undoes what nobody kept in time; true: what is wanted is another now.
    @discardableResult
    func settleChoice() -> Bool {
        let next = choice.settled(at: .now(), length: pace.patience.trial)
        guard next != choice else { return false }
        choice = next
        Log.notice("the tunnel: nobody kept what was changed through it, so it is \(wanted.rawValue) again")
        // Where that fails the file still has the trial, which is over whoever reads it.
        writeChoice()
        return true
    }

    /// Brings about what is chosen now.
    @discardableResult
    func follow() async -> TunnelError? {
        (measurement, seenOutside) = (nil, nil)
        changes += 1
        guard wanted != .off else {
            // Nothing older goes on, and what was not taken is looked at when it is wanted again.
            complaint = nil
            await act(on: .chosen(.off))
            show()
            return nil
        }
        await act(on: .network(isUp: NetworkRoutes.leadOut()))
        if let halt = choice.halt {
            await act(on: .halted(wanted, halt))
            return nil
        }
        return await choose(wanted)
    }

    /// What a trial that is over leads back to is taken as it was, where the settings are not good any more; true: it is in force.
    func putBackFormer(_ mode: TunnelMode) async -> Bool {
        guard choice.trial == nil else { return false }
        return await workshop.putBackFormer(mode)
    }

    /// Nothing is in force any more, but for what a trial leads back to.
    func retract() {
        if choice.trial == nil { workshop.forgetFormer() }
        workshop.retract()
    }

    private func runNow() async -> String? { await childReport()?.run }
}

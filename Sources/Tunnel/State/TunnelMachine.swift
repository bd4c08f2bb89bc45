/// Judges the tunnel from what was seen, and says what to do. Pure: events and time in, state and actions out; nothing here
/// looks or waits by itself. Time is any clock that only goes forward.
public struct TunnelMachine: Hashable, Sendable {
    /// By which protocol cloudflared is to reach the edge.
    public enum Transport: String, Hashable, Sendable, CaseIterable, Codable {
        /// As cloudflared chooses: QUIC where it can.
        case auto
        /// Where QUIC does not get through, or to learn why the edge refuses: QUIC does not say.
        case http2
    }

    /// One thing that was seen.
    public enum Event: Hashable, Sendable {
        /// The owner chose, and the settings for it were found good.
        case chosen(TunnelMode)
        /// A tunnel-worker before this one put it in force; nil: it is on its way, or down and in nexusd's hands.
        case found(TunnelMode, run: String?)
        /// It is down until a command, as a tunnel-worker before this one knew.
        case halted(TunnelMode, TunnelHalt)
        /// The owner chose, and they were not: the words name the field. What runs goes on.
        case settingsRefused(String)
        /// The default route came or went.
        case network(isUp: Bool)
        /// Cloudflare's edge answered a connection of our own, or did not, while none of cloudflared's stood.
        case uplink(answers: Bool)
        /// The child `cloudflared`, as nexusd says.
        case child(TunnelChild)
        /// An owner stopped the child by its name while it had no run.
        case stopped
        /// Nobody listens on the metrics port.
        case unopened
        /// The metrics port; nil: it does not answer. `excess`: what more than the chat can be reached.
        case measured(TunnelMeasurement?, excess: String?)
        /// Its process is stopped, as by SIGSTOP (proc(5), state T), or not: looked at when its metrics port does not answer.
        case suspended(Bool)
        /// A line of its log.
        case logged(LogTail.Fact)
        /// The chat or the agent stands open to strangers, or neither does, or one of them does not answer.
        case door(DoorLook)
        /// The chat answered on its socket, or did not.
        case origin(answers: Bool)
        /// What was found through the public address.
        case outside(OutsideLook)
        /// Time passed.
        case tick
    }

    /// What nexusd says about the child.
    public enum TunnelChild: Hashable, Sendable {
        /// It runs: starting or ready. With the end of the one before it, if nobody asked for that and it is news.
        case running(run: String, after: End? = nil)
        /// It does not, and is to. With its last end, if nobody asked for that, and what follows from it.
        case down(End?, TunnelState.NextTry = .unsaid)
        /// It is not to run. With the run that ended last.
        case off(run: String? = nil)

        /// How a run ended that nobody asked to.
        public struct End: Hashable, Sendable {
            /// Which one.
            public var run: String
            /// `exit 1, it gave up: Could not lookup srv records…`
            public var words: String
            /// What follows from it.
            public var kind: EndWords.Kind

            /// All of it.
            public init(run: String, words: String, kind: EndWords.Kind = .other) {
                self.run = run
                self.words = words
                self.kind = kind
            }
        }
    }

    /// What is to be done now.
    public enum Action: Hashable, Sendable {
        /// Write the configuration, with a metrics port that is free, and start it.
        case start(Transport)
        /// The same, in place of what runs.
        case restart(Transport, why: String)
        /// Stop it.
        case stop
        /// The same at once, whatever is under way: what it serves on is what nobody is to reach.
        case end
        /// Tell nexusd that it is ready.
        case healthy
        /// The chat answers no more though it did: start chat-bridge anew, if nexusd takes it for ready.
        case mendChat
    }

    enum Phase: Hashable, Sendable {
        case off
        case settingsRefused(String)
        case held(Hold)
        case asked(Transport)
        case running(TunnelRun)
        case down(TunnelChild.End, TunnelState.NextTry)
    }

    /// The chat on its socket.
    struct Origin: Hashable, Sendable {
        var answers = true
        /// It did at least once: one that is still on its way to its first start is left alone.
        var worked = false
        var misses = 0
        /// When it was last mended.
        var mended: Duration?
    }

    struct Anew: Hashable, Sendable {
        let why: String
        let at: Duration
    }

    struct Stray: Hashable, Sendable {
        let run: String
        let since: Duration
    }

    /// Why it does not run though it is wanted.
    enum Hold: Hashable, Sendable {
        case network
        case uplink(until: Duration)
        case names(until: Duration)
        case command
        case exposure(String)
        case opening(String)
        case credentials(String, until: Duration)
        case later(String, until: Duration)
    }

    var mode = TunnelMode.off
    var phase = Phase.off
    var hasNetwork = true
    /// False: there is a route, and nothing answers beyond it.
    var hasUplink = true
    var origin = Origin()
    var opening: String?
    /// Since when nobody answers where it stood open.
    var unseenSince: Duration?
    var lastEnd: String?
    /// Started anew for a metrics port that was taken, so many times in a row.
    var portRestarts = 0
    /// In a row, of runs whose metrics port answers nobody.
    var silentRestarts = 0
    /// Given up for want of names, so many times in a row.
    var nameTries = 0
    /// Why and when it was started anew last.
    var anew: Anew?
    /// A run that is not wanted, and since when it was seen.
    var stray: Stray?
    /// The run that is to go: seen once more, it is not the one that was asked for.
    var leaving: String?
    let patience: Patience

    /// Off, nothing seen yet.
    public init(patience: Patience = Patience()) { self.patience = patience }

    /// What follows from one event.
    public mutating func step(_ event: Event, at now: Duration) -> [Action] {
        switch event {
        case .chosen(let mode): return choose(mode)
        case .found(let mode, let run):
            self.mode = mode
            phase = run.map { .running(newRun($0, .auto, now, after: nil, isPastStart: true)) } ?? .asked(.auto)
            return []
        case .halted(let mode, let halt): return stay(mode, halt)
        case .settingsRefused(let words): return refuse(words)
        case .network(let isUp): return network(isUp, now)
        case .uplink(let answers): return uplink(answers, now)
        case .child(let child): return see(child, now)
        case .stopped: return keepOff()
        case .measured(let measurement, let excess): return measure(measurement, excess, now)
        case .unopened: return unopened(now)
        case .suspended(let isSuspended): return suspend(isSuspended)
        case .logged(let fact): return hear(fact, now)
        case .door(let look): return door(look, now)
        case .origin(let answers): return look(atOrigin: answers, now)
        case .outside(let look): return outside(look, now)
        case .tick: return tick(now)
        }
    }

    /// The mode in force.
    public var chosen: TunnelMode { mode }

    /// Something is in force: it runs, is on its way, or nexusd starts it again.
    public var isUp: Bool {
        switch phase {
        case .asked, .running, .down: true
        case .off, .settingsRefused, .held: false
        }
    }

    /// It runs, as far as is known.
    public var isRunning: Bool { if case .running = phase { true } else { false } }

    /// Its process is stopped: it does nothing until somebody lets it go on.
    public var isSuspended: Bool { if case .running(let run) = phase { run.isSuspended } else { false } }

    /// It runs, and what it leads to is not known: its rules are not read.
    public var isUnread: Bool { if case .running(let run) = phase { run.unreadRules > 0 } else { false } }

    /// Its connections stand, and no look through the public address in a row of them found this machine's page.
    public var addressFails: Bool {
        if case .running(let run) = phase { run.outsideFailures >= patience.outsideMisses } else { false }
    }

    /// The public address led here during this run.
    public var addressWorked: Bool { if case .running(let run) = phase { run.outsideWorked } else { false } }

    /// Its last run was not started at all, for want of a program that may be, and nothing starts it before that is mended.
    public var waitsForProgram: Bool { if case .down(let end, _) = phase { end.kind == .notStarted } else { false } }

    /// The chat answered on its socket when it was looked at last.
    public var originAnswers: Bool { origin.answers }

    /// Somebody started it by its name though it is not wanted, and it has not ended yet.
    public var hasStray: Bool { stray != nil }

    /// Why it stays down until a command; nil: it does not.
    public var halt: TunnelHalt? {
        switch phase {
        case .held(.command): .stopped
        case .held(.exposure(let words)): .exposure(words)
        case .off, .settingsRefused, .asked, .running, .down, .held(.network), .held(.uplink), .held(.names),
            .held(.opening), .held(.credentials), .held(.later):
            nil
        }
    }

    /// The child's run that ended last, as far as it was seen.
    public var lastEnded: String? { lastEnd }

    /// The state now.
    public var state: TunnelState {
        switch phase {
        case .off: .off
        case .settingsRefused(let words): .settingsRefused(words)
        case .held(.network): .noNetwork
        case .held(.uplink): .noUplink
        case .held(.names): .noNames
        case .held(.command): .stopped
        case .held(.exposure(let words)), .held(.opening(let words)): .exposesMoreThanTheChat(words)
        case .held(.credentials(let words, _)): .credentialsRefused(words)
        case .held(.later(let words, _)):
            .crashed(exit: words, next: .held(minutes: Int(patience.refused / .seconds(60))))
        case .asked: .starting
        // Without network it ends with 1 at its start (cloudflared.md, 1.3): that is no crash of its own.
        case .down(let end, let next): hasNetwork ? .crashed(exit: end.words, next: next) : .noNetwork
        case .running(let run): run.state(self)
        }
    }

    // MARK: - The owner

    private mutating func choose(_ mode: TunnelMode) -> [Action] {
        self.mode = mode
        (portRestarts, silentRestarts, nameTries, anew) = (0, 0, 0, nil)
        guard mode != .off else {
            phase = .off
            return [.stop]
        }
        let isThere: Bool
        switch phase {
        case .asked, .down: isThere = true
        case .running(let run): (isThere, leaving) = (true, run.id)
        case .off, .settingsRefused, .held: isThere = false
        }
        guard let action = begin(.auto) else { return [toStop] }
        return isThere ? [.restart(.auto, why: "it is to be as it is chosen now")] : [action]
    }

    private mutating func refuse(_ words: String) -> [Action] {
        switch phase {
        case .asked, .running, .down: return []
        case .off, .settingsRefused, .held:
            phase = .settingsRefused(words)
            return [.stop]
        }
    }

    private mutating func stay(_ mode: TunnelMode, _ halt: TunnelHalt) -> [Action] {
        self.mode = mode
        switch halt {
        case .stopped:
            phase = .held(.command)
            return []
        case .exposure(let words): return hold(.exposure(words))
        }
    }

    /// An owner's word goes before whatever else keeps it down for now. One that waits for a command anyway has its own words.
    private mutating func keepOff() -> [Action] {
        switch phase {
        case .off, .held(.command), .held(.exposure): return []
        // What was about to start it comes behind that word, or is on its way.
        case .asked, .running: return hold(.command)
        case .settingsRefused, .down, .held(.network), .held(.uplink), .held(.names), .held(.opening),
            .held(.credentials),
            .held(.later):
            phase = .held(.command)
            return []
        }
    }

    /// Starts it, unless something holds it.
    mutating func begin(_ transport: Transport) -> Action? {
        if let opening {
            phase = .held(.opening(opening))
            return nil
        }
        guard hasNetwork else {
            phase = .held(.network)
            return nil
        }
        phase = .asked(transport)
        return .start(transport)
    }

    mutating func hold(_ hold: Hold) -> [Action] {
        phase = .held(hold)
        return [toStop]
    }

    /// By what holds it.
    var toStop: Action {
        switch phase {
        case .held(.exposure), .held(.opening): .end
        case .off, .settingsRefused, .asked, .running, .down, .held(.network), .held(.uplink), .held(.names),
            .held(.command), .held(.credentials), .held(.later):
            .stop
        }
    }

    // MARK: - What holds it

    private mutating func network(_ isUp: Bool, _ now: Duration) -> [Action] {
        guard isUp != hasNetwork else { return [] }
        (hasNetwork, hasUplink) = (isUp, true)
        switch phase {
        case .off, .settingsRefused, .held(.command), .held(.exposure), .held(.opening), .held(.credentials),
            .held(.later):
            return []
        case .held(.network): return isUp ? begin(.auto).map { [$0] } ?? [] : []
        // It would end with 1, or try in vain: starts are not spent on a machine that has no way out.
        case .asked, .down, .held(.uplink), .held(.names): return isUp ? [] : hold(.network)
        case .running(var run):
            // Once connected it waits by itself, and its pages go on without a new start.
            if !isUp, !run.wasConnected { return hold(.network) }
            (run.networkReturned, run.edgeAnswered) = (isUp ? now : nil, nil)
            phase = .running(run)
            return []
        }
    }

    /// Only this hop is mended when this hop fails, and rarely: nexusd has rules of its own for a chat-bridge that ends.
    private mutating func look(atOrigin answers: Bool, _ now: Duration) -> [Action] {
        origin.answers = answers
        origin.worked = origin.worked || answers
        origin.misses = answers ? 0 : origin.misses + 1
        // What was looked at through the tunnel meanwhile says nothing of it.
        if !answers, case .running(var run) = phase {
            (run.outsideMisses, run.outsideFailures) = (0, 0)
            phase = .running(run)
        }
        guard mode != .off, origin.worked, origin.misses >= patience.originMisses,
            origin.mended.map({ now - $0 >= patience.betweenMends }) ?? true
        else { return [] }
        origin.mended = now
        return [.mendChat]
    }

    private mutating func door(_ look: DoorLook, _ now: Duration) -> [Action] {
        switch look {
        case .open(let words): (opening, unseenSince) = (words, nil)
        case .shut: (opening, unseenSince) = (nil, nil)
        case .unseen:
            guard opening != nil else { return [] }
            let since = unseenSince ?? now
            unseenSince = since
            guard now - since >= patience.unseenDoor else { return [] }
            (opening, unseenSince) = (nil, nil)
        }
        switch phase {
        case .off, .settingsRefused, .held(.network), .held(.uplink), .held(.names), .held(.command),
            .held(.exposure), .held(.credentials), .held(.later):
            return []
        case .held(.opening): return opening == nil ? begin(.auto).map { [$0] } ?? [] : []
        case .asked, .running, .down: return opening.map { hold(.opening($0)) } ?? []
        }
    }
}

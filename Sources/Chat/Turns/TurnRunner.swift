import AgentModel

/// Takes messages, hands turns to the agent one at a time a session, and stores what comes of them. The decisions are
/// `TurnQueue`'s; this carries them out.
public actor TurnRunner {
    /// How long the agent may take to end a turn it was asked to stop.
    static let abortLimit: Duration = .seconds(10)
    /// How long the end of this process waits for it to stop there what has ended here; the next one asks again.
    static let settleLimit: Duration = .seconds(2)
    /// How often an agent that is away is asked again, while a turn waits for it …
    static let askInterval: Duration = .milliseconds(250)
    /// … and while none does: this doubles the pause up to here, for the words of the status line only.
    public static let idleAskInterval: Duration = .seconds(5)

    /// In one glance, for the status line.
    public struct Summary: Hashable, Sendable {
        /// Turns with the agent.
        public var running: Int
        /// Turns that wait.
        public var queued: Int
        /// Why the agent takes no turns; nil: it does, as far as is known.
        public var agentIsAway: String?
    }

    let store: ChatStore
    let hub: EventHub
    let agent: any AgentPort
    let ceiling: DailyCeiling
    let sayings = Sayings()
    private let changed: @Sendable (Summary) -> Void
    let complain: @Sendable (String) -> Void
    /// What the agent is still to do to its sessions, under way.
    var errands: Task<Void, Never>?
    var hasNewErrands = false
    /// Sessions that the agent is being stopped in.
    var settling: [SessionID: Task<Void, any Error>] = [:]
    var queue = TurnQueue(agent: .away("the agent has not been asked yet"))
    private var tasks: [TurnID: Task<Void, Never>] = [:]
    private var stops: [TurnID: TurnDelivery.Stop] = [:]
    private var asking: Task<Void, Never>?
    /// echo-agent answers in place of opencode.
    private(set) var hasStandIn = false
    private var askRound = 0
    private var lastAsked: ContinuousClock.Instant?
    /// Hand-overs in a row that did not reach an agent which had said that it takes turns.
    private var vainHandOvers = 0
    private(set) var isStopping = false

    /// `changed` is called whenever the summary may have changed, `complain` with words for the log.
    public init(
        store: ChatStore, hub: EventHub, agent: any AgentPort, ceiling: DailyCeiling = DailyCeiling(),
        complain: @escaping @Sendable (String) -> Void = { _ in },
        changed: @escaping @Sendable (Summary) -> Void = { _ in }
    ) {
        self.store = store
        self.hub = hub
        self.agent = agent
        self.ceiling = ceiling
        self.complain = complain
        self.changed = changed
    }

    /// What a turn is told that was with the agent when chat-bridge went away.
    public static let restartReason = "\(TurnDelivery.restart); what had arrived is kept"
    static let stopReason = "chat-bridge was stopped while the agent was answering; what had arrived is kept"

    private static let stopped = "stopped by the user"
    static let withdrawn = "withdrawn before it was handed to the agent"

    /// True for an end that the user wanted: whoever stopped it knows.
    static func isKnownToTheUser(_ state: TurnState, _ reason: String?) -> Bool {
        state == .interrupted && wasAskedFor(reason)
    }

    /// True for the reason of a turn that was interrupted because the user wanted it.
    static func wasAskedFor(_ reason: String?) -> Bool {
        reason.map { $0.hasPrefix(stopped) || $0.hasPrefix(withdrawn) } ?? false
    }

    /// Takes the store up as it was left: turns that the agent has go on, those of which that is not known are interrupted,
    /// those that wait wait on.
    public func begin() async throws -> (running: Int, interrupted: Int, queued: Int) {
        let left = try await store.recover(reason: Self.restartReason) { turns in
            Task { await self.areInterrupted(turns, Self.restartReason) }
        }
        if left.isWritten { await areInterrupted(left.interrupted, Self.restartReason) }
        await areInterrupted(store.interruptedByLoss, ChatStore.lossReason)
        runErrands()
        for turn in left.running {
            queue.resumed(turn.id, in: turn.session)
            tasks[turn.id] = Task { await self.run(turn.id, turn.session) }
        }
        for turn in left.queued { carryOut(queue.accepted(turn.id, in: turn.session)) }
        return (left.running.count, left.interrupted.count + store.interruptedByLoss.count, left.queued.count)
    }

    /// It is stored. Nobody can have watched them before; it is told to whom the owner wants it told.
    private func areInterrupted(_ turns: [ChatTurn], _ reason: String) async {
        guard !turns.isEmpty else { return }
        let end = ChatEvent.What.ended(.interrupted, reason: reason)
        for turn in turns { await hub.mention(end, turn: turn.id, in: turn.session) }
        complain("\(turns.count) turn(s) interrupted: \(reason)")
        runErrands()
    }

    /// Takes a message that is stored. Watch its session before, to miss nothing: see `ChatService`.
    public func enqueue(_ turn: ChatTurn) async {
        await announce(turn)
        carryOut(queue.accepted(turn.id, in: turn.session))
        // It was asked now and then only, while nobody waited.
        if queue.agent != .here { askNow() }
    }

    /// It goes its way, whatever becomes of the event that tells of it.
    private func announce(_ turn: ChatTurn) async {
        guard let event = try? await hub.publish(turn.accepted, turn: turn.id, in: turn.session) else { return }
        if (try? await store.append([event])) != nil { await hub.stored([event]) }
    }

    /// Why this turn waits; nil if it does not.
    public func reasonToWait(_ turn: ChatTurn) -> String? { queue.reasonToWait(turn.id, in: turn.session) }

    /// What was heard about the agent from elsewhere (the bus says that its worker came or went).
    public func agentIs(_ state: TurnQueue.Agent) {
        switch state {
        // That its worker is there does not say that the agent takes turns: it is asked.
        case .here:
            vainHandOvers = 0
            askNow()
        case .away: carryOut(queue.agentIs(state))
        }
    }

    /// Stops the running turn of a session and withdraws the queued ones, or does so with one of them only. Returns how
    /// many it were.
    public func abort(_ session: SessionID, turn: TurnID?) async throws -> Int {
        let withdrawn = queue.withdraw(turn, in: session)
        for (place, turn) in withdrawn.queued.enumerated() {
            do {
                try await hub.conclude(turn, in: session, .interrupted, reason: Self.withdrawn, rest: [])
            } catch {
                // What the store still has as queued waits on.
                for turn in withdrawn.queued[place...] { carryOut(queue.accepted(turn, in: session)) }
                throw error
            }
        }
        if let running = withdrawn.running { try await abortAtTheAgent(running, session) }
        tell()
        return withdrawn.queued.count + (withdrawn.running == nil ? 0 : 1)
    }

    /// Ends what is with the agent, stores it, and takes up nothing more. Queued turns stay queued. `leavingTurns`: what is with
    /// the agent goes on there, and the next chat-bridge with it.
    public func stop(leavingTurns: Bool = false) async {
        let isFirst = !isStopping
        isStopping = true
        asking?.cancel()
        errands?.cancel()
        for (turn, task) in tasks {
            stops[turn] = leavingTurns ? .left : .shutdown
            task.cancel()
        }
        for task in Array(tasks.values) { await task.value }
        if isFirst, !leavingTurns { await settleAll(within: Self.settleLimit) }
        await hub.finish()
    }

    private func abortAtTheAgent(_ turn: TurnID, _ session: SessionID) async throws {
        stops[turn] = .asked(Self.stopped)
        guard try await store.turn(turn)?.state == .running, let id = try await store.agentSession(of: session).id
        else {
            stops[turn] = .asked(Self.withdrawn)
            tasks[turn]?.cancel()
            return
        }
        do {
            try await agent.abort(session: id)
        } catch {
            return giveUp(turn, "the agent could not be told: \(error)")
        }
        Task {
            try? await Task.sleep(for: Self.abortLimit)
            self.giveUp(turn, "the agent did not confirm it within \(Self.abortLimit)")
        }
    }

    private func giveUp(_ turn: TurnID, _ why: String) {
        guard let task = tasks[turn] else { return }
        stops[turn] = .asked("\(Self.stopped); \(why)")
        task.cancel()
    }

    func carryOut(_ actions: [TurnQueue.Action]) {
        for action in actions {
            switch action {
            case .begin(let turn, let session):
                guard !isStopping else { continue }
                tasks[turn] = Task { await self.run(turn, session) }
            case .wait(let turn, let session, let why):
                Task { await hub.mention(.waiting(why: why), turn: turn, in: session) }
            }
        }
        if queue.agent != .here { askAgain() }
        tell()
    }

    private func run(_ turn: TurnID, _ session: SessionID) async {
        var delivery = TurnDelivery(
            turn: turn, session: session, store: store, hub: hub, agent: agent, ceiling: ceiling, sayings: sayings
        ) { try await self.settle(session) }
        let outcome = await delivery.run { await self.stop(of: turn) }
        tasks[turn] = nil
        stops[turn] = nil
        sayings.forget(session)
        switch outcome {
        case .over:
            vainHandOvers = 0
            carryOut(queue.ended(turn, in: session))
            // It may have ended here alone.
            runErrands()
        case .left: tell()
        case .notDelivered(let why):
            vainHandOvers += 1
            carryOut(queue.notDelivered(turn, in: session, why: why))
        }
    }

    private func stop(of turn: TurnID) -> TurnDelivery.Stop? { stops[turn] }

    private func askAgain() {
        guard asking == nil, !isStopping else { return }
        askRound += 1
        let round = askRound
        asking = Task {
            await self.ask()
            // A round that was called off has a successor already.
            if self.askRound == round { self.asking = nil }
        }
    }

    private func askNow() {
        asking?.cancel()
        asking = nil
        askAgain()
    }

    /// Asks until the agent takes turns.
    private func ask() async {
        let shortest = Self.pause(afterVain: vainHandOvers)
        var pause = shortest
        while !Task.isCancelled {
            // Also an agent that says yes and then takes nothing is not asked more often than this.
            if let lastAsked { try? await Task.sleep(until: lastAsked + pause) }
            if Task.isCancelled { return }
            lastAsked = .now
            let answer = await answer()
            if Task.isCancelled { return }
            carryOut(queue.agentIs(answer))
            if queue.agent == .here { return }
            pause = queue.queuedCount > 0 ? shortest : min(pause * 2, Self.idleAskInterval)
        }
    }

    /// Looks now and then whether an agent that took turns still does, as long as its task lives: that its program has ended
    /// nobody says by himself.
    public func keepAsking(every pause: Duration = idleAskInterval) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: pause)
            guard queue.agent == .here, !isStopping, !Task.isCancelled else { continue }
            let answer = await answer()
            guard case .away(let why) = answer, asking == nil else { continue }
            carryOut(queue.agentIs(answer))
            // Who watches a turn that nothing comes of is told why.
            for (turn, session) in queue.running { await hub.mention(.notice(why), turn: turn, in: session) }
        }
    }

    /// Before an agent is asked again that said yes and then took nothing, so often in a row.
    static func pause(afterVain handOvers: Int) -> Duration {
        min(askInterval * (1 << min(max(0, handOvers - 1), 8)), idleAskInterval)
    }

    private func answer() async -> TurnQueue.Agent {
        do {
            let description = try await agent.describe()
            hasStandIn = description.product == AgentDescription.standIn
            return description.ready ? .here : .away("the agent is not ready: \(description.state)")
        } catch {
            return .away("the agent cannot be reached: \(error)")
        }
    }

    /// How things are now.
    public var summary: Summary {
        var away: String?
        if case .away(let why) = queue.agent { away = why }
        return Summary(running: queue.runningCount, queued: queue.queuedCount, agentIsAway: away)
    }

    private func tell() { changed(summary) }
}

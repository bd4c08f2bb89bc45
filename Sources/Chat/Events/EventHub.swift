/// Numbers the events of each session and gives them to everybody who watches it, in order.
///
/// What was given out and is not stored yet is kept here, so that a watcher who begins in between misses nothing: he
/// reads the store up to where this tail begins. The tail is as long as a batch of the writer.
public actor EventHub {
    /// Events that may wait for one watcher; one who is slower than that is sent back to the store.
    static let watcherLimit = 1024

    // One a session that was used since the start: some hundred bytes, for the sessions of one owner.
    private struct Feed {
        var last: EventNumber
        var reserved: Int64
        var tail: [ChatEvent] = []
        var watchers: [Int: AsyncStream<GivenEvent>.Continuation] = [:]
        /// While the end of a turn is being stored nothing else is numbered: it is given out only afterwards, and
        /// numbers are given out in order.
        var barrier: Task<Void, Never>?
    }

    private let store: ChatStore
    private let heard: @Sendable (ChatEvent) -> Void
    private var feeds: [SessionID: Feed] = [:]
    private var lastWatcher = 0
    private var isOver = false

    /// On a store. `heard` gets every event of every session as it is given out; it must not wait.
    public init(store: ChatStore, heard: @escaping @Sendable (ChatEvent) -> Void = { _ in }) {
        self.store = store
        self.heard = heard
    }

    /// A number that all further events of a session are above.
    public func current(_ session: SessionID) async throws -> EventNumber {
        try await prepare(session, count: 1)
        return feeds[session]?.last ?? .start
    }

    /// Numbers an event, gives it out and keeps it until it is stored.
    public func publish(_ what: ChatEvent.What, turn: TurnID, in session: SessionID) async throws -> ChatEvent {
        try await prepare(session, count: 1, patience: ChatStore.longPatience)
        let event = ChatEvent(number: takeNumber(session), session: session, turn: turn, what: what.storable)
        feeds[session]?.tail.append(event)
        give(event)
        return event
    }

    /// Stores the last events of a turn with its end, in one transaction, and only then gives the end out.
    public func conclude(
        _ turn: TurnID, in session: SessionID, _ state: TurnState, reason: String?, rest: [ChatEvent],
        byTheAgent: Bool = false
    ) async throws {
        let reason = reason?.storable
        try await alone(in: session, taking: 1) { hub, number in
            let end = ChatEvent(number: number, session: session, turn: turn, what: .ended(state, reason: reason))
            try await hub.store.end(turn, state, reason: reason, last: rest + [end], byTheAgent: byTheAgent)
            hub.stored(rest)
            hub.give(end)
        }
    }

    /// Stores an event, and only then gives it out.
    func record(_ what: ChatEvent.What, turn: TurnID, in session: SessionID) async throws {
        try await alone(in: session, taking: 1) { hub, number in
            let event = ChatEvent(number: number, session: session, turn: turn, what: what.storable)
            try await hub.store.append([event])
            hub.give(event)
        }
    }

    /// Stores with `write` a withdrawn message of a session that there is, with its end, and only then gives both out.
    func withdraw(
        in session: SessionID, _ write: @escaping @Sendable (_ first: EventNumber?) async throws -> Acceptance
    ) async throws -> Acceptance {
        try await alone(in: session, taking: 2) { hub, first in
            let acceptance = try await write(first)
            for event in acceptance.events { hub.give(event) }
            return acceptance
        }
    }

    /// What the agent has asked under an id in the turn that runs; nil: nothing.
    func asking(_ id: String, in session: SessionID) async throws -> ChatEvent.Asking? {
        for event in feeds[session]?.tail ?? [] {
            if let asked = event.what.asking, asked.id == id { return asked }
        }
        return try await store.asking(id, in: session)
    }

    /// Gives out an event that is only of this moment.
    public func mention(_ what: ChatEvent.What, turn: TurnID, in session: SessionID) {
        give(ChatEvent(number: nil, session: session, turn: turn, what: what))
    }

    /// These are in the store now.
    public func stored(_ events: [ChatEvent]) {
        guard let session = events.first?.session else { return }
        let numbers = Set(events.compactMap(\.number))
        feeds[session]?.tail.removeAll { event in event.number.map { numbers.contains($0) } ?? true }
    }

    /// What happens in a session from now on, beginning with what is not stored yet. Ends when the watcher is too slow
    /// (he reads the store and watches anew) and when chat-bridge stops.
    public func watch(_ session: SessionID) async throws -> AsyncStream<GivenEvent> {
        try await prepare(session, count: 1)
        let (stream, continuation) = AsyncStream<GivenEvent>.makeStream(
            bufferingPolicy: .bufferingOldest(Self.watcherLimit))
        guard !isOver else {
            continuation.finish()
            return stream
        }
        lastWatcher += 1
        let watcher = lastWatcher
        for event in feeds[session]?.tail ?? [] { continuation.yield(GivenEvent(event)) }
        feeds[session]?.watchers[watcher] = continuation
        continuation.onTermination = { _ in Task { await self.leave(watcher, session) } }
        return stream
    }

    /// A session is gone: who watches it looks again, and finds that out.
    public func forget(_ session: SessionID) {
        guard let feed = feeds.removeValue(forKey: session) else { return }
        for watcher in feed.watchers.values { watcher.finish() }
    }

    /// True after `finish`.
    public var isFinished: Bool { isOver }

    /// Ends every watching; nobody can watch any more.
    public func finish() {
        isOver = true
        store.bell.finish()
        for feed in feeds.values {
            for watcher in feed.watchers.values { watcher.finish() }
        }
    }

    private func leave(_ watcher: Int, _ session: SessionID) { feeds[session]?.watchers[watcher] = nil }

    private func give(_ event: ChatEvent) {
        heard(event)
        let given = GivenEvent(event)
        for (number, watcher) in feeds[event.session]?.watchers ?? [:] {
            guard case .dropped = watcher.yield(given) else { continue }
            feeds[event.session]?.watchers[number] = nil
            watcher.finish()
        }
    }

    /// Takes so many numbers for what is stored first and given out then; nothing else of the session is numbered meanwhile.
    private func alone<Value: Sendable>(
        in session: SessionID, taking count: Int64,
        _ body: @escaping @Sendable (isolated EventHub, _ first: EventNumber?) async throws -> Value
    ) async throws -> Value {
        try await prepare(session, count: count)
        let first = takeNumber(session)
        for _ in 1..<count { _ = takeNumber(session) }
        // Whoever waits goes on when all was given out and the barrier is gone: awaiting a task that is over gives the
        // actor to nobody, so one who found it there still would look again and again for ever.
        let write = Task {
            defer { feeds[session]?.barrier = nil }
            return try await body(self, first)
        }
        feeds[session]?.barrier = Task { _ = try? await write.value }
        return try await write.value
    }

    private func takeNumber(_ session: SessionID) -> EventNumber? {
        guard let last = feeds[session]?.last else { return nil }
        let next = EventNumber(rawValue: last.rawValue + 1)
        feeds[session]?.last = next
        return next
    }

    /// Returns when so many numbers can be given at once, without waiting in between.
    private func prepare(_ session: SessionID, count: Int64, patience: Duration? = nil) async throws {
        while true {
            if let barrier = feeds[session]?.barrier {
                await barrier.value
                continue
            }
            if let feed = feeds[session], feed.last.rawValue + count <= feed.reserved { return }
            let last = try await store.reserve(session, patience: patience)
            let reserved = last.rawValue + ChatStore.reservation
            // Another task may have reserved meanwhile: the higher numbers win, the others become a gap.
            guard let feed = feeds[session] else {
                feeds[session] = Feed(last: last, reserved: reserved)
                continue
            }
            guard reserved > feed.reserved else { continue }
            if feed.reserved != last.rawValue { feeds[session]?.last = last }
            feeds[session]?.reserved = reserved
        }
    }
}

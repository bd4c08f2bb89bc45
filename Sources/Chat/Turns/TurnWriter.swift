import AgentModel

/// Stores what comes of one turn, in batches: after `batchBytes`, or `batchAge` after the first event of a batch. A
/// crash loses at most the last batch of the agent's words, what is just being written among them; clients have seen
/// them by then, the user's are stored.
actor TurnWriter {
    /// Bytes of text that are written at once.
    static let batchBytes = 4096
    /// How long a word may be in memory only.
    static let batchAge: Duration = .milliseconds(250)

    private let turn: TurnID
    private let session: SessionID
    private let store: ChatStore
    private let hub: EventHub
    private var batch: [ChatEvent] = []
    /// Bytes that were given out and are not on the disk yet.
    private var weight = 0
    private var timer: Task<Void, Never>?
    private var lastWrite: Task<Void, any Error>?
    private var failure: (any Error)?
    /// The list of what is to do as it was given out last.
    private var todos: [Todo]?
    /// What was said no to, when the agent has neither said nor begun anything since.
    private(set) var refused: Answered.Answer?

    init(turn: TurnID, session: SessionID, store: ChatStore, hub: EventHub) {
        self.turn = turn
        self.session = session
        self.store = store
        self.hub = hub
    }

    /// Gives an event out and stores it with the batch. Waits when the batch is full, so a slow disk slows the agent's
    /// stream down; throws when a batch could not be stored.
    func append(_ what: ChatEvent.What) async throws {
        if let failure { throw failure }
        look(at: what)
        if case .answered = what { return try await record(what) }
        if what.asking != nil { return try await record(what) }
        if case .todos(let todos) = what, await !isNew(todos) { return }
        batch.append(try await hub.publish(what, turn: turn, in: session))
        weight += what.weight
        if weight >= Self.batchBytes {
            try await flush()
        } else if timer == nil {
            timer = Task {
                try? await Task.sleep(for: Self.batchAge)
                if !Task.isCancelled { await self.expire() }
            }
        }
    }

    private func look(at what: ChatEvent.What) {
        switch what {
        case .answered(let answered):
            refused = [.reject, .dismissed].contains(answered.answer) ? answered.answer : nil
        case .text, .reasoning: refused = nil
        case .tool(let call) where [.pending, .running].contains(call.status): refused = nil
        case .accepted, .waiting, .started, .tool, .permission, .question, .todos, .changes, .usage, .notice, .ended:
            break
        }
    }

    /// opencode's list is the session's: read back at the end of a turn that did not touch it, it is an earlier turn's.
    private func isNew(_ todos: [Todo]) async -> Bool {
        if self.todos == nil { self.todos = try? await store.todos(of: session) }
        defer { self.todos = todos }
        return todos != self.todos
    }

    /// What a person is asked, and what he decided, is shown when it is stored, with all before it: the list says at once that
    /// somebody is waited for, and nobody reads of leave that a crash takes back.
    private func record(_ what: ChatEvent.What) async throws {
        try await flush()
        do {
            try await hub.record(what, turn: turn, in: session)
        } catch {
            // It goes with the end, when there is room.
            batch.append(try await hub.publish(what, turn: turn, in: session))
            throw error
        }
    }

    /// Stores what was given out so far.
    func settle() async throws { try await flush() }

    /// Stores what could not be stored before.
    func again() async throws {
        _ = try? await lastWrite?.value
        (lastWrite, failure) = (nil, nil)
        try await flush()
    }

    /// Stores the rest with the turn's end, in one transaction.
    func end(_ state: TurnState, reason: String?, byTheAgent: Bool) async throws {
        timer?.cancel()
        timer = nil
        // An earlier batch that failed is in this one again.
        _ = try? await lastWrite?.value
        let rest = takeBatch()
        do {
            try await hub.conclude(turn, in: session, state, reason: reason, rest: rest, byTheAgent: byTheAgent)
        } catch {
            putBack(rest)
            throw error
        }
    }

    private func expire() async {
        timer = nil
        do {
            try await flush()
        } catch {
            failure = error
        }
    }

    // Each write waits for the one before it: two batches are never stored in the wrong order.
    private func flush() async throws {
        timer?.cancel()
        timer = nil
        let events = takeBatch()
        let previous = lastWrite
        let write = Task { [store, hub] in
            try await previous?.value
            try await store.append(events)
            await hub.stored(events)
        }
        lastWrite = write
        do {
            try await write.value
        } catch {
            putBack(events)
            throw error
        }
        weight -= events.reduce(0) { $0 + $1.what.weight }
    }

    // What could not be written goes with the end, which is tried again when there is room.
    private func putBack(_ events: [ChatEvent]) {
        batch = (events + batch).sorted { ($0.number ?? .start) < ($1.number ?? .start) }
    }

    private func takeBatch() -> [ChatEvent] {
        defer { batch = [] }
        return batch
    }
}

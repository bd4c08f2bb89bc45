import GRDB

/// What clients ask for, without the way it reaches them: frames of JSON go to `send`, which waits while the client is
/// slow and throws when it is gone.
public struct ChatService: Sendable {
    /// Takes one frame for the client.
    public typealias Sink = @Sendable ([UInt8]) async throws -> Void

    let store: ChatStore
    let hub: EventHub
    let runner: TurnRunner
    let workspaces: Workspaces
    let uploads: Uploads
    let locks = SessionLock()

    /// Over one store.
    public init(
        store: ChatStore, hub: EventHub, runner: TurnRunner, workspaces: Workspaces,
        attachments: AttachmentLimits = AttachmentLimits()
    ) {
        uploads = Uploads(store: store, limits: attachments)
        self.store = store
        self.hub = hub
        self.runner = runner
        self.workspaces = workspaces
    }

    /// Said to a client whose stream ends because chat-bridge does.
    public static let stopping = ChatError(
        .stopping, "chat-bridge is stopping; what was accepted is stored, and queued messages are sent when it is back")

    /// An error that nobody foresaw, in words for the user.
    public func words(for error: any Error) -> ChatError { ChatError(unforeseen: error, store: store.path) }

    /// Takes a message and sends the events of its turn, `accepted` first and `ended` last. Sending the same again with
    /// the same client id takes nothing twice and sends the events of that turn.
    public func take(
        _ submission: Submission, to send: Sink, line: Line = .plain
    ) async throws {
        if await hub.isFinished { throw Self.stopping }
        try await check(submission.choice, workspace: try await workspace(of: submission))
        var generator = SystemRandomNumberGenerator()
        let acceptance = try await accept(submission, newSession: .random(using: &generator))
        let turn = acceptance.turn
        // Watching begins before the turn can move: nothing of it is missed. What is stored goes its way, also when it
        // cannot be watched or its first event cannot be stored.
        let live: Result<AsyncStream<GivenEvent>, any Error>
        do {
            live = .success(try await hub.watch(turn.session))
        } catch {
            live = .failure(error)
        }
        switch (submission.isWithdrawn, acceptance.isNew) {
        case (false, true): await runner.enqueue(turn)
        case (true, false): _ = try await runner.abort(turn.session, turn: turn.id)
        // Stored with its end; or known, and going its way.
        case (true, true), (false, false): break
        }
        // Said from what is stored, not from the event: that one may have been lost in a crash right after.
        try await send(
            ChatEvent(number: nil, session: turn.session, turn: turn.id, what: turn.accepted).json)
        try await follow(turn.session, live.get(), after: turn.before, only: turn, to: send, line: line)
    }

    private func accept(_ submission: Submission, newSession: SessionID) async throws -> Acceptance {
        guard let session = submission.session else { return try await store(submission, newSession: newSession) }
        // Not while what was said in it is being taken back.
        return try await locks.alone(in: session) { try await store(submission, newSession: newSession) }
    }

    private func store(_ submission: Submission, newSession: SessionID) async throws -> Acceptance {
        do {
            let before: EventNumber
            if let session = submission.session { before = try await number(before: session) } else { before = .start }
            let accept = { @Sendable [self] (first: EventNumber?) in
                try await store.accept(
                    submission, newSession: newSession, before: before, workspaces: workspaces,
                    ceiling: runner.ceiling, first: first)
            }
            guard submission.isWithdrawn, let session = submission.session else { return try await accept(nil) }
            return try await hub.withdraw(in: session, accept)
        } catch  where error is DatabaseError {
            let remedy =
                StoreFailure.isNoRoom(error) ? "make room and send it again" : "send it again when that is mended"
            throw ChatError(
                StoreFailure.isLock(error) ? .busy : .failed,
                "the message is not stored: \(StoreFailure.words(error, path: store.path)); \(remedy)")
        }
    }

    /// Sends the events of a session after a number, then what happens: until nothing is under way, or for ever.
    public func resume(
        _ session: SessionID, after: EventNumber, follow forEver: Bool, to send: Sink, line: Line = .plain
    ) async throws {
        try await store.require(session)
        let live = try await hub.watch(session)
        let last = try await hub.current(session)
        guard after <= last else {
            throw ChatError(
                .badRequest,
                "session \(session) has no event \(after.rawValue) yet: its numbers go up to \(last.rawValue); "
                    + "read it anew with open, or with resume after 0")
        }
        try await follow(session, live, after: after, only: nil, endsWhenIdle: !forEver, to: send, line: line)
    }

    /// Stops what runs in a session and withdraws what waits, or only one turn; returns how many it were.
    public func abort(_ session: SessionID, turn: TurnID?) async throws -> Int {
        try await store.require(session)
        return try await runner.abort(session, turn: turn)
    }

    /// Hands an answer to the agent; what comes of it is told by the turn's events (`answered`).
    /// - Parameter who: says it, by the name of his device or program.
    public func pass(_ answer: ChatAnswer, to id: String, in session: SessionID, by who: String?) async throws {
        guard let agentSession = try await store.agentSession(of: session).id else {
            throw ChatError(.unknown, "the agent has asked nothing in session \(session)")
        }
        let asked = try await hub.asking(id, in: session)
        if let asked, let words = answer.objection(to: asked) {
            throw ChatError(.badRequest, "\(id) is \(words)")
        }
        // Before the agent has it: its word on it may come before its reply.
        let saying = Saying(answer, to: id, asked, in: session, by: who)
        guard runner.sayings.begin(saying) else {
            throw ChatError(.unknown, "\(id) does not wait for this answer: another one came first")
        }
        var isTaken: Bool?
        defer { runner.sayings.end(saying, isTaken: isTaken) }
        do {
            try await runner.agent.answer(answer, to: id, session: agentSession)
            isTaken = true
        } catch let error as AgentError {
            switch error.code {
            case .unknownRequest, .unknownSession:
                isTaken = false
                throw ChatError(.unknown, error.message)
            case .failed:
                isTaken = false
                throw ChatError(.failed, "the agent did not take the answer, and \(id) waits on: \(error.message)")
            case .notDelivered:
                throw ChatError(.failed, "the answer did not reach the agent: \(error.message)")
            case .lost:
                throw ChatError(
                    .failed,
                    "whether the answer reached the agent is not known: \(error.message); the turn tells what came of it"
                )
            }
        }
    }

    /// Throws when there is no such session (any more).
    public func require(_ session: SessionID) async throws { try await store.require(session) }

    private func number(before session: SessionID) async throws -> EventNumber {
        try await store.require(session)
        return try await hub.current(session)
    }

    /// The store up to where the live events begin, then those; again from the store when they came too fast.
    private func follow(
        _ session: SessionID, _ first: AsyncStream<GivenEvent>, after: EventNumber, only turn: ChatTurn?,
        endsWhenIdle: Bool = false, to send: Sink, line: Line
    ) async throws {
        var sent = after
        var live = first
        while true {
            if try await replay(session, after: &sent, only: turn?.id, to: send, line: line) { return }
            if let turn, let why = await runner.reasonToWait(turn) {
                try await send(ChatEvent(number: nil, session: session, turn: turn.id, what: .waiting(why: why)).json)
            }
            if turn == nil {
                // Why the others wait, of this moment.
                for waiting in try await store.queued(in: session) {
                    guard let why = await runner.reasonToWait(waiting) else { continue }
                    let event = ChatEvent(number: nil, session: session, turn: waiting.id, what: .waiting(why: why))
                    try await send(event.json)
                }
            }
            if endsWhenIdle, try await store.isIdle(session) {
                // A turn may have ended between the two looks: its last events are in the store now.
                _ = try await replay(session, after: &sent, only: nil, to: send, line: line)
                return
            }
            let replayed = sent
            for await given in live {
                let event = given.event
                if let number = event.number {
                    if number <= replayed { continue }
                    sent = number
                }
                if let turn, event.turn != turn.id || event.what == turn.accepted { continue }
                let frames = if let now = given.framesAtOnce(line) { now } else { await given.frames(line) }
                for frame in frames { try await send(frame) }
                guard case .ended = event.what else { continue }
                if turn != nil { return }
                guard endsWhenIdle, try await store.isIdle(session) else { continue }
                // This end may be read late, behind it wait those of all others: they are in the store.
                _ = try await replay(session, after: &sent, only: nil, to: send, line: line)
                return
            }
            try Task.checkCancellation()
            if await hub.isFinished { throw Self.stopping }
            live = try await hub.watch(session)
        }
    }

    /// True when the end of the one turn that is asked for was among them.
    private func replay(
        _ session: SessionID, after sent: inout EventNumber, only turn: TurnID?, to send: Sink, line: Line
    ) async throws -> Bool {
        while let page = try await store.page(of: session, after: sent, only: turn) {
            for told in page.events {
                switch told {
                case .asStored(let frame): try await send(frame)
                case .toWrite(let event): for frame in await line(event) { try await send(frame) }
                }
            }
            sent = page.upTo
            if page.hasEnd, turn != nil { return true }
        }
        return false
    }
}

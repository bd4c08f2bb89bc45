public import AgentModel
import FoundationEssentials

/// One opencode process, of whichever line: its event stream, its calls, and the turns that run.
public actor OpenCodeClient: AgentClient {
    /// Who answers.
    public nonisolated let identity: AgentIdentity
    let line: any OpenCodeLine
    let policy: AnswerPolicy
    private var turns: [String: TurnInbox] = [:]
    private var left = LeftTurns()
    /// When a byte of its events came last, or the stream was begun.
    private(set) var lastHeard = ContinuousClock.now
    /// Sessions that the session of a turn started: what they ask for concerns that turn.
    private var children: [String: String] = [:]

    init(_ line: any OpenCodeLine, version: String, policy: AnswerPolicy = AnswerPolicy()) {
        self.policy = policy
        identity = AgentIdentity(version: version)
        self.line = line
    }

    /// Makes a session.
    public func openSession(title: String, directory: String) async throws(AgentFailure) -> AgentSessionID {
        do { return try await line.createSession(title: title, directory: directory) } catch {
            // There is no session that it could not know: it does not know the call.
            let failure = error.code == .unknown ? AgentFailure(.failed, error.message) : error
            throw type(of: line).beforeHandOver(failure, "it made no session")
        }
    }

    /// The directory that a session belongs to.
    public func directory(of session: AgentSessionID) async throws(AgentFailure) -> String {
        do { return try await line.directory(of: session) } catch {
            throw type(of: line).beforeHandOver(error, "it did not tell of its session")
        }
    }

    /// Stops what runs in a session.
    public func abort(_ session: AgentSessionID, directory: String) async throws(AgentFailure) {
        try await line.abort(session, directory: directory)
        // A turn that is known here tells its end itself.
        if turns[session.rawValue] == nil { try await settle(session, directory: directory) }
    }

    /// Of a turn that was begun by somebody who is gone: what it asks is refused, and its end waited for, so that nothing of
    /// it is taken for the next turn's.
    private func settle(_ session: AgentSessionID, directory: String) async throws(AgentFailure) {
        let deadline = ContinuousClock.now + Limits.stopTime
        let children = try await line.children(session, directory: directory)
        let family = Set(children).union([session.rawValue])
        for child in children { try? await line.abort(AgentSessionID(rawValue: child), directory: directory) }
        while true {
            for asked in try await line.permissions(directory: directory) where family.contains(asked.session) {
                try? await line.reply(
                    toPermission: asked.ask.id, of: asked.session, .reject, message: nil, directory: directory)
            }
            for asked in try await line.questions(directory: directory) where family.contains(asked.session) {
                try? await line.reply(toQuestion: asked.ask.id, of: asked.session, nil, directory: directory)
            }
            let state = try await line.state(session, family: family, since: PromptID.make(), directory: directory)
            if !state.isBusy, state.permissions.isEmpty, state.questions.isEmpty { return }
            guard ContinuousClock.now < deadline else {
                throw AgentFailure(.busy, "opencode was told to stop and works on in this session")
            }
            try? await Task.sleep(for: Limits.stopPause)
        }
    }

    /// Reads the event stream until it ends and gives the reason. `connected` is called when events come from now on.
    func follow(connected: @Sendable () async -> Void) async -> AgentFailure {
        let failure = await read(connected: connected)
        left.forgetAll()
        for turn in turns.values { turn.connectionLost() }
        return failure
    }

    /// The process is gone: its turns end.
    func gone(_ words: String) {
        left.forgetAll()
        for turn in turns.values { turn.gone(words) }
    }

    /// Tells the turn of a session, if there is one, what is said here to something that waits.
    func tell(_ session: AgentSessionID, _ fact: TurnFact) { turns[session.rawValue]?.post(said: fact) }

    /// Begins to collect what concerns a session; one turn at a time.
    func openInbox(for session: String) throws(AgentFailure) -> TurnInbox {
        guard turns[session] == nil else {
            throw AgentFailure(.busy, "a turn runs in this session already; wait for its end, or stop it")
        }
        let inbox = TurnInbox()
        turns[session] = inbox
        return inbox
    }

    /// Whoever listened to this turn is gone, and it goes on.
    func leave(_ session: AgentSessionID, _ inbox: TurnInbox, _ reducer: TurnReducer) {
        guard turns[session.rawValue] === inbox, let rest = inbox.takeRest() else { return }
        turns[session.rawValue] = nil
        left.leave(reducer, of: session.rawValue)
        left.hear(rest, of: session.rawValue)
    }

    /// Another turn begins in this session.
    func forgetLeft(_ session: AgentSessionID) { left.forget(session.rawValue) }

    /// What was heard of a turn since it was left.
    func takeLeft(_ session: AgentSessionID, prompt: String) -> [String: TurnReducer.Block] {
        left.take(session.rawValue, prompt: prompt)
    }

    /// Ends it; the one that somebody else may have opened by now stays.
    func close(_ inbox: TurnInbox, of session: String) {
        guard turns[session] == nil || turns[session] === inbox else { return }
        turns[session] = nil
        children = children.filter { $0.value != session }
    }

    /// True while a turn runs in a session.
    func hasTurn(_ session: String) -> Bool { turns[session] != nil }

    /// Sessions whose work and questions belong to this one: itself and those that it started.
    func family(of session: String) -> Set<String> {
        Set(children.compactMap { $0.value == session ? $0.key : nil }).union([session])
    }

    /// Adds sessions that a call said were started by this one.
    func adopt(_ sessions: [String], by parent: String) {
        guard turns[parent] != nil else { return }
        for session in sessions where children.count < Limits.turnIDs { children[session] = parent }
    }

    private func read(connected: @Sendable () async -> Void) async -> AgentFailure {
        var parser = SSEParser()
        for await input in line.events() {
            if case .ended = input {} else { lastHeard = .now }
            switch input {
            case .head(let head):
                if let failure = type(of: line).failure(ofStream: head) { return failure }
            case .bytes(let bytes):
                guard let frames = try? parser.feed(bytes) else {
                    return AgentFailure(.failed, "an event is longer than \(Limits.frameBytes >> 20) MiB")
                }
                for frame in frames.lazy.compactMap(line.frame) {
                    if frame.content == .connected { await connected() }
                    dispatch(frame)
                }
            case .ended(let failure):
                return AgentFailure(.unavailable, failure?.words ?? HTTPFailure.closed.words)
            }
        }
        return AgentFailure(.unavailable, "the event stream was left: its events came faster than they were read")
    }

    private func dispatch(_ frame: LineFrame) {
        switch frame.content {
        case .connected: for turn in turns.values { turn.connectionBack() }
        case .session(let parent?):
            if let session = frame.session { adopt([session], by: children[parent] ?? parent) }
        case .facts(let facts):
            guard let session = frame.session else { return }
            if let turn = turns[session] { return turn.post(facts) }
            left.hear(facts, of: session)
            if let parent = children[session] {
                turns[parent]?.post(facts.filter(\.concernsParent))
            } else if facts.contains(where: \.concernsParent) {
                // Perhaps a session that a turn started while nobody heard: each of them looks.
                for turn in turns.values { turn.post([.idle]) }
            }
        case .session(nil), .nothing: break
        }
    }
}

extension TurnFact {
    /// What a session that was started by another one asks for holds up that other one.
    fileprivate var concernsParent: Bool {
        switch self {
        case .permission, .question, .explaining, .answering, .notAnswered, .taken, .answered, .usage: true
        case .message, .block, .delta, .tool, .toolChanged, .blockRemoved, .withdrawn, .busy, .retrying, .idle,
            .problem, .todos, .changes,
            .notice:
            false
        }
    }
}

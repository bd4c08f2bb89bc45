import Foundation

/// The state of the stand-in: sessions and the turns that run in them.
actor EchoAgent {
    /// Sessions kept, at most.
    static let sessionLimit = 1000
    /// Prompts that wait in one session behind the running turn.
    static let waitingLimit = 8

    let broker: EventBroker
    let pause: Duration
    /// Sessions kept; a new one above that removes the one that was not used for longest.
    let sessionLimit: Int
    /// False: as opencode is before anybody logged in at a provider.
    let hasProvider: Bool
    /// A file that each turn writes into its session's directory, as an agent's tools would.
    let note: String?
    private var file: SessionFile
    private(set) var conversations: [String: Conversation]
    private var turns: [String: [Turn]] = [:]
    /// What waits for an answer, by the request's id.
    var waiting: [String: Waiting] = [:]
    /// Actions that were allowed once and for all.
    var allowed: Set<String> = []
    /// Sessions without a prompt of their own that do something for another one.
    var atWork: Set<String> = []
    /// Of this process only, by session.
    var todos: [String: [Todo]] = [:]
    /// Likewise, by the message that asked for it.
    var diffs: [String: [FileDiff]] = [:]

    /// A prompt that was accepted: running or waiting its turn.
    private struct Turn {
        var prompt: String
        var task: Task<Message, any Error>
    }

    /// The line of opencode this speaks for, and what it is.
    nonisolated var version: String { broker.line.version }

    /// Reads what the last process left.
    init(
        directory: URL, pause: Duration, broker: EventBroker, sessionLimit: Int = EchoAgent.sessionLimit,
        hasProvider: Bool = true, note: String? = nil
    ) throws {
        let (file, conversations) = try SessionFile.open(directory)
        self.file = file
        self.conversations = conversations
        self.pause = pause
        self.sessionLimit = sessionLimit
        self.hasProvider = hasProvider
        self.note = note
        self.broker = broker
        broker.remember(conversations.values.map(\.session))
    }

    /// Sessions with a turn, by directory.
    func busySessions(in directory: String) -> [String: SessionStatus] {
        var busy: [String: SessionStatus] = [:]
        for (id, waiting) in turns where !waiting.isEmpty && conversations[id]?.session.directory == directory {
            busy[id] = .busy
        }
        for id in atWork where conversations[id]?.session.directory == directory { busy[id] = .busy }
        return busy
    }

    /// The session, or 404.
    func conversation(_ id: String) throws(APIError) -> Conversation {
        guard let conversation = conversations[id] else { throw .notFound("Session not found: \(id)") }
        return conversation
    }

    /// Makes a session.
    func create(_ request: NewSession, directory: String) throws(APIError) -> Session {
        if let parent = request.parentID { _ = try conversation(parent) }
        try makeRoom()
        let now = WallClock.milliseconds
        let id = Identifier.session()
        let session = Session(
            id: id, slug: "echo-\(id.suffix(6).lowercased())", projectID: "global", directory: directory,
            path: String(directory.drop { $0 == "/" }), parentID: request.parentID,
            title: request.title ?? "New session - \(Date().formatted(.iso8601))", agent: Catalog.agentName,
            model: .init(id: Catalog.modelID, providerID: Catalog.providerID), version: version, cost: 0,
            tokens: Tokens(), time: .init(created: now, updated: now))
        conversations[id] = Conversation(session: session)
        try save(SessionFile.Record(session: session))
        broker.publish("session.created", SessionChanged(sessionID: id, info: session), directory: directory)
        return session
    }

    /// Changes title or archived time.
    func change(_ id: String, _ change: SessionChange) throws(APIError) -> Session {
        var session = try conversation(id).session
        if let title = change.title { session.title = title }
        if let archived = change.time?.archived { session.time.archived = archived }
        try update(session)
        return session
    }

    /// Ends its turns and removes it.
    func remove(_ id: String) throws(APIError) {
        let session = try conversation(id).session
        for turn in turns.removeValue(forKey: id) ?? [] { turn.task.cancel() }
        conversations[id] = nil
        try save(SessionFile.Record(removedSession: id))
        broker.publish("session.deleted", SessionChanged(sessionID: id, info: session), directory: session.directory)
    }

    /// Takes a prompt: stores it, then answers it when the turns before it are over. The task's value is the answer.
    func accept(_ prompt: Prompt, in id: String) throws(APIError) -> Task<Message, any Error> {
        try commitRevert(of: id)
        let conversation = try conversation(id)
        try check(prompt, in: conversation)
        let user = try store(prompt, in: conversation.session)
        return begin(Script(to: prompt, as: user.agent), to: user, in: id)
    }

    /// Does what is stored already, when the turns before it are over. The task's value is the answer.
    @discardableResult
    func begin(
        _ script: Script, to user: MessageInfo, in id: String, isSummary: Bool = false
    ) -> Task<Message, any Error> {
        let before = turns[id]?.last?.task
        let task = Task {
            _ = await before?.result
            // In 2.x what is stopped before it was begun stays in the inbox; in 1.x it is begun and fails.
            if broker.line == .v2, Task.isCancelled {
                finished(user.id, in: id)
                throw CancellationError()
            }
            return try await self.run(script, to: user, in: id, isSummary: isSummary)
        }
        turns[id, default: []].append(Turn(prompt: user.id, task: task))
        return task
    }

    /// Prompts whose turns run or are about to.
    func prompts(in id: String) -> [String] { (turns[id] ?? []).map(\.prompt) }

    /// True from being accepted to the end.
    func isRunning(_ prompt: String, in id: String) -> Bool { prompts(in: id).contains(prompt) }

    /// A prompt that waits is not begun when its time comes.
    func park(_ prompt: String, in id: String) {
        turns[id]?.first { $0.prompt == prompt }?.task.cancel()
        finished(prompt, in: id)
    }

    /// Removes a message.
    func forget(_ message: String, in id: String) throws(APIError) {
        conversations[id]?.remove(message)
        try save(SessionFile.Record(removedMessage: .init(sessionID: id, messageID: message)))
    }

    /// When nothing runs in a session any more.
    func rest(of id: String) async {
        while let turn = turns[id]?.last { _ = await turn.task.result }
    }

    /// Stops what runs and what waits in a session; nothing to stop is fine too.
    func abort(_ id: String) throws(APIError) {
        _ = try conversation(id)
        for turn in turns[id] ?? [] { turn.task.cancel() }
    }

    /// The turn of a prompt is over.
    func finished(_ prompt: String, in id: String) {
        turns[id]?.removeAll { $0.prompt == prompt }
        if turns[id]?.isEmpty == true { turns[id] = nil }
    }

    /// True when this prompt is the only one its session has left.
    func isLast(_ prompt: String, in id: String) -> Bool { turns[id]?.last?.prompt == prompt }

    /// Stores a changed session and says so.
    func update(_ session: Session) throws(APIError) {
        var session = session
        session.time.updated = WallClock.milliseconds
        conversations[session.id]?.session = session
        try save(SessionFile.Record(session: session))
        broker.publish(
            "session.updated", SessionChanged(sessionID: session.id, info: session), directory: session.directory)
    }

    /// Stores a message and says so; a session that was removed meanwhile keeps nothing.
    func put(_ info: MessageInfo, directory: String) throws(APIError) {
        guard conversations[info.sessionID] != nil else { return }
        conversations[info.sessionID]?.put(info)
        try save(SessionFile.Record(message: info))
        broker.publish("message.updated", MessageChanged(sessionID: info.sessionID, info: info), directory: directory)
    }

    /// Stores a part and says so.
    func put(_ part: Part, directory: String) throws(APIError) {
        guard conversations[part.sessionID] != nil else { return }
        conversations[part.sessionID]?.put(part)
        try save(SessionFile.Record(part: part))
        broker.publish(
            "message.part.updated",
            PartChanged(sessionID: part.sessionID, part: part, time: WallClock.milliseconds), directory: directory)
    }

    func check(_ prompt: Prompt, in conversation: Conversation) throws(APIError) {
        guard !prompt.parts.isEmpty else { throw .invalid("parts must not be empty") }
        guard prompt.noReply != true else { throw .invalid("the echo agent knows no noReply") }
        guard prompt.text.utf8.count <= Prompt.textLimit else {
            throw .invalid("the text has \(prompt.text.utf8.count) bytes; the echo agent takes \(Prompt.textLimit)")
        }
        if let id = prompt.messageID {
            guard id.hasPrefix("msg") else { throw .invalid("messageID must start with msg") }
            guard !conversation.messages.contains(where: { $0.info.id == id }) else {
                throw .invalid("there is a message \(id) already")
            }
        }
        guard !conversation.isFull else {
            throw .invalid("this session has \(Conversation.messageLimit) messages; start a new one")
        }
        guard turns[conversation.session.id, default: []].count <= Self.waitingLimit else {
            throw .invalid("\(Self.waitingLimit) prompts wait in this session already")
        }
    }

    private func makeRoom() throws(APIError) {
        // More than one where an agent before this one kept more.
        while conversations.count >= sessionLimit {
            let idle = conversations.values.filter { turns[$0.session.id] == nil }
            guard let oldest = idle.min(by: { $0.session.time.updated < $1.session.time.updated }) else {
                throw .invalid("\(sessionLimit) sessions are at work; remove one")
            }
            try remove(oldest.session.id)
        }
    }

    private func save(_ record: SessionFile.Record) throws(APIError) {
        do {
            if file.byteCount > SessionFile.byteLimit { try file.compact(conversations) }
            guard file.byteCount <= SessionFile.byteLimit else {
                throw APIError.storage("\(SessionFile.byteLimit >> 20) MiB of sessions are kept; delete some")
            }
            try file.append(record)
        } catch let error as APIError {
            throw error
        } catch {
            throw .storage("the session could not be written: \(error)")
        }
    }
}

/// Prompts that were accepted and not begun: what 2.x calls the inbox. It outlives the process.
extension EchoAgent {
    /// Of a session, oldest first: users' messages that nothing answers yet.
    func inbox(of id: String) throws(APIError) -> [Message] {
        let messages = try conversation(id).messages
        let begun = Set(messages.compactMap(\.info.parentID))
        return messages.filter { $0.info.role == .user && !begun.contains($0.info.id) }
    }

    /// Stores a prompt without beginning it.
    func leave(_ prompt: Prompt, in id: String) throws(APIError) -> MessageInfo {
        let conversation = try conversation(id)
        try check(prompt, in: conversation)
        return try store(prompt, in: conversation.session)
    }

    /// Begins what waits and nobody is about to begin: left by a process that was killed, by an interruption, or to wait.
    func takeUpInbox(of id: String) throws(APIError) {
        for message in try inbox(of: id) where !isRunning(message.info.id, in: id) {
            begin(Script(to: Prompt(message), as: message.info.agent), to: message.info, in: id)
        }
    }

    /// Takes a prompt back; one that was begun, or is not there, is none to take back.
    func withdraw(_ prompt: String, in id: String) throws(APIError) {
        guard try inbox(of: id).contains(where: { $0.info.id == prompt }) else { return }
        park(prompt, in: id)
        try forget(prompt, in: id)
        let directory = try conversation(id).session.directory
        broker.publish(
            "session.inbox.cancelled", PromptWithdrawn(sessionID: id, messageID: prompt), directory: directory)
    }

    /// From now on the session works as this agent or with this model; what cannot be had fails its next turn.
    func choose(agent: String? = nil, model: Session.Model? = nil, in id: String) throws(APIError) {
        var session = try conversation(id).session
        session.agent = agent ?? session.agent
        session.model = model ?? session.model
        try update(session)
    }

    /// Stops what runs; what waits stays in the inbox. False when nothing ran.
    func interrupt(_ id: String) throws(APIError) -> Bool {
        let waiting = Set(try inbox(of: id).map(\.info.id))
        let running = prompts(in: id).filter { !waiting.contains($0) }
        for prompt in waiting { park(prompt, in: id) }
        try abort(id)
        return !running.isEmpty
    }
}

extension Prompt {
    /// A stored one.
    init(_ message: Message) {
        self.init(
            parts: message.parts.map { Part(type: $0.type, id: $0.id, text: $0.text) }, messageID: message.info.id)
    }
}

/// A prompt was taken back before it was begun; 1.x has no such thing.
struct PromptWithdrawn: Encodable {
    var sessionID: String
    var messageID: String
}

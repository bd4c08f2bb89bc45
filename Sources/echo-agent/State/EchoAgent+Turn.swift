/// One turn, in the order of events that opencode 1.18 has on the wire.
extension EchoAgent {
    /// Stores the user's message: session.updated, message.updated, message.part.updated.
    func store(_ prompt: Prompt, in session: Session) throws(APIError) -> MessageInfo {
        let now = WallClock.milliseconds
        let user = MessageInfo(
            id: prompt.messageID ?? Identifier.message(), sessionID: session.id, role: .user, time: .init(created: now),
            agent: Catalog.agentName, model: .init(providerID: Catalog.providerID, modelID: Catalog.modelID))
        try update(session)
        try put(user, directory: session.directory)
        for part in prompt.parts where part.type == "text" {
            try put(
                Part(
                    id: part.id ?? Identifier.part(), sessionID: session.id, messageID: user.id, type: "text",
                    text: part.text ?? ""),
                directory: session.directory)
        }
        return user
    }

    /// Streams the answer: session.status busy, the empty assistant message, session.diff, step-start, the empty text
    /// part, its deltas, the whole part, step-finish, the finished message, session.status idle, session.idle.
    func run(_ answer: Answer, to user: MessageInfo, in id: String) async throws -> Message {
        defer { finished(user.id, in: id) }
        let directory = try conversation(id).session.directory
        broker.publish("session.status", StatusChanged(sessionID: id, status: .busy), directory: directory)
        var assistant = Self.emptyAnswer(to: user, in: id, directory: directory)
        try put(assistant, directory: directory)
        broker.publish("session.diff", SessionDiff(sessionID: id), directory: directory)
        try put(Part.make("step-start", in: assistant), directory: directory)
        let text = try await stream(answer, in: assistant, directory: directory)
        let wasAborted = Task.isCancelled
        try put(text, directory: directory)
        if wasAborted {
            assistant.error = .aborted
            broker.publish("session.error", SessionError(sessionID: id, error: .aborted), directory: directory)
        } else {
            assistant.finish = "stop"
            var step = Part.make("step-finish", in: assistant)
            (step.reason, step.cost, step.tokens) = ("stop", 0, Tokens())
            try put(step, directory: directory)
        }
        assistant.time.completed = WallClock.milliseconds
        try put(assistant, directory: directory)
        if isLast(user.id, in: id) {
            finished(user.id, in: id)
            broker.publish("session.status", StatusChanged(sessionID: id, status: .idle), directory: directory)
            broker.publish("session.idle", SessionOnly(sessionID: id), directory: directory)
        }
        return try conversation(id).messages.last { $0.info.id == assistant.id } ?? Message(info: assistant, parts: [])
    }

    /// The text part, complete or as far as it came before the turn was cancelled. Deltas are not stored.
    private func stream(_ answer: Answer, in message: MessageInfo, directory: String) async throws -> Part {
        var part = Part.make("text", in: message)
        part.text = ""
        part.time = .init(start: WallClock.milliseconds)
        try put(part, directory: directory)
        for (index, word) in answer.words.enumerated() {
            do { try await Task.sleep(for: answer.pause(before: index) ?? pause) } catch { break }
            part.text? += word
            broker.publish(
                "message.part.delta",
                PartDelta(sessionID: message.sessionID, messageID: message.id, partID: part.id, delta: word),
                directory: directory)
        }
        part.time?.end = WallClock.milliseconds
        return part
    }

    private static func emptyAnswer(to user: MessageInfo, in id: String, directory: String) -> MessageInfo {
        MessageInfo(
            id: Identifier.message(), sessionID: id, role: .assistant, time: .init(created: WallClock.milliseconds),
            agent: Catalog.agentName, parentID: user.id, modelID: Catalog.modelID, providerID: Catalog.providerID,
            mode: Catalog.agentName, path: .init(cwd: directory, root: "/"), cost: 0, tokens: Tokens())
    }
}

extension Part {
    /// An empty part of a message.
    fileprivate static func make(_ type: String, in message: MessageInfo) -> Part {
        Part(id: Identifier.part(), sessionID: message.sessionID, messageID: message.id, type: type)
    }
}

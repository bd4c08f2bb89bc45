extension EchoAgent {
    /// A command is the prompt that its template makes of the arguments.
    func call(_ command: CommandRequest, in id: String) throws(APIError) -> Task<Message, any Error> {
        guard let known = Catalog.commands.first(where: { $0.name == command.command }) else {
            throw .invalid("Command not found: \"\(command.command)\"")
        }
        var model: MessageInfo.Model?
        if let parts = command.model?.split(separator: "/", maxSplits: 1).map(String.init), parts.count == 2 {
            model = .init(providerID: parts[0], modelID: parts[1])
        }
        let words = command.arguments
        let text = known.template.split(separator: "$ARGUMENTS", omittingEmptySubsequences: false).joined(
            separator: words)
        return try accept(
            Prompt(
                parts: [.init(type: "text", id: nil, text: text)], messageID: command.messageID, agent: command.agent,
                model: model, noReply: nil), in: id)
    }

    /// A message that asks for it and the summary as its answer, as opencode has them; the echo itself remembers nothing.
    func summarize(_ wanted: SummaryRequest, in id: String) async throws {
        _ = try await beginSummary(wanted, message: Identifier.message(), in: id).value
    }

    /// The same with an id for the message that asks; the task's end is the summary's.
    @discardableResult
    func beginSummary(
        _ wanted: SummaryRequest, message: String, in id: String
    ) throws(APIError) -> Task<Void, any Error> {
        try commitRevert(of: id)
        let conversation = try conversation(id)
        let directory = conversation.session.directory
        let asked = conversation.messages.filter { $0.info.role == .user }.count
        let user = MessageInfo(
            id: message, sessionID: id, role: .user, time: .init(created: WallClock.milliseconds),
            agent: conversation.session.agent, model: .init(providerID: wanted.providerID, modelID: wanted.modelID))
        try put(user, directory: directory)
        var part = Part(id: Identifier.part(), sessionID: id, messageID: user.id, type: "compaction")
        part.auto = false
        try put(part, directory: directory)
        let words = ["So ", "far ", "you ", "wrote ", "\(asked) ", "times."]
        let summary = begin(Script(steps: [.say(words, slow: 0)]), to: user, in: id, isSummary: true)
        return Task {
            _ = try await summary.value
            broker.publish(
                "session.compacted", SessionCompacted(sessionID: id, summary: words.joined()), directory: directory)
        }
    }
}

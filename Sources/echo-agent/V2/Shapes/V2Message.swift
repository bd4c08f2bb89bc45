/// Messages as 2.x has them, made of those of 1.x that the stand-in keeps.
enum V2Message {
    /// `session.step.ended`, and what was used.
    static func ended(_ info: MessageInfo, files: [String]) -> [V2Event] {
        [
            .kept(
                "session.step.ended", in: info.sessionID,
                [
                    "sessionID": .text(info.sessionID), "assistantMessageID": .text(info.id),
                    "finish": .text(info.finish ?? "stop"), "cost": .number(info.cost ?? 0),
                    "tokens": tokens(info.tokens), "files": files.isEmpty ? nil : .list(files.map(Shape.text)),
                ]),
            .told(
                "session.usage.updated",
                [
                    "sessionID": .text(info.sessionID), "cost": .number(info.cost ?? 0),
                    "tokens": tokens(info.tokens),
                ]),
        ]
    }

    /// `session.step.failed`
    static func failed(_ info: MessageInfo, _ problem: MessageInfo.Problem) -> V2Event {
        .kept(
            "session.step.failed", in: info.sessionID,
            [
                "sessionID": .text(info.sessionID), "assistantMessageID": .text(info.id), "error": error(problem),
            ])
    }

    /// `session.inbox.enqueued`
    static func enqueued(_ part: Part) -> V2Event {
        .kept(
            "session.inbox.enqueued", in: part.sessionID,
            [
                "sessionID": .text(part.sessionID), "inboxID": .text(part.messageID),
                "item": ["type": "user", "payload": ["text": .text(part.text ?? "")], "delivery": "queue"],
            ])
    }

    /// An element of GET /api/session/{id}/inbox, and the answer to a prompt.
    static func waiting(_ message: Message) -> Shape {
        [
            "id": .text(message.info.id), "sessionID": .text(message.info.sessionID),
            "time": ["created": .time(message.info.time.created)], "type": "user",
            "payload": ["text": .text(message.text), "metadata": message.info.metadata], "delivery": "queue",
        ]
    }

    /// A user's message.
    static func user(_ message: Message) -> Shape {
        [
            "id": .text(message.info.id), "type": "user", "time": ["created": .time(message.info.time.created)],
            "text": .text(message.text), "metadata": message.info.metadata,
        ]
    }

    /// An assistant's message; `wasDeclined`: a plain no ended the turn in it.
    static func assistant(_ message: Message, wasDeclined: Bool, files: [String]) -> Shape {
        let info = message.info
        let problem = wasDeclined ? MessageInfo.Problem.aborted : info.error
        return [
            "id": .text(info.id), "type": "assistant",
            "time": ["created": .time(info.time.created), "completed": .time(info.time.completed)],
            "agent": .text(info.agent), "model": model(info), "content": .list(message.parts.compactMap(content)),
            "finish": problem == nil ? .maybe(info.finish) : "error", "error": problem.map(error),
            "cost": .number(info.cost ?? 0), "tokens": tokens(info.tokens),
            "snapshot": files.isEmpty ? nil : ["files": .list(files.map(Shape.text))],
        ]
    }

    /// A summary, which 1.x has as a message with its answer.
    static func compaction(_ message: Message, summary: Message) -> Shape {
        [
            "id": .text(message.info.id), "type": "compaction", "status": "completed", "reason": "manual",
            "time": ["created": .time(message.info.time.created)], "summary": .text(summary.text),
        ]
    }

    /// The mark of a run's end.
    static func idle(after message: Message, wasDeclined: Bool) -> Shape {
        let problem = wasDeclined ? MessageInfo.Problem.aborted : message.info.error
        let isAbort = problem?.name == MessageInfo.Problem.aborted.name
        let outcome: Shape = problem == nil ? "succeeded" : isAbort ? "interrupted" : "failed"
        return [
            "id": .text(message.info.id + "-idle"), "type": "idle",
            "time": ["created": .time(message.info.time.completed ?? message.info.time.created)], "outcome": outcome,
            "error": isAbort ? nil : problem.map(error),
        ]
    }

    private static func content(_ part: Part) -> Shape? {
        switch part.type {
        // Stored when it is whole.
        case "text": ["type": "text", "text": .text(part.time?.end == nil ? "" : part.text ?? "")]
        case "reasoning":
            [
                "type": "reasoning", "text": .text(part.time?.end == nil ? "" : part.text ?? ""),
                "time": ["created": .time(part.time?.start ?? 0), "completed": .time(part.time?.end)],
            ]
        case "tool": tool(part)
        case _: nil
        }
    }

    private static func tool(_ part: Part) -> Shape? {
        guard let state = part.state else { return nil }
        let input = Shape.object(state.input.mapValues(Shape.text))
        let shown: Shape =
            switch state.status {
            case .pending: ["status": "streaming", "input": ""]
            case .running:
                [
                    "status": "running", "input": input,
                    "metadata": .object((state.metadata ?? [:]).mapValues(Shape.text)),
                ]
            case .completed: ["status": "completed", "input": input, "content": output(state.output)]
            case .error: ["status": "error", "input": input, "error": toolError(state.error)]
            }
        return [
            "type": "tool", "id": .text(part.callID ?? part.id), "name": .text(toolName(part.tool ?? "")),
            "state": shown,
            "time": ["created": .time(state.time?.start ?? 0), "completed": .time(state.time?.end)],
        ]
    }

    /// What some tools and permissions are called now.
    static func toolName(_ name: String) -> String { ["bash": "shell", "task": "subagent"][name] ?? name }

    static func output(_ output: String?) -> Shape { [["type": "text", "text": .text(output ?? "")]] }

    static func toolError(_ message: String?) -> Shape {
        ["type": "aborted", "message": .text(message ?? "Tool execution interrupted")]
    }

    static func model(_ info: MessageInfo) -> Shape {
        ["id": .text(info.modelID ?? Catalog.modelID), "providerID": .text(info.providerID ?? Catalog.providerID)]
    }

    static func tokens(_ tokens: Tokens?) -> Shape {
        let tokens = tokens ?? Tokens()
        return [
            "input": .number(Double(tokens.input)), "output": .number(Double(tokens.output)),
            "reasoning": .number(Double(tokens.reasoning)),
            "cache": ["read": .number(Double(tokens.cache.read)), "write": .number(Double(tokens.cache.write))],
        ]
    }

    static func error(_ problem: MessageInfo.Problem) -> Shape {
        let type: Shape =
            switch (problem.name, problem.data.statusCode) {
            case (MessageInfo.Problem.aborted.name, _): "aborted"
            case ("ProviderAuthError", _): "provider.auth"
            case (_, 429): "provider.rate-limit"
            case (_, .some): "provider.internal"
            case (_, nil): "unknown"
            }
        return [
            "type": type, "message": .text(problem.data.message),
            "status": problem.data.statusCode.map { .number(Double($0)) },
        ]
    }
}

extension Message {
    /// All its text.
    var text: String { parts.compactMap { $0.type == "text" ? $0.text : nil }.joined(separator: "\n") }
}

/// Sessions as 2.x has them.
enum V2Session {
    static func info(_ conversation: Conversation, outcome: Shape?) -> Shape {
        let session = conversation.session
        return [
            "id": .text(session.id), "parentID": .maybe(session.parentID), "projectID": .text(session.projectID),
            "agent": .text(session.agent), "model": model(session.model), "cost": .number(session.cost),
            "tokens": V2Message.tokens(session.tokens), "outcome": outcome,
            "time": [
                "created": .time(session.time.created), "updated": .time(session.time.updated),
                "archived": .time(session.time.archived),
            ],
            "title": .text(session.title), "location": place(session.directory),
            "revert": session.revert.map { ["messageID": .text($0.messageID)] },
            "fork": session.metadata?.fork.map {
                [
                    "sessionID": .text($0.sessionID),
                    "boundary": ["type": "before", "messageID": .text($0.before)],
                ]
            },
        ]
    }

    /// How the last run ended.
    static func outcome(_ timeline: [Shape]) -> Shape? { timeline.last { $0["type"] == "idle" }?["outcome"] }

    static func model(_ model: Session.Model) -> Shape {
        ["id": .text(model.id), "providerID": .text(model.providerID)]
    }

    static func place(_ directory: String) -> Shape { ["directory": .text(directory)] }
}

extension EchoAgent {
    /// Sessions with a turn, and those that do something for another one.
    var activeSessions: Set<String> { Set(conversations.keys.filter { !prompts(in: $0).isEmpty }).union(atWork) }

    /// The messages of a session in 2.x: each prompt that was begun, its answers, and the mark of the end when there is one.
    func timeline(of id: String) throws(APIError) -> [Shape] {
        let conversation = try conversation(id)
        var shapes: [Shape] = []
        for prompt in conversation.messages where prompt.info.role == .user {
            let answers = conversation.messages.filter { $0.info.parentID == prompt.info.id }
            guard let last = answers.last else { continue }
            if prompt.parts.contains(where: { $0.type == "compaction" }) {
                shapes.append(V2Message.compaction(prompt, summary: last))
                continue
            }
            let isOver = !isRunning(prompt.info.id, in: id) && (last.info.error != nil || last.info.finish != nil)
            let wasDeclined = isOver && last.info.finish == "tool-calls"
            let files = (diffs[prompt.info.id] ?? []).map(\.file)
            shapes.append(V2Message.user(prompt))
            for answer in answers {
                let isLast = answer.info.id == last.info.id
                shapes.append(
                    V2Message.assistant(
                        answer, wasDeclined: isLast && wasDeclined, files: isLast && isOver ? files : []))
            }
            if isOver { shapes.append(V2Message.idle(after: last, wasDeclined: wasDeclined)) }
        }
        return shapes
    }
}

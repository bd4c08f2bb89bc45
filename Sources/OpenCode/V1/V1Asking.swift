import AgentModel

/// permission.replied, question.replied, question.rejected
struct V1Answered: Decodable {
    let requestID: String
    private let reply: PermissionReply?

    func fact(of type: String) -> TurnFact {
        switch type {
        case "question.replied": .answered(id: requestID, .answered)
        case "question.rejected": .answered(id: requestID, .dismissed)
        case _: .answered(id: requestID, reply.map { .init($0) } ?? .unknown)
        }
    }
}

/// permission.asked, and an element of GET /permission
struct V1Permission: Decodable {
    let id: String
    let sessionID: String
    private let permission: String
    private let patterns: [String]?
    private let always: [String]?
    private let tool: V1ToolPlace?
    private let metadata: ToolInput?

    /// The whole command, or what an edit would change: the patterns alone may hide half of it.
    var ask: PermissionAsk {
        let details = ["diff", "command", "description", "filepath"].lazy.compactMap { metadata?[$0] }.first
        return PermissionAsk(
            id: id, action: permission, resources: patterns ?? [], always: always ?? [], tool: tool?.toolCall,
            details: details)
    }
}

/// question.asked, and an element of GET /question
struct V1Question: Decodable {
    let id: String
    let sessionID: String
    private let questions: [Item]
    private let tool: V1ToolPlace?

    private struct Item: Decodable {
        let question: String
        let header: String?
        let options: [Option]?
        let multiple: Bool?
        let custom: Bool?

        struct Option: Decodable {
            let label: String
            let description: String?
        }
    }

    /// Own words are taken unless the request says that they are not.
    var ask: QuestionAsk {
        QuestionAsk(
            id: id,
            questions: questions.map { item in
                .init(
                    header: item.header ?? "", question: item.question,
                    options: (item.options ?? []).map { .init(label: $0.label, description: $0.description ?? "") },
                    multiple: item.multiple ?? false, custom: item.custom ?? true)
            }, tool: tool?.toolCall)
    }
}

/// Which tool call something is about.
struct V1ToolPlace: Decodable {
    let messageID: String
    let callID: String

    /// As `ToolCall.id`.
    var toolCall: String { Self.toolCall(messageID, callID) }

    /// Providers number calls in each answer anew: only with the message it is unique.
    static func toolCall(_ message: String, _ call: String) -> String { "\(message)/\(call)" }
}

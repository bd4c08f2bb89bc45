import AgentModel

/// permission.asked, and an element of GET /api/permission/request
struct V2Permission: Decodable {
    let id: String
    let sessionID: String
    private let action: String
    private let resources: [String]
    private let save: [String]?
    private let metadata: ToolInput?
    private let source: V2Source?
    private let message: String?

    /// The whole command, or what an edit would change: the resources alone may hide half of it.
    var ask: PermissionAsk {
        let details = ["diff", "command", "description", "filepath"].lazy.compactMap { metadata?[$0] }.first
        return PermissionAsk(
            id: id, action: action, resources: resources, always: save ?? [], tool: source?.toolCall,
            details: details ?? message)
    }
}

/// Which tool call something is about.
struct V2Source: Decodable {
    private let messageID: String
    private let id: String

    /// As `ToolCall.id`.
    var toolCall: String { V2Tool.id(id, in: messageID) }
}

/// permission.replied
struct V2PermissionReplied: Decodable {
    let requestID: String
    private let reply: PermissionReply?

    var fact: TurnFact { .answered(id: requestID, reply.map { .init($0) } ?? .unknown) }
}

/// form.replied, form.cancelled
struct V2FormSettled: Decodable {
    let id: String
}

/// form.created
struct V2FormCreated: Decodable {
    let form: V2Form
}

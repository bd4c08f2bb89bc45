/// permission.asked, and an element of GET /permission
struct PermissionRequest: Encodable, Sendable {
    var id: String
    var sessionID: String
    var permission: String
    var patterns: [String]
    var metadata: [String: String]
    var always: [String]
    var tool: ToolPlace
}

/// question.asked, and an element of GET /question
struct QuestionRequest: Encodable, Sendable {
    var id: String
    var sessionID: String
    var questions: [Question]
    var tool: ToolPlace

    struct Question: Encodable, Sendable {
        var question: String
        var header: String
        var options: [Option]
        var multiple: Bool
        var custom: Bool
    }

    struct Option: Encodable, Sendable {
        var label: String
        var description: String
    }
}

/// Which call of a tool is waiting.
struct ToolPlace: Encodable, Sendable {
    var messageID: String
    var callID: String
}

/// Body of POST /permission/{id}/reply
struct PermissionAnswer: Decodable, Sendable {
    var reply: Reply
    var message: String?

    enum Reply: String, Codable, Sendable {
        case once, always, reject
    }
}

/// Body of POST /question/{id}/reply
struct QuestionAnswer: Decodable, Sendable {
    var answers: [[String]]
}

/// permission.replied
struct PermissionReplied: Encodable {
    var sessionID: String
    var requestID: String
    var reply: PermissionAnswer.Reply
}

/// question.replied
struct QuestionReplied: Encodable {
    var sessionID: String
    var requestID: String
    var answers: [[String]]
}

/// question.rejected
struct QuestionRejected: Encodable {
    var sessionID: String
    var requestID: String
}

/// Something to do.
struct Todo: Encodable, Sendable {
    var content: String
    var status: String
    var priority: String
}

/// todo.updated
struct TodoUpdated: Encodable {
    var sessionID: String
    var todos: [Todo]
}

/// What was changed in a file.
struct FileDiff: Encodable, Sendable {
    var file: String
    var patch: String
    var additions: Int
    var deletions: Int
    var status: String
}

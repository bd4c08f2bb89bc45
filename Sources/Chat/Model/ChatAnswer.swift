public import AgentModel

/// What a client says to the agent's question or request for leave.
public enum ChatAnswer: Hashable, Sendable {
    /// To a request for leave; a message goes with a no.
    case permission(PermissionReply, message: String?)
    /// To a question: for each one asked at once the labels chosen, or own words.
    case question([[String]])
    /// The question is put aside.
    case dismiss
}

extension ChatAnswer: Decodable {
    private enum Key: String, CodingKey {
        case reply, message, answers
    }

    /// `"reply":"once"|"always"|"reject"` (with `message`), `"reply":"dismiss"`, or `"answers":[["label"],…]`.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        if let answers = try fields.decodeIfPresent([[String]].self, forKey: .answers) {
            self = .question(answers)
        } else if try fields.decode(String.self, forKey: .reply) == "dismiss" {
            self = .dismiss
        } else {
            self = .permission(
                try fields.decode(PermissionReply.self, forKey: .reply),
                message: try fields.decodeIfPresent(String.self, forKey: .message))
        }
    }
}

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

extension ChatEvent {
    /// What an answer may be to.
    enum Asking: Hashable, Sendable {
        case permission(PermissionAsk)
        case question(QuestionAsk)

        /// Under which it waits.
        var id: String {
            switch self {
            case .permission(let ask): ask.id
            case .question(let ask): ask.id
            }
        }
    }
}

extension ChatEvent.What {
    /// What waits for an answer.
    var asking: ChatEvent.Asking? {
        if case .permission(let ask) = self { return .permission(ask) }
        if case .question(let ask) = self { return .question(ask) }
        return nil
    }
}

extension ChatAnswer {
    /// What it is that takes other answers than this one, and which; nil: it takes this one.
    func objection(to asking: ChatEvent.Asking) -> String? {
        switch (asking, self) {
        case (.permission, .permission), (.question, .question), (.question, .dismiss): nil
        case (.permission, .question), (.permission, .dismiss):
            #"a permission: it takes "reply":"once", "always" or "reject""#
        case (.question, .permission):
            #"a question: it takes "answers":[["label"]], a list for each question, or "reply":"dismiss""#
        }
    }
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

extension ChatEvent.What {
    /// What came of the asking under an id, where this tells it.
    func answered(_ id: String) -> Answered? {
        if case .answered(let answered) = self, answered.id == id { answered } else { nil }
    }
}

import Foundation

/// An event of a turn as chat-bridge tells it (docs/chat.md), as far as it is shown here. The types of `Chat` are not
/// used: this worker is a client of the protocol like any other, without SQLite.
public struct ChatLine: Decodable, Sendable {
    /// A tool call.
    public struct Tool: Decodable, Sendable {
        /// Its id.
        public var id: String
        /// Its name.
        public var name: String
        /// How it stands.
        public var status: String
        /// What it does, in words.
        public var title: String
    }

    /// One question of the agent.
    public struct Question: Decodable, Hashable, Sendable {
        /// One thing to choose.
        public struct Option: Decodable, Hashable, Sendable {
            /// What goes back.
            public var label: String
            /// More about it.
            public var description: String?
        }
        /// A word or two.
        public var header: String?
        /// The question.
        public var question: String
        /// What to choose from.
        public var options: [Option]
        /// Several may be chosen.
        public var multiple: Bool?
    }

    /// The kind.
    public var type: String
    /// The session.
    public var session: String?
    /// Of `text`, `accepted`, `notice`.
    public var text: String?
    /// Of `text`.
    public var block: String?
    /// The text is the block, not something behind it.
    public var whole: Bool?
    /// Of `tool`.
    public var tool: Tool?
    /// Of what the agent asks.
    public var id: String?
    /// What it wants leave for.
    public var action: String?
    /// To what.
    public var resources: [String]?
    /// The whole command, or a diff.
    public var details: String?
    /// Of `question`.
    public var questions: [Question]?
    /// Of `answered`.
    public var answer: String?
    /// Of `ended`.
    public var state: String?
    /// Of `ended` and `waiting`.
    public var reason: String?

    private enum CodingKeys: String, CodingKey {
        case type, session, text, block, whole, tool, id, action, resources, details, questions, answer, state, reason
    }

    /// Reads one; `tool` of a permission is an id, and is not needed.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        type = try fields.decode(String.self, forKey: .type)
        session = try fields.decodeIfPresent(String.self, forKey: .session)
        text = try fields.decodeIfPresent(String.self, forKey: .text)
        block = try fields.decodeIfPresent(String.self, forKey: .block)
        whole = try fields.decodeIfPresent(Bool.self, forKey: .whole)
        tool = try? fields.decodeIfPresent(Tool.self, forKey: .tool)
        id = try fields.decodeIfPresent(String.self, forKey: .id)
        action = try fields.decodeIfPresent(String.self, forKey: .action)
        resources = try fields.decodeIfPresent([String].self, forKey: .resources)
        details = try fields.decodeIfPresent(String.self, forKey: .details)
        questions = try fields.decodeIfPresent([Question].self, forKey: .questions)
        answer = try fields.decodeIfPresent(String.self, forKey: .answer)
        state = try fields.decodeIfPresent(String.self, forKey: .state)
        reason = try fields.decodeIfPresent(String.self, forKey: .reason)
    }

    /// Nil for what is no event.
    public init?(json: [UInt8]) {
        guard let line = try? JSONDecoder().decode(ChatLine.self, from: Data(json)) else { return nil }
        self = line
    }
}

/// The agent wants leave to do something, and waits.
public struct PermissionAsk: Hashable, Sendable, Codable {
    /// The agent's id of the request.
    public var id: String
    /// What it wants to do ("bash", "edit", "external_directory").
    public var action: String
    /// To what: commands, files, addresses.
    public var resources: [String]
    /// Patterns that `always` would allow from now on; empty: the agent did not say.
    public var always: [String]
    /// The tool call it is for (`ToolCall.id`).
    public var tool: String?
    /// More to judge by: the whole command, or a diff.
    public var details: String?
    /// What comes of it when nobody answers; nil: that is not known.
    public var unanswered: Unanswered?

    /// All fields but the last, which is told when it is asked.
    public init(
        id: String, action: String, resources: [String], always: [String] = [], tool: String? = nil,
        details: String? = nil
    ) {
        self.id = id
        self.action = action
        self.resources = resources
        self.always = always
        self.tool = tool
        self.details = details
    }
}

/// The agent asks one or more questions at once, and waits.
public struct QuestionAsk: Hashable, Sendable, Codable {
    /// The agent's id of the request.
    public var id: String
    /// In the order in which answers are given.
    public var questions: [Question]
    /// The tool call it is for (`ToolCall.id`).
    public var tool: String?
    /// What comes of it when nobody answers; nil: that is not known.
    public var unanswered: Unanswered?

    /// All fields but the last, which is told when it is asked.
    public init(id: String, questions: [Question], tool: String? = nil) {
        self.id = id
        self.questions = questions
        self.tool = tool
    }

    /// One question.
    public struct Question: Hashable, Sendable, Codable {
        /// A word or two ("Database"); may be empty.
        public var header: String
        /// The question itself.
        public var question: String
        /// What to choose from; may be empty when `custom` is true.
        public var options: [Option]
        /// True when several may be chosen.
        public var multiple: Bool
        /// True when an answer in own words is taken.
        public var custom: Bool

        /// All fields.
        public init(header: String, question: String, options: [Option], multiple: Bool, custom: Bool) {
            self.header = header
            self.question = question
            self.options = options
            self.multiple = multiple
            self.custom = custom
        }
    }

    /// One thing to choose.
    public struct Option: Hashable, Sendable, Codable {
        /// What the answer holds when it is chosen.
        public var label: String
        /// What it means; may be empty.
        public var description: String

        /// Both.
        public init(label: String, description: String) {
            self.label = label
            self.description = description
        }
    }
}

/// What is said to the agent when nobody answers in time.
public struct Unanswered: Hashable, Sendable, Codable {
    /// This.
    public var answer: Answered.Answer
    /// At this time, in milliseconds since 1970.
    public var at: Int64

    /// Both.
    public init(answer: Answered.Answer, at: Int64) {
        self.answer = answer
        self.at = at
    }
}

/// What can be said to a request for leave.
public enum PermissionReply: String, Hashable, Sendable, Codable {
    /// This time.
    case once
    /// This time, and whenever the same is asked as long as the agent's process lives.
    case always
    /// No; the agent is told so.
    case reject
}

/// A request for leave or a question was answered, or does not wait any more.
public struct Answered: Hashable, Sendable, Codable {
    /// The id of the request.
    public var id: String
    /// What was said.
    public var answer: Answer
    /// Who said it.
    public var by: Author
    /// Which device or program it was, by its name; known to who passes answers on, never said by an agent.
    public var who: String?
    /// What was chosen of each question's options; nil for own words, which are not kept. Likewise.
    public var chosen: [[String?]]?

    /// What an agent knows of it.
    public init(id: String, answer: Answer, by: Author) {
        self.id = id
        self.answer = answer
        self.by = by
    }

    /// What was said; the first three to a request for leave.
    public enum Answer: String, Hashable, Sendable, Codable {
        case once, always, reject
        /// The question was answered.
        case answered
        /// The question was put aside without an answer.
        case dismissed
        /// It does not wait any more; what was said is not known.
        case unknown
    }

    /// Who said it.
    public enum Author: String, Hashable, Sendable, Codable {
        /// Somebody who talks to the agent through Nexus.
        case user
        /// Nobody did in time: the answer set in Supervisor.toml.
        case `default`
        /// Another client of the agent.
        case elsewhere
    }
}

extension Answered.Answer {
    /// What was said to a request for leave.
    public init(_ reply: PermissionReply) {
        switch reply {
        case .once: self = .once
        case .always: self = .always
        case .reject: self = .reject
        }
    }

    /// Back; nil: it is no answer to a request for leave.
    public var reply: PermissionReply? {
        switch self {
        case .once: .once
        case .always: .always
        case .reject: .reject
        case .answered, .dismissed, .unknown: nil
        }
    }
}

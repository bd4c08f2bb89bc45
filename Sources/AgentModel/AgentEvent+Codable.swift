// The JSON of what happens in a turn: one object a frame, `event` says which. Written down in docs/agent.md.
extension AgentEvent: Codable {
    private enum Key: String, CodingKey {
        case event, prompt, block, text, tool, todos, changes, usage
    }

    private enum Kind: String, Codable {
        case turnStarted = "turn-started"
        case textDelta = "text-delta"
        case textBlock = "text-block"
        case reasoningDelta = "reasoning-delta"
        case tool
        case permissionAsked = "permission-asked"
        case questionAsked = "question-asked"
        case answered, todos, changes, usage
        case notice
        case turnEnded = "turn-ended"
    }

    /// `{"event":"text-delta","block":…,"text":…}` and so on; an unknown `event` is refused.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        func text(_ key: Key) throws -> String { try fields.decode(String.self, forKey: key) }
        switch try fields.decode(Kind.self, forKey: .event) {
        case .turnStarted: self = .turnStarted(prompt: try fields.decodeIfPresent(String.self, forKey: .prompt))
        case .textDelta: self = .textDelta(block: try text(.block), text: try text(.text))
        case .textBlock: self = .textBlock(block: try text(.block), text: try text(.text))
        case .reasoningDelta: self = .reasoningDelta(block: try text(.block), text: try text(.text))
        case .tool: self = .tool(try fields.decode(ToolCall.self, forKey: .tool))
        case .permissionAsked: self = .permissionAsked(try PermissionAsk(from: decoder))
        case .questionAsked: self = .questionAsked(try QuestionAsk(from: decoder))
        case .answered: self = .answered(try Answered(from: decoder))
        case .todos: self = .todos(try fields.decode([Todo].self, forKey: .todos))
        case .changes: self = .changes(try fields.decode([FileChange].self, forKey: .changes))
        case .usage: self = .usage(try fields.decode(Usage.self, forKey: .usage))
        case .notice: self = .notice(try text(.text))
        case .turnEnded: self = .turnEnded(try TurnOutcome(from: decoder))
        }
    }

    /// As `init(from:)` reads it.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(kind, forKey: .event)
        switch self {
        case .turnStarted(let prompt): try fields.encodeIfPresent(prompt, forKey: .prompt)
        case .textDelta(let block, let text), .textBlock(let block, let text), .reasoningDelta(let block, let text):
            try fields.encode(block, forKey: .block)
            try fields.encode(text, forKey: .text)
        case .tool(let call): try fields.encode(call, forKey: .tool)
        case .permissionAsked(let ask): try ask.encode(to: encoder)
        case .questionAsked(let ask): try ask.encode(to: encoder)
        case .answered(let answered): try answered.encode(to: encoder)
        case .todos(let todos): try fields.encode(todos, forKey: .todos)
        case .changes(let changes): try fields.encode(changes, forKey: .changes)
        case .usage(let usage): try fields.encode(usage, forKey: .usage)
        case .notice(let text): try fields.encode(text, forKey: .text)
        case .turnEnded(let outcome): try outcome.encode(to: encoder)
        }
    }

    private var kind: Kind {
        switch self {
        case .turnStarted: .turnStarted
        case .textDelta: .textDelta
        case .textBlock: .textBlock
        case .reasoningDelta: .reasoningDelta
        case .tool: .tool
        case .permissionAsked: .permissionAsked
        case .questionAsked: .questionAsked
        case .answered: .answered
        case .todos: .todos
        case .changes: .changes
        case .usage: .usage
        case .notice: .notice
        case .turnEnded: .turnEnded
        }
    }
}

extension TurnOutcome: Codable {
    private enum Key: String, CodingKey {
        case outcome, reason
    }

    private enum Kind: String, Codable {
        case done, interrupted, failed
    }

    /// `{"outcome":"done"}` or `{"outcome":"interrupted"|"failed","reason":…}`, beside the event's own fields.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        switch try fields.decode(Kind.self, forKey: .outcome) {
        case .done: self = .done
        case .interrupted: self = .interrupted(reason: try fields.decode(String.self, forKey: .reason))
        case .failed: self = .failed(reason: try fields.decode(String.self, forKey: .reason))
        }
    }

    /// As `init(from:)` reads it.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        switch self {
        case .done:
            try fields.encode(Kind.done, forKey: .outcome)
        case .interrupted(let reason):
            try fields.encode(Kind.interrupted, forKey: .outcome)
            try fields.encode(reason, forKey: .reason)
        case .failed(let reason):
            try fields.encode(Kind.failed, forKey: .outcome)
            try fields.encode(reason, forKey: .reason)
        }
    }
}

/// The one event model for every line of opencode: what happens in a turn.
public enum AgentEvent: Hashable, Sendable {
    /// The agent took the turn up; with the id that the prompt has there, by which it can be forked from and taken back.
    case turnStarted(prompt: String? = nil)
    /// Text to append to the block with this id.
    case textDelta(block: String, text: String)
    /// The whole text of a block: replaces what was streamed of it (sent after a re-read, and when a block is complete).
    case textBlock(block: String, text: String)
    /// Reasoning to append.
    case reasoningDelta(block: String, text: String)
    /// A tool call's state, whole each time.
    case tool(ToolCall)
    /// The agent wants leave to do something and waits.
    case permissionAsked(PermissionAsk)
    /// The agent asks a question and waits.
    case questionAsked(QuestionAsk)
    /// Neither waits any more.
    case answered(Answered)
    /// The list of things to do, whole each time.
    case todos([Todo])
    /// The files that were changed in the session so far, whole each time.
    case changes([FileChange])
    /// What the turn used so far, whole each time.
    case usage(Usage)
    /// Something the user should read ("retrying in 8 s: overloaded").
    case notice(String)
    /// The last event of every turn.
    case turnEnded(TurnOutcome)
}

/// How a turn ended.
public enum TurnOutcome: Hashable, Sendable {
    /// The agent finished.
    case done
    /// It was stopped, or the agent went away; the words say which.
    case interrupted(reason: String)
    /// It could not be done; the words say why and what to do.
    case failed(reason: String)
}

/// One tool call of the agent.
public struct ToolCall: Hashable, Sendable, Codable {
    /// Its id.
    public var id: String
    /// The tool's name.
    public var name: String
    /// Where it stands.
    public var status: Status
    /// One line about it.
    public var title: String
    /// What it was called with, a field a line (`command: ls`), cut at 4 KiB; nil: that is not known (yet).
    public var input: String?
    /// Output so far, cut at 16 KiB.
    public var output: String

    /// States of a tool call.
    public enum Status: String, Hashable, Sendable, Codable {
        case pending, running, completed, failed
        /// Its turn ended before it did: said by who keeps it, never by an agent.
        case brokenOff = "broken-off"
    }

    /// All fields.
    public init(id: String, name: String, status: Status, title: String, input: String? = nil, output: String) {
        self.id = id
        self.name = name
        self.status = status
        self.title = title
        self.input = input
        self.output = output
    }
}

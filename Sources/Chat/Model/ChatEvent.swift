public import AgentModel

/// Something that happens in a session; what clients see, live and when they read it again.
public struct ChatEvent: Hashable, Sendable {
    /// Its place in the session. Nil: it is only of this moment, or a part of the numbered event that follows it.
    public var number: EventNumber?
    /// Session.
    public var session: SessionID
    /// Turn.
    public var turn: TurnID
    /// What.
    public var what: What

    /// All fields.
    public init(number: EventNumber?, session: SessionID, turn: TurnID, what: What) {
        self.number = number
        self.session = session
        self.turn = turn
        self.what = what
    }

    /// The kinds of event.
    public enum What: Hashable, Sendable {
        /// The message is stored.
        case accepted(text: String, attachments: [Attachment] = [])
        /// The turn cannot go to the agent yet; only of this moment.
        case waiting(why: String)
        /// It is handed to the agent.
        case started
        /// Text of a block: appended, or in place of all that came of it.
        case text(block: String, text: String, replaces: Bool)
        /// Reasoning, likewise.
        case reasoning(block: String, text: String, replaces: Bool)
        /// A tool call, whole each time.
        case tool(ToolCall)
        /// The agent wants leave and waits.
        case permission(PermissionAsk)
        /// The agent asks and waits.
        case question(QuestionAsk)
        /// One of these does not wait any more.
        case answered(Answered)
        /// The agent's list of things to do, whole.
        case todos([Todo])
        /// The files it changed so far, whole.
        case changes([FileChange])
        /// What the turn used so far, whole.
        case usage(Usage)
        /// Something the user should read.
        case notice(String)
        /// The last event of the turn.
        case ended(TurnState, reason: String?)
    }
}

extension ChatEvent.What {
    /// What an event of the agent is to a client; nil for the two that chat-bridge says itself.
    public init?(_ event: AgentEvent) {
        switch event {
        case .turnStarted, .turnEnded: return nil
        case .textDelta(let block, let text): self = .text(block: block, text: text, replaces: false)
        case .textBlock(let block, let text): self = .text(block: block, text: text, replaces: true)
        case .reasoningDelta(let block, let text): self = .reasoning(block: block, text: text, replaces: false)
        case .tool(let call): self = .tool(call)
        case .permissionAsked(let ask): self = .permission(ask)
        case .questionAsked(let ask): self = .question(ask)
        case .answered(let answered): self = .answered(answered)
        case .todos(let todos): self = .todos(todos)
        case .changes(let changes): self = .changes(changes)
        case .usage(let usage): self = .usage(usage)
        case .notice(let text): self = .notice(text)
        }
    }

    /// Bytes that would be lost with it, roughly.
    var weight: Int {
        switch self {
        case .accepted(let text, _), .notice(let text): text.utf8.count
        case .text(_, let text, _), .reasoning(_, let text, _): text.utf8.count
        case .tool(let call): call.output.utf8.count + call.title.utf8.count
        case .changes(let changes): changes.reduce(64) { $0 + $1.patch.utf8.count }
        case .todos, .usage, .waiting, .started, .permission, .question, .answered, .ended: 64
        }
    }
}

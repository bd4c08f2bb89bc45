/// What chat-bridge asks of agent-worker: the payload of a bus `request`, as JSON with `op` as the discriminator.
///
/// `runTurn` and `followTurn` are answered by a stream: one `AgentEvent` as JSON a frame, then `end`. `turnEnded` is always
/// the last event; a stream that ends without it was cut (agent-worker died), and the turn can be followed again. Who lets
/// go of the stream stops nothing: that is `abort`.
/// `catalog` is answered by a stream too. Everything else is answered by one `reply` (`AgentReply`) or an `error`.
public enum AgentRequest: Hashable, Sendable {
    /// What the agent is and whether it can take a turn.
    case describe
    /// What can be chosen and called in a workspace; answered by a stream, one `CatalogEntry` a frame.
    case catalog(workspace: String?)
    /// Makes a session of the agent in a workspace (a name from `[agent] workspaces`; nil: the first).
    case openSession(title: String, workspace: String?)
    /// Hands a turn over; the contents of its files come as the request's upload, one behind the other. From here on it is never
    /// sent again without the user's word.
    case runTurn(
        session: AgentSessionID, workspace: String?, text: String, choice: TurnChoice = TurnChoice(),
        files: [AttachedFile] = [])
    /// Tells of a turn that was handed over, by its prompt (`turnStarted`), all from its beginning: what is there of a block
    /// comes as one, and then what happens. Nothing is handed over.
    case followTurn(session: AgentSessionID, prompt: String)
    /// Asks the agent to stop the turn that runs in this session.
    case abort(session: AgentSessionID)
    /// Says yes or no to what the agent wants leave for; a message goes with a no.
    case answerPermission(session: AgentSessionID, id: String, reply: PermissionReply, message: String?)
    /// Answers a question: for each one asked at once the labels chosen, or own words. Nil puts it aside.
    case answerQuestion(session: AgentSessionID, id: String, answers: [[String]]?)
    /// Gives a session another title at the agent too.
    case renameSession(AgentSessionID, title: String)
    /// Removes a session at the agent; one that it does not know is removed already.
    case deleteSession(AgentSessionID)
    /// Makes a session of what was said before a message (nil: of everything); answered like `openSession`.
    case forkSession(AgentSessionID, before: String?)
    /// Takes back a message and all that followed, with the changes of files that the agent kept a record of.
    case revert(AgentSessionID, to: String)
    /// Brings back what was taken back last; not any more when something was said since.
    case unrevert(AgentSessionID)
}

/// The agent's own session id (`ses_…`), opaque to everyone else.
public struct AgentSessionID: Hashable, Sendable, Codable {
    /// As the agent gave it.
    public let rawValue: String

    /// Wraps what the agent gave.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A plain JSON string.
    public init(from decoder: any Decoder) throws { rawValue = try decoder.singleValueContainer().decode(String.self) }

    /// A plain JSON string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}

/// The answer to everything but `runTurn`, `followTurn` and `catalog`.
public enum AgentReply: Hashable, Sendable {
    /// To `describe`.
    case description(AgentDescription)
    /// To `openSession` and `forkSession`.
    case session(AgentSessionID)
    /// To `abort`.
    case aborted
    /// To `answerPermission` and `answerQuestion`: the agent has it.
    case answered
    /// To `renameSession`, `deleteSession`, `revert` and `unrevert`: done.
    case changed
}

/// Who answers, and how it is.
public struct AgentDescription: Hashable, Sendable, Codable {
    /// `opencode` or `echo-agent`.
    public var product: String
    /// The product that is no AI.
    public static let standIn = "echo-agent"
    /// Its version, as it says.
    public var version: String
    /// True when it takes turns now.
    public var ready: Bool
    /// State in words ("waiting for opencode to listen").
    public var state: String
    /// Names of the workspaces a session may belong to; the first is the default.
    public var workspaces: [String]

    /// All fields.
    public init(product: String, version: String, ready: Bool, state: String, workspaces: [String]) {
        self.product = product
        self.version = version
        self.ready = ready
        self.state = state
        self.workspaces = workspaces
    }
}

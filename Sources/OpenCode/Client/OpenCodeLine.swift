import AgentModel

/// What a line of opencode has of its own: the form of its frames and of its calls, in the words that both share.
/// Turns, their end, families of sessions and answers are `OpenCodeClient`'s, once for all lines.
protocol OpenCodeLine: Sendable {
    /// "1.x", for people.
    static var name: String { get }
    /// How messages tell which of them follow a prompt.
    static var messageOrder: MessageOrder { get }
    /// GET of this with 200 and JSON means that it is well.
    var healthPath: String { get }

    var loop: CurlLoop { get }
    var endpoint: AgentEndpoint { get }

    /// GET of this is the one event stream: all directories.
    static var eventPath: String { get }
    /// Silence after which it counts as dead.
    var silence: Duration { get }
    /// One frame of it; nil for what is none of this line.
    func frame(_ data: [UInt8]) -> LineFrame?

    /// Makes a session.
    func createSession(title: String, directory: String) async throws(AgentFailure) -> AgentSessionID
    /// The directory that a session belongs to.
    func directory(of session: AgentSessionID) async throws(AgentFailure) -> String
    /// Sessions that this one started itself.
    func children(_ session: AgentSessionID, directory: String) async throws(AgentFailure) -> [String]

    /// Gives a session another title.
    func rename(_ session: AgentSessionID, to title: String, directory: String) async throws(AgentFailure)
    /// Removes a session.
    func remove(_ session: AgentSessionID, directory: String) async throws(AgentFailure)
    /// Makes a session of what was said before a message (nil: of everything).
    func fork(
        _ session: AgentSessionID, before message: String?, directory: String
    ) async throws(AgentFailure) -> AgentSessionID
    /// Takes back a message and all that followed it.
    func revert(_ session: AgentSessionID, to message: String, directory: String) async throws(AgentFailure)
    /// Brings back what was taken back last.
    func unrevert(_ session: AgentSessionID, directory: String) async throws(AgentFailure)

    /// Models of the providers that have credentials.
    func models(directory: String) async throws(AgentFailure) -> [ModelEntry]
    /// Agents that a session may work as.
    func agents(directory: String) async throws(AgentFailure) -> [AgentEntry]
    /// Commands, `compact` among them.
    func commands(directory: String) async throws(AgentFailure) -> [CommandEntry]

    /// Hands a prompt over. True when it was taken, false when that is not known: then only the messages can tell, and it
    /// must not be sent again. Throws when it certainly was not taken.
    func prompt(
        _ session: AgentSessionID, id: String, prompt: Prompt, choice: TurnChoice, directory: String
    ) async throws(AgentFailure) -> Bool
    /// Takes a prompt back that was taken and not begun; nothing to take back is fine.
    func withdraw(_ prompt: String, of session: AgentSessionID) async throws(AgentFailure)
    /// Has a command done, with that id for its prompt where the line takes one; answers when its turn is over.
    func perform(
        _ command: CommandCall, in session: AgentSessionID, id: String, choice: TurnChoice, directory: String
    ) async throws(AgentFailure)
    /// Stops what runs in a session.
    func abort(_ session: AgentSessionID, directory: String) async throws(AgentFailure)
    /// The state of a session and its family, with the messages from the prompt `since` on. Whether it rests is read
    /// before its messages: what they lack at rest they will always lack.
    func state(
        _ session: AgentSessionID, family: Set<String>, since: String, directory: String
    ) async throws(AgentFailure) -> TurnReread
    /// The lists that no message holds: what is to do, and what was changed since a prompt. A turn goes on without what
    /// cannot be read of them.
    func lists(_ session: AgentSessionID, since prompt: String, directory: String) async -> [TurnFact]

    /// What waits for leave in a directory.
    func permissions(directory: String) async throws(AgentFailure) -> [Asked<PermissionAsk>]
    /// What waits for an answer in a directory.
    func questions(directory: String) async throws(AgentFailure) -> [Asked<QuestionAsk>]
    /// Gives or refuses leave; `session` is the one that asked.
    func reply(
        toPermission id: String, of session: String, _ reply: PermissionReply, message: String?, directory: String
    ) async throws(AgentFailure)
    /// Answers a question of that session; without answers it is put aside.
    func reply(
        toQuestion id: String, of session: String, _ answers: [[String]]?, directory: String
    ) async throws(AgentFailure)
}

extension OpenCodeLine {
    /// A prompt without files.
    func prompt(
        _ session: AgentSessionID, id: String, text: String, choice: TurnChoice, directory: String
    ) async throws(AgentFailure) -> Bool {
        try await prompt(session, id: id, prompt: Prompt(text: text), choice: choice, directory: directory)
    }
}

extension CommandEntry {
    /// Both lines have this as a call of its own; here it is a command like the others.
    static let compact = CommandEntry(
        name: "compact", description: "Summarizes the conversation, so that there is room for more")
}

/// Something that waits for the user, and the session that asked.
struct Asked<Ask: Hashable & Sendable>: Hashable, Sendable {
    var session: String
    var ask: Ask
}

/// One frame of the event stream.
struct LineFrame: Hashable, Sendable {
    /// The session it is about.
    let session: String?
    /// What it says.
    let content: Content

    enum Content: Hashable, Sendable {
        /// The first frame: events come from now on.
        case connected
        case facts([TurnFact])
        /// A session exists; with its parent when another session started it.
        case session(parent: String?)
        /// Heartbeats and all that is not needed.
        case nothing
    }
}

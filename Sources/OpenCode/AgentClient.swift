public import AgentModel

/// One opencode, of whichever line: their calls and events differ, and stand behind the same words (`OpenCodeLine`).
public protocol AgentClient: Sendable {
    /// `opencode` or `echo-agent`, and its version.
    var identity: AgentIdentity { get }

    /// Makes a session that belongs to a directory (absolute).
    func openSession(title: String, directory: String) async throws(AgentFailure) -> AgentSessionID

    /// The directory that a session belongs to.
    func directory(of session: AgentSessionID) async throws(AgentFailure) -> String

    /// What can be chosen and called in a directory.
    func catalog(directory: String) async throws(AgentFailure) -> [CatalogEntry]

    /// Hands a turn over and tells what happens, to its end: the last event is `turnEnded`.
    ///
    /// Throws only while nothing was handed over (then without any event). `emit` may take its time: events of the
    /// server wait meanwhile, bounded. When it throws, or this task is cancelled, nobody listens any more, and the turn goes
    /// on: `followTurn` tells of it again, `abort` stops it.
    func runTurn(
        _ session: AgentSessionID, directory: String, prompt: Prompt, choice: TurnChoice,
        emit: @escaping @Sendable (AgentEvent) async throws -> Void
    ) async throws(AgentFailure)

    /// Tells of a turn that was handed over before, perhaps by an earlier process, from its beginning to its end. `prompt`
    /// came with its `turnStarted`. `unknown`: there is no such session; `busy`: somebody follows it already.
    func followTurn(
        _ session: AgentSessionID, directory: String, prompt: String,
        emit: @escaping @Sendable (AgentEvent) async throws -> Void
    ) async throws(AgentFailure)

    /// Says yes or no to what a session, or one that it started, wants leave for. `unknown`: it does not wait any more.
    func answerPermission(
        _ session: AgentSessionID, id: String, reply: PermissionReply, message: String?, directory: String
    ) async throws(AgentFailure)

    /// Answers a question likewise: for each one asked at once the labels chosen, or own words; nil puts it aside.
    func answerQuestion(
        _ session: AgentSessionID, id: String, answers: [[String]]?, directory: String
    ) async throws(AgentFailure)

    /// Asks the agent to stop what runs in a session; nothing running is fine.
    func abort(_ session: AgentSessionID, directory: String) async throws(AgentFailure)

    /// Gives a session another title.
    func rename(_ session: AgentSessionID, to title: String, directory: String) async throws(AgentFailure)
    /// Removes a session; `busy` while a turn runs in it.
    func remove(_ session: AgentSessionID, directory: String) async throws(AgentFailure)
    /// Makes a session of what was said before a message (nil: of everything).
    func fork(
        _ session: AgentSessionID, before message: String?, directory: String
    ) async throws(AgentFailure) -> AgentSessionID
    /// Takes back a message and all that followed it, with what it changed in files where the agent kept a record of
    /// them. `busy` while a turn runs, `unknown`: there is no such message.
    func revert(_ session: AgentSessionID, to message: String, directory: String) async throws(AgentFailure)
    /// Brings back what was taken back last.
    func unrevert(_ session: AgentSessionID, directory: String) async throws(AgentFailure)
}

extension AgentClient {
    /// A turn without files.
    public func runTurn(
        _ session: AgentSessionID, directory: String, text: String, choice: TurnChoice,
        emit: @escaping @Sendable (AgentEvent) async throws -> Void
    ) async throws(AgentFailure) {
        try await runTurn(session, directory: directory, prompt: Prompt(text: text), choice: choice, emit: emit)
    }

    /// A turn for which nothing is chosen.
    public func runTurn(
        _ session: AgentSessionID, directory: String, text: String,
        emit: @escaping @Sendable (AgentEvent) async throws -> Void
    ) async throws(AgentFailure) {
        try await runTurn(session, directory: directory, text: text, choice: TurnChoice(), emit: emit)
    }
}

/// Who answers.
public struct AgentIdentity: Hashable, Sendable {
    /// `opencode` or `echo-agent`.
    public var product: String
    /// As it says.
    public var version: String

    /// From the version: the stand-in marks its own.
    public init(version: String) {
        product = version.contains("echo-agent") ? "echo-agent" : "opencode"
        self.version = version
    }
}

public import AgentModel

/// The agent as the turns see it; chat-bridge asks agent-worker over the bus, tests bring their own.
public protocol AgentPort: Sendable {
    /// Who answers, and whether it takes turns now.
    func describe() async throws -> AgentDescription
    /// Why the way to the agent is gone and does not come back by itself; nil: that is not so, as far as is known.
    func whyGone() async -> String?
    /// What can be chosen and called in a workspace.
    func catalog(workspace: String?) async throws -> [CatalogEntry]
    /// Makes a session of the agent.
    func openSession(title: String, workspace: String?) async throws -> AgentSessionID
    /// Hands a turn over. Nothing is read ahead: whoever reads slowly slows the agent's stream down.
    func runTurn(
        session: AgentSessionID, workspace: String?, text: String, files: [FileToSend], choice: TurnChoice
    ) async throws -> any AsyncSequence<AgentEvent, any Error> & Sendable
    /// Tells of a turn that was handed over, by its prompt, all from its beginning. Letting go of it stops nothing.
    func followTurn(
        session: AgentSessionID, prompt: String
    ) async throws -> any AsyncSequence<AgentEvent, any Error> & Sendable
    /// Asks the agent to stop the turn that runs in a session.
    func abort(session: AgentSessionID) async throws
    /// Hands an answer on. `unknownRequest`: nobody waits for it (any more).
    func answer(_ answer: ChatAnswer, to id: String, session: AgentSessionID) async throws
    /// Gives a session of the agent another title.
    func rename(session: AgentSessionID, to title: String) async throws
    /// Removes a session of the agent; one that it does not know is removed already.
    func remove(session: AgentSessionID) async throws
    /// Makes a session of what was said before a message of the agent (nil: of everything).
    func fork(session: AgentSessionID, before prompt: String?) async throws -> AgentSessionID
    /// Takes back a message of the agent and all behind it.
    func revert(session: AgentSessionID, to prompt: String) async throws
    /// Brings back what was taken back last.
    func unrevert(session: AgentSessionID) async throws
}

extension AgentPort {
    /// Nobody knows.
    public func whyGone() async -> String? { nil }
}

/// An attachment on its way to the agent.
public struct FileToSend: Hashable, Sendable {
    /// What it is.
    public var about: AttachedFile
    /// Where its content is.
    public var path: String
}

/// Why the agent did not do something; anything else that a port throws counts as `failed`.
public struct AgentError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is known about it.
    public enum Code: Hashable, Sendable {
        /// The agent has certainly not seen the request: it may be made again.
        case notDelivered
        /// The agent does not know the session any more; it has not seen the turn.
        case unknownSession
        /// The agent does not wait for this answer (any more).
        case unknownRequest
        /// The agent, or the way to it, went away in the middle: what it did is not known.
        case lost
        /// It said no, or failed.
        case failed
    }

    /// What is known.
    public let code: Code
    /// Words.
    public let message: String

    /// Both.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The words.
    public var description: String { message }
}

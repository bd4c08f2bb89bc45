import AgentModel

@testable import Chat

/// One that is away, but for what a test has it do.
struct NoAgent: AgentPort {
    var reverting: (@Sendable () async throws -> Void)?
    /// What it tells of a turn that is asked for again.
    var following: (@Sendable () throws -> AsyncThrowingStream<AgentEvent, any Error>)?

    private static let away = AgentError(.notDelivered, "there is none")

    func describe() async throws -> AgentDescription { throw Self.away }
    func catalog(workspace: String?) async throws -> [CatalogEntry] { throw Self.away }
    func openSession(title: String, workspace: String?) async throws -> AgentSessionID { throw Self.away }
    func runTurn(
        session: AgentSessionID, workspace: String?, text: String, files: [FileToSend], choice: TurnChoice
    ) async throws -> any AsyncSequence<AgentEvent, any Error> & Sendable {
        throw Self.away
    }
    func followTurn(
        session: AgentSessionID, prompt: String
    ) async throws -> any AsyncSequence<AgentEvent, any Error> & Sendable {
        guard let following else { throw Self.away }
        return try following()
    }
    func abort(session: AgentSessionID) async throws { throw Self.away }
    func answer(_ answer: ChatAnswer, to id: String, session: AgentSessionID) async throws { throw Self.away }
    func rename(session: AgentSessionID, to title: String) async throws { throw Self.away }
    func remove(session: AgentSessionID) async throws { throw Self.away }
    func fork(session: AgentSessionID, before prompt: String?) async throws -> AgentSessionID { throw Self.away }
    func revert(session: AgentSessionID, to prompt: String) async throws {
        guard let reverting else { throw Self.away }
        try await reverting()
    }
    func unrevert(session: AgentSessionID) async throws { throw Self.away }
}

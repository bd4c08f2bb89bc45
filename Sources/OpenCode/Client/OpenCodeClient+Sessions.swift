public import AgentModel

extension OpenCodeClient {
    /// Gives a session another title.
    public func rename(_ session: AgentSessionID, to title: String, directory: String) async throws(AgentFailure) {
        try await line.rename(session, to: title, directory: directory)
    }

    /// Removes a session.
    public func remove(_ session: AgentSessionID, directory: String) async throws(AgentFailure) {
        try requireRest(of: session)
        try await line.remove(session, directory: directory)
    }

    /// Makes a session of what was said before a message (nil: of everything).
    public func fork(
        _ session: AgentSessionID, before message: String?, directory: String
    ) async throws(AgentFailure) -> AgentSessionID {
        try await line.fork(session, before: message, directory: directory)
    }

    /// Takes back a message and all that followed it.
    public func revert(_ session: AgentSessionID, to message: String, directory: String) async throws(AgentFailure) {
        try requireRest(of: session)
        try await line.revert(session, to: message, directory: directory)
    }

    /// Brings back what was taken back last.
    public func unrevert(_ session: AgentSessionID, directory: String) async throws(AgentFailure) {
        try requireRest(of: session)
        try await line.unrevert(session, directory: directory)
    }

    private func requireRest(of session: AgentSessionID) throws(AgentFailure) {
        guard !hasTurn(session.rawValue) else {
            throw AgentFailure(.busy, "a turn runs in this session; wait for its end, or stop it")
        }
    }
}

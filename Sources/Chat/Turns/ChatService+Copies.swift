import AgentModel

extension ChatService {
    private struct ForkedLine: Encodable {
        var type = "forked"
        var session: SessionID
    }

    private struct CountLine: Encodable {
        var type: String
        var turns: Int
    }

    /// Makes a session of what was said before a turn (nil: of everything), at the agent too.
    public func fork(_ session: SessionID, before turn: TurnID?) async throws -> [UInt8] {
        try await locks.alone(in: session) { try await forkAlone(session, before: turn) }
    }

    private func forkAlone(_ session: SessionID, before turn: TurnID?) async throws -> [UInt8] {
        let place = try await store.boundary(at: turn, in: session)
        var copied: AgentSessionID?
        if let known = place.session {
            copied = try await asking { try await runner.agent.fork(session: known, before: place.prompt) }
        }
        var generator = SystemRandomNumberGenerator()
        let id = SessionID.random(using: &generator)
        try await store.copy(session, before: turn, as: id, agent: copied)
        return try Self.json(ForkedLine(session: id))
    }

    /// Takes back a turn and all behind it. The agent first: asked again, both do the same again.
    public func revert(_ session: SessionID, to turn: TurnID) async throws -> [UInt8] {
        try await locks.alone(in: session) { try await revertAlone(session, to: turn) }
    }

    private func revertAlone(_ session: SessionID, to turn: TurnID) async throws -> [UInt8] {
        let place = try await store.boundary(at: turn, in: session)
        if let known = place.session, let prompt = place.prompt {
            try await asking { try await runner.agent.revert(session: known, to: prompt) }
        }
        let count = try await store.takeBack(from: turn, upTo: place.last, in: session)
        return try Self.json(CountLine(type: "reverted", turns: count))
    }

    /// Brings back what was taken back last.
    public func unrevert(_ session: SessionID) async throws -> [UInt8] {
        try await locks.alone(in: session) { try await unrevertAlone(session) }
    }

    private func unrevertAlone(_ session: SessionID) async throws -> [UInt8] {
        let place = try await store.boundary(at: nil, in: session)
        let waits = try await store.session(session)?.reverted ?? 0
        guard waits > 0 else { throw ChatError(.badRequest, "nothing that can be brought back was taken back") }
        if let known = place.session { try await asking { try await runner.agent.unrevert(session: known) } }
        let count = try await store.bringBack(in: session)
        return try Self.json(CountLine(type: "unreverted", turns: count))
    }

    private func asking<Value: Sendable>(_ call: () async throws -> Value) async throws -> Value {
        do { return try await call() } catch let error as AgentError {
            throw ChatError(error.code == .notDelivered ? .busy : .failed, "the agent did not do it: \(error.message)")
        }
    }
}

import Foundation

extension ChatService {
    private struct SessionLine: Encodable {
        var type = "session"
        var session: SessionID
        var title: String
        var workspace: String?
        var state: TurnState
        var turns: Int
        var created: Int64
        var updated: Int64
    }

    private struct TurnLine: Encodable {
        var type = "turn"
        var session: SessionID
        var turn: TurnID
        var state: TurnState
        var reason: String?
        var text: String
        var created: Int64
    }

    private struct DescriptionLine: Encodable {
        var type = "description"
        var running: Int
        var queued: Int
        var agent: String
        var ready: Bool
        var store: String
        var moved_aside: String?
    }

    /// Every session, newest first, one frame each.
    public func list(to send: Sink) async throws {
        for session in try await store.sessions() {
            let line = SessionLine(
                session: session.id, title: session.title, workspace: session.workspace, state: session.state,
                turns: session.turns, created: session.created, updated: session.updated)
            try await send(Self.json(line))
        }
    }

    /// A session (nil: the newest): each turn, followed by its blocks.
    public func history(_ session: SessionID?, to send: Sink) async throws {
        let newest = session == nil ? try await store.sessions(limit: 1).first?.id : nil
        guard let session = session ?? newest else {
            throw ChatError(.unknown, "there is no session yet; begin one: nexusctl chat \"hello\"")
        }
        try await store.require(session)
        var last = TurnID(rawValue: 0)
        while true {
            let turns = try await store.turns(of: session, after: last)
            guard let end = turns.last else { return }
            last = end.id
            for turn in turns { try await tell(turn, to: send) }
        }
    }

    private func tell(_ turn: ChatTurn, to send: Sink) async throws {
        let line = TurnLine(
            session: turn.session, turn: turn.id, state: turn.state, reason: turn.reason, text: turn.text,
            created: turn.created)
        try await send(Self.json(line))
        for block in try await store.blocks(of: turn) { try await send(block.json) }
    }

    /// One object about chat and agent.
    public func describe() async throws -> [UInt8] {
        let summary = await runner.summary
        return try Self.json(
            DescriptionLine(
                running: summary.running, queued: summary.queued, agent: summary.agentIsAway ?? "takes turns",
                ready: summary.agentIsAway == nil, store: store.path, moved_aside: store.movedAside))
    }

    private static func json(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }
}

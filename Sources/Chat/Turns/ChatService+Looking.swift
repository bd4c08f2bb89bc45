import Foundation

extension ChatService {
    struct TurnLine: Encodable {
        var type = "turn"
        var session: SessionID
        var turn: TurnID
        var state: TurnState
        var reason: String?
        var text: String
        var model: String?
        var agent: String?
        var taken_back: Bool?
        var unplaced: Bool?
        var attachments: [Attachment]?
        var created: Int64

        init(_ turn: ChatTurn) {
            session = turn.session
            self.turn = turn.id
            state = turn.state
            reason = turn.reason
            text = turn.text
            (model, agent) = (turn.choice.model, turn.choice.agent)
            attachments = turn.attachments.isEmpty ? nil : turn.attachments
            taken_back = turn.isTakenBack ? true : nil
            unplaced = turn.isUnplaced ? true : nil
            created = turn.created
        }
    }

    private struct PositionLine: Encodable {
        var type = "position"
        var session: SessionID
        var seq: EventNumber
        var earlier: Bool
        var title: String
        var workspace: String?
        var model: String?
        var agent: String?
        var tokens: Int
        var cost: Double
        var reverted: Int?
    }

    private struct DescriptionLine: Encodable {
        var type = "description"
        var running: Int
        var queued: Int
        var agent: String
        var ready: Bool
        var store: String
        var moved_aside: String?
        var trouble: String?
        var restore: RestoreEnd?
        var workspaces: [String]?
        /// Bytes of one file, and of all that are kept.
        var attachment: Int64
        var attachments: Int64
        /// What answers is no AI.
        var stand_in: Bool?
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

    /// A stretch of a session, oldest turn first, behind one line that says from which number `resume` goes on. What is
    /// not over yet comes without blocks: all its events are behind that number.
    /// - Parameter line: how an event is written.
    public func open(
        _ session: SessionID, _ stretch: Stretch, to send: Sink, line: Line
    ) async throws {
        let opening = try await store.opening(of: session, stretch)
        let about = opening.session
        try await send(
            Self.json(
                PositionLine(
                    session: session, seq: opening.position, earlier: opening.hasEarlier, title: about.title,
                    workspace: about.workspace, model: about.choice.model, agent: about.choice.agent,
                    tokens: about.tokens, cost: about.cost, reverted: about.reverted == 0 ? nil : about.reverted)))
        for (turn, blocks) in opening.turns {
            try await send(Self.json(TurnLine(turn)))
            for block in blocks {
                for frame in await line(block) { try await send(frame) }
            }
        }
    }

    private func tell(_ turn: ChatTurn, to send: Sink) async throws {
        try await send(Self.json(TurnLine(turn)))
        for block in try await store.blocks(of: turn) {
            for frame in await Line.plain(block) { try await send(frame) }
        }
    }

    /// One object about chat and agent.
    public func describe() async throws -> [UInt8] {
        let summary = await runner.summary
        return try Self.json(
            DescriptionLine(
                running: summary.running, queued: summary.queued, agent: summary.agentIsAway ?? "takes turns",
                ready: summary.agentIsAway == nil, store: store.path, moved_aside: store.movedAside,
                trouble: store.trouble, restore: store.restoreEnd,
                workspaces: workspaces.names, attachment: uploads.limits.file, attachments: uploads.limits.total,
                stand_in: await runner.hasStandIn ? true : nil))
    }

    static func json(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }
}

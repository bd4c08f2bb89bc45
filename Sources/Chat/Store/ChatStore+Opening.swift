import GRDB

/// Some turns of a session and where to go on, all of one moment.
public struct Opening: Sendable {
    /// The session.
    public var session: ChatSession
    /// Every event behind this number belongs to what `turns` does not tell.
    public var position: EventNumber
    /// There are older turns.
    public var hasEarlier: Bool
    /// Oldest first. Turns that are not over come without blocks: `position` is before all their events.
    public var turns: [(turn: ChatTurn, blocks: [ChatEvent])]
}

extension ChatStore {
    /// Reads it in one transaction, so that between the blocks and the number nothing is missing and nothing twice.
    public func opening(of session: SessionID, _ stretch: Stretch) async throws -> Opening {
        try await queue.read { db in
            guard let about = try Self.sessions(db, where: "id = ?", [session.rawValue], limit: 1).first else {
                throw Self.unknown(session)
            }
            let isOnward = stretch.after != nil
            let found = try Self.turns(
                db, where: "session = ? AND id > ? AND id < ? AND (? IS NULL OR id = ?)",
                [
                    session.rawValue, stretch.after?.rawValue ?? 0, stretch.before?.rawValue ?? .max,
                    stretch.only?.rawValue, stretch.only?.rawValue,
                ],
                newestFirst: !isOnward, limit: stretch.limit + 1)
            let some = found.prefix(stretch.limit)
            let turns = try (isOnward ? Array(some) : some.reversed()).map { turn in
                (turn, turn.state.isOver ? try Self.blocks(db, of: turn) : [])
            }
            return Opening(
                session: about, position: try Self.position(db, of: session),
                hasEarlier: isOnward || found.count > stretch.limit, turns: turns)
        }
    }

    private static func position(_ db: Database, of session: SessionID) throws -> EventNumber {
        let open = try Int64.fetchOne(
            db, sql: "SELECT min(before_seq) FROM turn WHERE session = ? AND state IN ('queued', 'running')",
            arguments: [session.rawValue])
        let last = try Int64.fetchOne(
            db, sql: "SELECT max(seq) FROM event WHERE session = ?", arguments: [session.rawValue])
        return EventNumber(rawValue: open ?? last ?? 0)
    }
}

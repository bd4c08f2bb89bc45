public import AgentModel
import GRDB

/// Where in the agent's memory of a session a turn of ours is.
public struct Boundary: Hashable, Sendable {
    /// The agent's session; nil: it never had it, or lost it.
    public var session: AgentSessionID?
    /// The agent's id of the first message at or behind the turn that it has; nil: it has none of them.
    public var prompt: String?
    /// The last turn there is.
    public var last: TurnID
}

extension ChatStore {
    /// Where a turn (nil: the end) is with the agent. Refused while a turn waits or runs, for a turn of another session,
    /// one that is taken back, and one whose place with the agent is not known.
    public func boundary(at turn: TurnID?, in session: SessionID) async throws -> Boundary {
        try await queue.read { db in
            guard
                let row = try Row.fetchOne(
                    db, sql: "SELECT agent_session FROM session WHERE id = ?", arguments: [session.rawValue])
            else { throw Self.unknown(session) }
            let agent = (row["agent_session"] as String?).map(AgentSessionID.init)
            let turns = try Row.fetchAll(
                db, sql: "SELECT id, state, prompt, started, taken_back FROM turn WHERE session = ? ORDER BY id",
                arguments: [session.rawValue])
            guard !turns.contains(where: { ["queued", "running"].contains($0["state"] as String) }) else {
                throw ChatError(.busy, "a turn of session \(session) is under way; wait for its end, or stop it")
            }
            let last = TurnID(rawValue: turns.last?["id"] ?? 0)
            guard let turn else { return Boundary(session: agent, prompt: nil, last: last) }
            guard let start = turns.firstIndex(where: { $0["id"] == turn.rawValue }) else {
                throw ChatError(.unknown, "session \(session) has no message \(turn)")
            }
            guard turns[start]["taken_back"] == 0 else {
                throw ChatError(.badRequest, "message \(turn) is taken back already")
            }
            let behind = turns[start...].filter { $0["taken_back"] == 0 }
            let first = behind.first { $0["started"] != nil }
            guard let first else { return Boundary(session: agent, prompt: nil, last: last) }
            guard let prompt = first["prompt"] as String? else {
                throw ChatError(
                    .badRequest,
                    "where this message is in the agent's memory is not known: it was copied from another session, or handed "
                        + "over by an older version; go back to a message that was written in this session since, or begin a "
                        + "new session")
            }
            return Boundary(session: agent, prompt: prompt, last: last)
        }
    }

    /// Marks a turn and all behind it, up to one, as taken back; how many it were.
    public func takeBack(from turn: TurnID, upTo last: TurnID, in session: SessionID) async throws -> Int {
        try await write { db in
            try db.execute(
                sql: "UPDATE turn SET taken_back = 1 WHERE session = ? AND id BETWEEN ? AND ? AND taken_back = 0",
                arguments: [session.rawValue, turn.rawValue, last.rawValue])
            return db.changesCount
        }
    }

    /// Brings back what can be; how many turns it were.
    public func bringBack(in session: SessionID) async throws -> Int {
        try await write { db in
            try db.execute(
                sql: "UPDATE turn SET taken_back = 0 WHERE session = ? AND taken_back = 1",
                arguments: [session.rawValue])
            return db.changesCount
        }
    }

    /// Makes a session of the turns before one (nil: of all) that are not taken back, with their blocks and lists. What
    /// they used is shown with them and counted for no day and no session once more.
    public func copy(
        _ session: SessionID, before turn: TurnID?, as id: SessionID, agent: AgentSessionID?
    ) async throws {
        let now = Self.milliseconds()
        try await write { db in
            try db.execute(
                sql: """
                    INSERT INTO session (id, title, workspace, agent_session, model, agent, created, updated) \
                    SELECT ?, substr(title, 1, 60) || ' (copy)', workspace, ?, model, agent, ?, ? FROM session WHERE id = ?
                    """,
                arguments: [id.rawValue, agent?.rawValue, now, now, session.rawValue])
            guard db.changesCount == 1 else { throw Self.unknown(session) }
            let old = try Int64.fetchAll(
                db,
                sql: "SELECT id FROM turn WHERE session = ? AND (? IS NULL OR id < ?) AND taken_back = 0 ORDER BY id",
                arguments: [session.rawValue, turn?.rawValue, turn?.rawValue])
            for turn in old { try Self.copyTurn(db, turn, to: id) }
        }
    }

    /// Events and blocks keep their order and their distances: all are moved by the same.
    private static func copyTurn(_ db: Database, _ turn: Int64, to session: SessionID) throws {
        let span = try Row.fetchOne(
            db,
            sql: """
                SELECT before_seq, coalesce((SELECT max(seq) FROM event WHERE turn = turn.id), before_seq) AS last \
                FROM turn WHERE id = ?
                """,
            arguments: [turn])
        guard let span else { return }
        let (before, last): (Int64, Int64) = (span["before_seq"], span["last"])
        let first = try reserve(db, session, count: last - before + 1).rawValue
        try db.execute(
            sql: """
                INSERT INTO turn (session, client_id, state, text, reason, before_seq, created, started, ended, model, agent) \
                SELECT ?, lower(hex(randomblob(16))), state, text, reason, ?, created, started, ended, model, agent \
                FROM turn WHERE id = ?
                """,
            arguments: [session.rawValue, first, turn])
        let new = db.lastInsertedRowID
        try db.execute(
            sql: """
                INSERT INTO event (session, seq, turn, kind, key, body) SELECT ?1, seq + ?2, ?3, kind, key, \
                CASE WHEN body IS NULL THEN NULL ELSE \
                json_set(body, '$.session', ?1, '$.turn', ?3, '$.seq', seq + ?2) END FROM event WHERE turn = ?4
                """,
            arguments: [session.rawValue, first - before, new, turn])
        try db.execute(
            sql: """
                INSERT INTO block (turn, kind, key, position, text) \
                SELECT ?, kind, key, position + ?, text FROM block WHERE turn = ?
                """,
            arguments: [new, first - before, turn])
        try db.execute(
            sql:
                "INSERT INTO attachment (turn, place, hash, name) SELECT ?, place, hash, name FROM attachment WHERE turn = ?",
            arguments: [new, turn])
        try rememberWords(db, of: TurnID(rawValue: new))
    }
}

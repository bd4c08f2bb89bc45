import AgentModel
import Foundation
import GRDB

extension ChatStore {
    /// Numbers set aside at a time: one small transaction for so many events.
    static let reservation: Int64 = 1024

    /// Sets numbers aside for events of a session: those behind the returned one, `reservation` of them.
    public func reserve(_ session: SessionID, patience: Duration? = nil) async throws -> EventNumber {
        try await write(patience: patience) { db in
            let first = try Self.reserve(db, session, count: Self.reservation)
            return EventNumber(rawValue: first.rawValue - 1)
        }
    }

    /// Stores events of a turn and what they do to its blocks, in one transaction.
    public func append(_ events: [ChatEvent]) async throws {
        if events.isEmpty { return }
        try await write(patience: Self.longPatience) { db in try Self.append(db, events) }
    }

    /// Ends a turn: its last events (the `ended` among them), its state, its deltas folded into its blocks, and the word of it to
    /// the owner.
    /// - Parameter byTheAgent: the agent said so; without that it may go on with it, and is to be stopped.
    public func end(
        _ turn: TurnID, _ state: TurnState, reason: String?, last: [ChatEvent], byTheAgent: Bool = false
    ) async throws {
        let now = Self.milliseconds()
        let rules = endRules.withLock { $0 }
        try await write { db in
            try Self.end(db, turn, state, reason, now: now, last: last)
            try Self.sayEnd(db, of: turn, state, reason, rules, now: now)
            if byTheAgent { try Self.rests(db, of: turn) }
        }
    }

    static func end(
        _ db: Database, _ turn: TurnID, _ state: TurnState, _ reason: String?, now: Int64, last: [ChatEvent]
    ) throws {
        try append(db, last)
        try db.execute(
            sql: """
                UPDATE turn SET state = ?, reason = ?, ended = ? WHERE id = ? AND state IN ('queued', 'running')
                """,
            arguments: [state.rawValue, state == .done ? nil : reason ?? "no reason was given", now, turn.rawValue])
        guard db.changesCount == 1 else { throw ChatError(.failed, "turn \(turn) has ended already") }
        try db.execute(
            sql: "UPDATE session SET updated = ? WHERE id = (SELECT session FROM turn WHERE id = ?)",
            arguments: [now, turn.rawValue])
        try closeTools(db, turn)
        try fold(db, turn)
        try rememberWords(db, of: turn)
    }

    // What the agent had under way when its turn ended does not run any more, and nobody will say so later.
    private static func closeTools(_ db: Database, _ turn: TurnID) throws {
        try db.execute(
            sql: """
                UPDATE block SET text = json_set(text, '$.status', '\(ToolCall.Status.brokenOff.rawValue)') \
                WHERE turn = ? AND kind = 'tool' AND json_extract(text, '$.status') IN ('pending', 'running')
                """,
            arguments: [turn.rawValue])
    }

    // Of a finished turn nobody needs the single deltas: who resumes in the middle of a block is given it whole, which
    // replaces what he has.
    private static func fold(_ db: Database, _ turn: TurnID) throws {
        try db.execute(
            sql: """
                DELETE FROM event AS gone WHERE turn = ? AND kind IN ('text', 'reasoning', 'tool') AND seq < (
                    SELECT max(seq) FROM event WHERE turn = gone.turn AND kind = gone.kind AND key = gone.key)
                """,
            arguments: [turn.rawValue])
        // Of a list there is the first, which says where it stands, and the last.
        try db.execute(
            sql: """
                DELETE FROM event AS gone WHERE turn = ? AND kind IN ('todos', 'changes', 'usage') AND seq > (
                    SELECT min(seq) FROM event WHERE turn = gone.turn AND kind = gone.kind) AND seq < (
                    SELECT max(seq) FROM event WHERE turn = gone.turn AND kind = gone.kind)
                """,
            arguments: [turn.rawValue])
        try db.execute(
            sql: "UPDATE event SET body = NULL WHERE turn = ? AND kind IN ('text', 'reasoning', 'tool')",
            arguments: [turn.rawValue])
    }

    /// What the turn that runs in a session has asked under an id.
    func asking(_ id: String, in session: SessionID) async throws -> ChatEvent.Asking? {
        let sql = """
            SELECT kind, body FROM event WHERE turn IN (SELECT id FROM turn WHERE session = ? AND state = 'running') \
            AND kind IN ('permission', 'question') AND json_extract(body, '$.id') = ?
            """
        return try await queue.read { db in
            guard let row = try Row.fetchOne(db, sql: sql, arguments: [session.rawValue, id]) else { return nil }
            return try Self.whole(kind: row["kind"], key: "", text: row["body"]).asking
        }
    }

    /// What was asked in a turn, and is not known to be answered: their ids.
    func unanswered(of turn: TurnID) async throws -> [String] {
        let sql = """
            SELECT key FROM event AS asked WHERE turn = ? AND kind IN ('permission', 'question') AND NOT EXISTS \
            (SELECT 1 FROM event WHERE turn = asked.turn AND kind = 'answered' AND key = asked.key) \
            ORDER BY seq LIMIT \(Self.askingLimit)
            """
        return try await queue.read { db in try String.fetchAll(db, sql: sql, arguments: [turn.rawValue]) }
    }

    /// What is to do as it was told last in a session, in whichever turn; nil: it never was.
    func todos(of session: SessionID) async throws -> [Todo]? {
        let sql = """
            SELECT body FROM event WHERE turn IN (SELECT id FROM turn WHERE session = ?) AND kind = 'todos' \
            ORDER BY seq DESC LIMIT 1
            """
        return try await queue.read { db in
            guard let body = try String.fetchOne(db, sql: sql, arguments: [session.rawValue]) else { return nil }
            guard case .todos(let todos) = try Self.whole(kind: "todos", key: "", text: body) else { return nil }
            return todos
        }
    }

    static func reserve(_ db: Database, _ session: SessionID, count: Int64) throws -> EventNumber {
        let last = try Int64.fetchOne(
            db, sql: "UPDATE session SET reserved = reserved + ? WHERE id = ? RETURNING reserved",
            arguments: [count, session.rawValue])
        guard let last else { throw unknown(session) }
        return EventNumber(rawValue: last - count + 1)
    }

    private static func append(_ db: Database, _ events: [ChatEvent]) throws {
        let insert = try db.cachedStatement(
            sql: "INSERT INTO event (session, seq, turn, kind, key, body) VALUES (?, ?, ?, ?, ?, ?)")
        for event in events {
            guard let number = event.number else { continue }
            try insert.execute(arguments: [
                event.session.rawValue, number.rawValue, event.turn.rawValue, event.what.type, event.what.key,
                String(decoding: event.json, as: UTF8.self),
            ])
            try addToBlock(db, event)
            if case .usage(let usage) = event.what { try spend(db, usage, by: event.turn) }
        }
    }

    private static func addToBlock(_ db: Database, _ event: ChatEvent) throws {
        guard let key = event.what.key, let (text, replaces) = try event.what.content() else { return }
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO block (turn, kind, key, position, text) VALUES (?, ?, ?, ?, ?) \
                ON CONFLICT DO UPDATE SET text = \(replaces ? "excluded.text" : "text || excluded.text")
                """)
        try statement.execute(arguments: [
            event.turn.rawValue, event.what.type, key, event.number?.rawValue ?? 0, text,
        ])
    }
}

extension ChatEvent.What {
    /// Which block of the turn it belongs to, or which question of the agent.
    var key: String? {
        switch self {
        case .text(let block, _, _), .reasoning(let block, _, _): block
        case .tool(let call): call.id
        case .permission(let ask): ask.id
        case .question(let ask): ask.id
        case .answered(let answered): answered.id
        case .accepted, .waiting, .started, .todos, .changes, .usage, .notice, .ended: nil
        }
    }

    /// What it does to its block.
    fileprivate func content() throws -> (text: String, replaces: Bool)? {
        switch self {
        case .text(_, let text, let replaces), .reasoning(_, let text, let replaces): (text, replaces)
        case .tool(let call): (String(decoding: try JSONEncoder().encode(call), as: UTF8.self), true)
        case .accepted, .waiting, .started, .permission, .question, .answered, .todos, .changes, .usage, .notice,
            .ended:
            nil
        }
    }
}

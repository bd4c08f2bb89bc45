public import AgentModel
import GRDB

/// Something that the agent is still to do to a session of its own.
public struct Errand: Hashable, Sendable {
    /// Number; done in this order.
    public var id: Int64
    /// Whose.
    public var session: AgentSessionID
    /// The title it is to have; nil: it is to be removed.
    public var title: String?
}

/// A session that the agent may be at work in with a turn that has ended here: agent-worker or chat-bridge was killed
/// under it.
struct AtWork: Hashable, Sendable {
    var session: SessionID
    /// The agent's own; nil: it has none.
    var agent: AgentSessionID?
}

extension ChatStore {
    /// All of those sessions, or the one if it is among them.
    func atWork(in session: SessionID? = nil) async throws -> [AtWork] {
        let sql = """
            SELECT at_work.session, agent_session FROM at_work JOIN session ON session.id = at_work.session
            WHERE at_work.session = coalesce(?, at_work.session)
            AND NOT EXISTS (SELECT 1 FROM turn WHERE turn.session = at_work.session AND state = 'running')
            """
        return try await queue.read { db in
            try Row.fetchAll(db, sql: sql, arguments: [session?.rawValue]).map {
                let agent = $0["agent_session"] as String?
                return AtWork(
                    session: SessionID(rawValue: $0["session"]), agent: agent.map { AgentSessionID(rawValue: $0) })
            }
        }
    }

    /// The agent does nothing in a session any more.
    func rests(_ session: SessionID) async throws {
        try await write { db in
            try db.execute(sql: "DELETE FROM at_work WHERE session = ?", arguments: [session.rawValue])
        }
    }

    /// The same, of a turn's session.
    static func rests(_ db: Database, of turn: TurnID) throws {
        try db.execute(
            sql: "DELETE FROM at_work WHERE session = (SELECT session FROM turn WHERE id = ?)",
            arguments: [turn.rawValue])
    }

    /// Errands that are kept; above that the oldest is given up.
    public static let errandLimit = 1000

    /// The oldest; nil: there is none.
    public func nextErrand() async throws -> Errand? {
        try await queue.read { db in
            try Row.fetchOne(db, sql: "SELECT id, agent_session, title FROM errand ORDER BY id LIMIT 1").map {
                Errand(id: $0["id"], session: AgentSessionID(rawValue: $0["agent_session"]), title: $0["title"])
            }
        }
    }

    /// It is done, or given up.
    public func finish(_ errand: Errand) async throws {
        try await write { db in try db.execute(sql: "DELETE FROM errand WHERE id = ?", arguments: [errand.id]) }
    }

    /// In the transaction that changes the session here. One that the agent never had needs none.
    static func leaveErrand(_ db: Database, title: String?, for session: SessionID) throws {
        let agent = try String.fetchOne(
            db, sql: "SELECT agent_session FROM session WHERE id = ?", arguments: [session.rawValue])
        guard let agent else { return }
        // The newest is all that counts.
        try db.execute(sql: "DELETE FROM errand WHERE agent_session = ?", arguments: [agent])
        try db.execute(
            sql: "INSERT INTO errand (agent_session, title, created) VALUES (?, ?, ?)",
            arguments: [agent, title, milliseconds()])
        try db.execute(
            sql: "DELETE FROM errand WHERE id <= (SELECT max(id) FROM errand) - ?", arguments: [errandLimit])
    }
}

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

extension ChatStore {
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

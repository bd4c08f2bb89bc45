import AgentModel
import GRDB

/// The list of sessions as of a number.
public struct SessionList: Sendable {
    /// Newest first.
    public var sessions: [ChatSession]
    /// Changes behind this one are not in it.
    public var number: ListNumber
}

/// A change of the list.
public struct ListChange: Hashable, Sendable {
    /// Its place among all.
    public var number: ListNumber
    /// What.
    public var what: What

    /// Of a session that changes again and again only the last is told.
    public enum What: Hashable, Sendable {
        /// It is new, or as it is now.
        case session(ChatSession)
        /// It was deleted.
        case gone(SessionID)
    }
}

extension ChatStore {
    /// Changes that are read at once.
    static let listPage = 256
    /// Sessions in one list; what is older is found by its words.
    public static let listLimit = 10_000

    /// The sessions, the one with the newest message first, and where `changes` goes on.
    public func list(limit: Int = listLimit) async throws -> SessionList {
        try await queue.read { db in
            SessionList(
                sessions: try Self.sessions(db, where: "1", [], limit: limit),
                number: ListNumber(rawValue: try Int64.fetchOne(db, sql: "SELECT last FROM listing") ?? 0))
        }
    }

    /// The next changes behind a number, in order; nil: it was told of another file, or so long ago that the ends of
    /// sessions since are not all kept.
    public func listChanges(after: ListNumber) async throws -> [ListChange]? {
        try await queue.read { db in
            let isKnown = try Bool.fetchOne(
                db, sql: "SELECT ?1 BETWEEN floor AND last FROM listing", arguments: [after.rawValue])
            guard isKnown == true else { return nil }
            let sessions = try Self.rows(
                db, where: "changed > ? ORDER BY changed LIMIT ?", [after.rawValue, Self.listPage]
            ).map { ListChange(number: ListNumber(rawValue: $0["changed"]), what: .session(Self.session($0))) }
            let gone = try Row.fetchAll(
                db, sql: "SELECT changed, session FROM gone WHERE changed > ? ORDER BY changed LIMIT ?",
                arguments: [after.rawValue, Self.listPage]
            ).map {
                ListChange(
                    number: ListNumber(rawValue: $0["changed"]), what: .gone(SessionID(rawValue: $0["session"])))
            }
            return Array((sessions + gone).sorted { $0.number < $1.number }.prefix(Self.listPage))
        }
    }

    static func sessions(
        _ db: Database, where condition: String, _ arguments: StatementArguments, limit: Int
    ) throws -> [ChatSession] {
        try rows(db, where: "\(condition) ORDER BY place DESC, rowid DESC LIMIT ?", arguments + [limit]).map(session)
    }

    private static func rows(
        _ db: Database, where condition: String, _ arguments: StatementArguments
    ) throws -> [Row] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT id, title, workspace, model, agent, created, updated, turns, tokens, cost, reverted, state, asking, changed, place \
                FROM session WHERE \(condition)
                """, arguments: arguments)
    }

    private static func session(_ row: Row) -> ChatSession {
        ChatSession(
            id: SessionID(rawValue: row["id"]), title: row["title"], workspace: row["workspace"],
            choice: TurnChoice(model: row["model"], agent: row["agent"]),
            state: TurnState(rawValue: row["state"]) ?? .done, turns: row["turns"], tokens: row["tokens"],
            cost: row["cost"], reverted: row["reverted"], asking: row["asking"], place: row["place"],
            created: row["created"],
            updated: row["updated"])
    }
}

import AgentModel
import Foundation
import GRDB

extension ChatStore {
    /// What a turn used so far: kept with it, and what is new of it with the day.
    static func spend(_ db: Database, _ usage: Usage, by turn: TurnID) throws {
        let row = try Row.fetchOne(db, sql: "SELECT tokens, cost FROM turn WHERE id = ?", arguments: [turn.rawValue])
        guard let row else { return }
        let before = Spent(tokens: row["tokens"], cost: row["cost"])
        try db.execute(
            sql: "UPDATE turn SET tokens = ?, cost = ? WHERE id = ?",
            arguments: [usage.tokens, usage.cost, turn.rawValue])
        // opencode may reckon a turn anew, lower than before: a day never gets anything back.
        try db.execute(
            sql: """
                INSERT INTO spent (day, tokens, cost) VALUES (?, ?, ?) ON CONFLICT DO UPDATE \
                SET tokens = tokens + excluded.tokens, cost = cost + excluded.cost
                """,
            arguments: [
                Day.name(of: Date()), max(0, usage.tokens - before.tokens), max(0, usage.cost - before.cost),
            ])
    }

    /// What today used.
    public func spentToday() async throws -> Spent { try await queue.read { db in try Self.spentToday(db) } }

    static func spentToday(_ db: Database) throws -> Spent {
        let row = try Row.fetchOne(
            db, sql: "SELECT tokens, cost FROM spent WHERE day = ?", arguments: [Day.name(of: Date())])
        return row.map { Spent(tokens: $0["tokens"], cost: $0["cost"]) } ?? Spent()
    }
}

import AgentModel
import Foundation
import GRDB

extension ChatStore {
    /// Tokens of a day, and US dollars; a turn reckoned anew again and again can add more than it used.
    static let dayTokensLimit = 1000 * Usage.tokensLimit
    /// See `dayTokensLimit`.
    static let dayCostLimit = 1000 * Usage.costLimit

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
                INSERT INTO spent (day, tokens, cost) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE \
                SET tokens = min(tokens + excluded.tokens, ?4), cost = min(cost + excluded.cost, ?5)
                """,
            arguments: [
                Day.name(of: Date()), max(0, usage.tokens - before.tokens), max(0, usage.cost - before.cost),
                dayTokensLimit, dayCostLimit,
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

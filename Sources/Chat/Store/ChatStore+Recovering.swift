import GRDB

/// Turns that were with the agent when chat-bridge ended, and are still so in the store.
struct LeftOver: Sendable {
    let turns: [ChatTurn]
    /// What they are told.
    let reason: String
    /// Hears that it is stored; of a store that took it at once nobody needs to.
    var written: (@Sendable () -> Void)?
}

extension ChatStore {
    /// What a start found.
    public struct Recovered: Sendable {
        /// These were with the agent, by prompts that it may still know: they go on.
        public var running: [ChatTurn]
        /// These were perhaps with the agent, and are interrupted.
        public var interrupted: [ChatTurn]
        /// These wait, oldest first.
        public var queued: [ChatTurn]
        /// False: the store could not be written, and the end of the interrupted ones waits for that.
        public var isWritten: Bool
    }

    /// At the start of chat-bridge: turns that were with the agent go on where it can be asked for them; whether it has got
    /// the others nobody knows, and they are interrupted, with that reason.
    ///
    /// A store that cannot be written now keeps nobody from reading it. Whoever reads finds them interrupted all the same, and
    /// it is written with the first transaction that the store takes. Nothing goes to the agent before, for that takes one.
    /// `later` hears when it was so.
    public func recover(
        reason: String, later: @escaping @Sendable ([ChatTurn]) -> Void = { _ in }
    ) async throws -> Recovered {
        let isKnown = "prompt IS NOT NULL AND session IN (SELECT id FROM session WHERE agent_session IS NOT NULL)"
        let (running, cut, queued) = try await queue.read { db in
            (
                try Self.turns(db, where: "state = 'running' AND \(isKnown)", []),
                try Self.turns(db, where: "state = 'running' AND NOT (\(isKnown))", []),
                try Self.turns(db, where: "state = 'queued'", [])
            )
        }
        guard !cut.isEmpty else {
            return Recovered(running: running, interrupted: [], queued: queued, isWritten: true)
        }
        leftOver.withLock { $0 = LeftOver(turns: cut, reason: reason) }
        do {
            try await write { _ in }
        } catch  where StoreFailure.isPassing(error) && StoreFailure.isTrouble(error) {
            let waits = try await queue.writeWithoutTransaction { [self] db in
                // Something else may have been written since, and this with it.
                let waits = leftOver.withLock { left in
                    left?.written = { later(cut) }
                    return left != nil
                }
                if waits { try Self.show(db, cut, as: reason) }
                return waits
            }
            return Recovered(running: running, interrupted: cut, queued: queued, isWritten: !waits)
        }
        return Recovered(running: running, interrupted: cut, queued: queued, isWritten: true)
    }

    /// In a transaction, before anything else in it; `settle` what it returns behind its commit.
    func writeLeftOver(_ db: Database) throws -> LeftOver? {
        guard let left = leftOver.withLock({ $0 }) else { return nil }
        try db.execute(sql: "DROP VIEW IF EXISTS temp.session; DROP VIEW IF EXISTS temp.turn")
        try Self.interrupt(db, left.turns, reason: left.reason)
        let (rules, now) = (endRules.withLock { $0 }, Self.milliseconds())
        for turn in left.turns { try Self.sayEnd(db, of: turn.id, .interrupted, left.reason, rules, now: now) }
        return left
    }

    /// It is stored. (Not told by GRDB's `afterNextTransaction`: of a commit that a full disk refuses SQLite rolls back without a
    /// word, and what is told then is the next transaction's.)
    func settle(_ left: LeftOver?) {
        // What `recover` has added since is asked for now.
        guard left != nil,
            let left = leftOver.withLock({ kept in
                defer { kept = nil }
                return kept
            })
        else { return }
        left.written?()
    }

    /// Puts a view of this connection in front of each of the two tables that tell how turns are (SQLite looks a name up
    /// among the temporary ones first, https://sqlite.org/lang_naming.html): no reader can forget to ask. In memory, for there
    /// may be no room anywhere.
    private static func show(_ db: Database, _ turns: [ChatTurn], as reason: String) throws {
        let ids = turns.map(\.id.description).joined(separator: ", ")
        let words = "'\(reason.replacing("'", with: "''"))'"
        let isCut = "CASE WHEN turn.id IN (\(ids)) THEN"
        func columns(_ table: String, _ others: [String: String]) throws -> String {
            try StoreTables.columns(db, of: table).map { name in others[name].map { "\($0) AS \(name)" } ?? name }
                .joined(separator: ", ")
        }
        let ofTurn = try columns(
            "turn",
            [
                "state": "\(isCut) '\(TurnState.interrupted.rawValue)' ELSE turn.state END",
                "reason": "\(isCut) \(words) ELSE turn.reason END",
            ])
        let ofSession = try columns(
            "session",
            [
                "state": """
                CASE WHEN session.id IN (SELECT session FROM main.turn WHERE turn.id IN (\(ids))) \
                THEN \(ListSchema.state(of: "session.id")) ELSE session.state END
                """
            ])
        try db.execute(
            sql: """
                PRAGMA temp_store = MEMORY;
                CREATE TEMP VIEW turn AS SELECT \(ofTurn) FROM main.turn;
                CREATE TEMP VIEW session AS SELECT \(ofSession) FROM main.session;
                """)
    }
}

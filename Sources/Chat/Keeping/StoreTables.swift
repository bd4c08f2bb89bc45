import GRDB

/// Which tables hold the conversations, and which belong to this machine: who may come in, who is told.
///
/// A backup holds conversations only, and restoring one leaves what is the machine's as it is now: a device that was
/// shut out since does not come back.
enum StoreTables {
    // Everything that refers to one of these belongs to the conversations too.
    private static let roots: Set<String> = ["session", "turn", "attachment", "file"]

    /// Tables of the conversations; those of FTS5 go with their own.
    static func ofConversations(_ db: Database) throws -> Set<String> {
        let all = try names(db)
        var found = roots.intersection(all)
        while true {
            let more = try all.filter { table in
                guard !found.contains(table) else { return false }
                let parents = try String.fetchAll(
                    db, sql: "SELECT \"table\" FROM pragma_foreign_key_list(?)", arguments: [table])
                return !found.isDisjoint(with: parents)
            }
            if more.isEmpty { return found }
            found.formUnion(more)
        }
    }

    /// The others of ours; what somebody added is neither.
    static func ofTheMachine(_ db: Database) throws -> [String] {
        try names(db).intersection(StoreInspection.ownNames()).subtracting(ofConversations(db))
            .subtracting(["grdb_migrations"]).sorted()
    }

    /// Removes what somebody added, from a copy: nobody knows what is in it, or what a trigger of his does.
    static func dropOthers(_ db: Database) throws {
        let own = try StoreInspection.ownNames()
        // Triggers and views first: they may speak of his tables.
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT type, name FROM sqlite_schema WHERE type IN ('trigger', 'view', 'table') \
                AND name NOT LIKE 'sqlite_%' ORDER BY type = 'table'
                """)
        for row in rows where !own.contains(row["name"]) {
            let (type, name) = (row["type"] as String, row["name"] as String)
            try db.execute(sql: "DROP \(type) IF EXISTS \(name.quotedDatabaseIdentifier)")
        }
    }

    /// Columns, without generated ones.
    static func columns(_ db: Database, of table: String) throws -> [String] {
        try String.fetchAll(db, sql: "SELECT name FROM pragma_table_info(?)", arguments: [table])
    }

    private static func names(_ db: Database) throws -> Set<String> {
        Set(
            try String.fetchAll(
                db,
                sql: """
                    SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
                    AND name NOT LIKE 'sqlite_%'
                    """))
    }
}

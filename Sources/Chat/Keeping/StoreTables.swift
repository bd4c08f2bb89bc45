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

    /// The others.
    static func ofTheMachine(_ db: Database) throws -> [String] {
        try names(db).subtracting(ofConversations(db)).subtracting(["grdb_migrations"]).sorted()
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

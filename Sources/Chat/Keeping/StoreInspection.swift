import Foundation
import GRDB

/// Why chat-bridge will not use a file that is sound: it is not for this version, or not a store at all. Nothing in it
/// was changed.
public struct StoreRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// What it is, and what to do.
    public let description: String
}

extension StoreInspection.Objection {
    /// Of the store, for its owner. What it holds may well be sound.
    func words(ofStore path: String) -> String {
        switch self {
        case .notOurs: "\(path) is no store of chat-bridge; move it away, and a new one is begun"
        case .newer(let names):
            "\(path) was written by a newer Nexus (\(Self.words(names))) and is left as it is; install that version again, or "
                + "move the file away to begin anew"
        case .strange(let name):
            "\(path) is left as it is: its \(name) is not as any version of Nexus makes it; put that back (sqlite3 shows it by "
                + ".schema), restore a copy of the file, or move it away to begin anew"
        }
    }

    /// Of a file that was given to be restored: nothing is to be done to the store for its sake.
    var wordsOfBackup: String {
        switch self {
        case .notOurs:
            "it is a database of something else, and no backup of conversations (nexusctl chat backup makes one)"
        case .newer(let names): "it was written by a newer Nexus (\(Self.words(names))); that version can restore it"
        case .strange(let name): "its \(name) is not as any version of Nexus makes it; take another backup"
        }
    }

    private static func words(_ unknown: [String]) -> String {
        "it has \"\(unknown.joined(separator: "\", \""))\", which this version does not know"
    }
}

/// What a file is, found by reading only: whatever comes of it, the file is as it was.
enum StoreInspection {
    enum Verdict: Hashable, Sendable {
        /// A store of this version or an older one, or nothing yet.
        case usable
        /// What was under way when its process was killed has to be undone before it can be read, which takes a writer: it
        /// is to be looked at again then (https://sqlite.org/rescode.html, SQLITE_READONLY_ROLLBACK).
        case interrupted
        /// SQLite's word on it.
        case damaged(String)
        /// Sound, and nothing for this version.
        case refused(Objection)
    }

    /// Why a sound file is not used.
    enum Objection: Hashable, Sendable {
        /// It is a database of somebody else.
        case notOurs
        /// It has these migrations, which this version does not know.
        case newer([String])
        /// Something of ours with this name is missing in it, or changed.
        case strange(String)
    }

    /// "NxCh", in the header of each store (https://sqlite.org/fileformat.html, 1.3.7).
    static let applicationID = 0x4E78_4368

    /// Reads the whole file, its log included: `PRAGMA quick_check` and the names of the migrations. Throws when the
    /// machine is at fault (no memory, an I/O error, somebody else's lock): that says nothing about the file.
    static func verdict(on path: String) throws -> Verdict {
        guard !StoreFile.isEmpty(path) else { return .usable }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            defer { try? queue.close() }
            return try queue.read { db in try look(db, path) }
        } catch let error as DatabaseError where isDamage(error) {
            return .damaged(error.message ?? "SQLite error \(error.resultCode.rawValue)")
        } catch let error as DatabaseError where error.resultCode == .SQLITE_READONLY {
            return .interrupted
        }
    }

    /// The same on a connection that is open.
    static func look(_ db: Database, _ path: String) throws -> Verdict {
        let check = try String.fetchAll(db, sql: "PRAGMA quick_check(1)")
        guard check == ["ok"] else {
            let words = check.joined(separator: "; ")
            if isOfTheDisk(words) { throw DatabaseError(resultCode: .SQLITE_IOERR, message: words) }
            return .damaged(words)
        }
        let tables = try String.fetchAll(db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table'")
        if tables.isEmpty { return .usable }
        let known = Schema.migrator.migrations
        var applied: Set<String> = []
        if tables.contains("grdb_migrations") {
            applied = Set(try String.fetchAll(db, sql: "SELECT identifier FROM grdb_migrations"))
        }
        let unknown = applied.subtracting(known).sorted()
        if applied.isDisjoint(with: known) {
            return .refused(.notOurs)
        }
        if unknown.isEmpty {
            // An older one gets the rest of its tables first.
            let strange = applied.count == known.count ? try strangeTable(db) : nil
            return strange.map { .refused(.strange($0)) } ?? .usable
        }
        // A later version has all that this one knows, and more. Anything else are bytes that changed.
        guard applied.isSuperset(of: known) else {
            return .damaged("its list of migrations is not that of any version")
        }
        return .refused(.newer(unknown))
    }

    /// quick_check does not fail where a page cannot be read, but says so with its error code: SQLITE_IOERR and its kinds, of
    /// which SQLITE_IOERR_SHORT_READ (522) alone is a file that ends too early (https://sqlite.org/rescode.html).
    static func isOfTheDisk(_ words: String) -> Bool {
        words.matches(of: /error code[ =](\d+)/).compactMap { Int($0.1) }.contains { $0 & 0xFF == 10 && $0 != 522 }
    }

    /// The name of something of ours that is missing, or not as the migrations make it, with all of them; nil: all is.
    /// quick_check believes what the file says of its own tables. What somebody added (statistics, an index, a table of
    /// his own) is his.
    static func strangeTable(_ db: Database) throws -> String? {
        let meant = try fresh { try descriptions($0) }
        let found = try descriptions(db)
        return meant.keys.sorted().first { meant[$0] != found[$0] }
    }

    /// Names of all that the migrations make.
    static func ownNames() throws -> Set<String> { try fresh { Set(try descriptions($0).keys) } }

    private static func fresh<Value>(_ read: (Database) throws -> Value) throws -> Value {
        let fresh = try DatabaseQueue()
        try Schema.migrator.migrate(fresh)
        return try fresh.read(read)
    }

    // In words without their order: which migration added its column first does not matter.
    private static func descriptions(_ db: Database) throws -> [String: [String]] {
        let rows = try Row.fetchAll(db, sql: "SELECT type, name, tbl_name, sql FROM sqlite_schema")
        let pairs = rows.map { row -> (String, [String]) in
            let words = (row["sql"] as String? ?? "").split { " ,()\n".contains($0) }.map(String.init).sorted()
            return (
                row["name"] as String? ?? "", [row["type"] as String? ?? "", row["tbl_name"] as String? ?? ""] + words
            )
        }
        return Dictionary(pairs) { $0 + $1 }
    }

    /// True when it is the file that is wrong. While a file is only looked at, everything else than these is.
    static func isDamage(_ error: DatabaseError) -> Bool {
        let ofTheMachine: [ResultCode] = [
            .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_NOMEM, .SQLITE_FULL, .SQLITE_PERM,
            .SQLITE_AUTH, .SQLITE_PROTOCOL, .SQLITE_INTERRUPT, .SQLITE_MISUSE, .SQLITE_NOLFS,
        ]
        // A file of which the header says that nobody may write it, and nothing else of that kind.
        if error.resultCode == .SQLITE_READONLY { return error.extendedResultCode == .SQLITE_READONLY }
        return !ofTheMachine.contains(error.resultCode)
    }
}

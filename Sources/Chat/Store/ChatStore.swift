import Foundation
import GRDB
import Glibc

/// Sessions, turns and events in one SQLite file. What is accepted is on the disk (WAL, synchronous FULL) before it is
/// acknowledged; every change is one transaction.
///
/// One process writes: chat-bridge. All calls may come from any task.
public final class ChatStore: Sendable {
    let queue: DatabaseQueue
    /// Where a damaged file was put; nil where there was none.
    public let movedAside: String?
    /// The file.
    public let path: String

    /// Opens or makes `chat.sqlite` in a directory, which is made too (mode 0700, the file 0600). A file that SQLite
    /// finds damaged is moved aside under a dated name and kept; a new one is begun.
    public init(directory: String, now: Date = Date()) throws {
        let file = StoreFile(directory: directory)
        try file.prepare()
        path = file.path
        do {
            queue = try Self.open(file.path)
            movedAside = nil
        } catch let error as DatabaseError where Self.isDamage(error) {
            movedAside = try file.moveAside(now: now)
            try file.prepare()
            queue = try Self.open(file.path)
        }
    }

    /// Writes everything into the one file and lets go of it.
    public func close() throws { try queue.close() }

    private static func open(_ path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            // FULL: a commit survives the loss of power, not only of the process (https://sqlite.org/pragma.html).
            try db.execute(sql: "PRAGMA synchronous = FULL")
        }
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.read { db in
            let verdict = try String.fetchAll(db, sql: "PRAGMA quick_check(1)")
            guard verdict == ["ok"] else {
                throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: verdict.joined(separator: "; "))
            }
        }
        try Schema.migrator.migrate(queue)
        return queue
    }

    private static func isDamage(_ error: DatabaseError) -> Bool {
        error.resultCode == .SQLITE_CORRUPT || error.resultCode == .SQLITE_NOTADB
    }

    /// Milliseconds since 1970.
    static func milliseconds() -> Int64 { Int64((Date().timeIntervalSince1970 * 1000).rounded()) }
}

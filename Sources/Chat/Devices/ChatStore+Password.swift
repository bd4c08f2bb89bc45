import Foundation
import GRDB

extension ChatStore {
    /// The hash of the password that pairing needs beside a code; nil: none does.
    public func passwordHash() async throws -> String? {
        try await queue.read { db in try String.fetchOne(db, sql: "SELECT hash FROM password") }
    }

    /// Keeps another one, or none.
    public func setPassword(hash: String?, now: Date = Date()) async throws {
        let changed = Int64((now.timeIntervalSince1970 * 1000).rounded())
        let file = file
        try await write { db in
            try Self.setPassword(db, hash, changed: changed)
            try file.keepPassword(hash)
        }
    }

    private static func setPassword(_ db: Database, _ hash: String?, changed: Int64) throws {
        guard let hash else { return try db.execute(sql: "DELETE FROM password") }
        try db.execute(
            sql: "INSERT OR REPLACE INTO password (id, hash, changed) VALUES (1, ?, ?)", arguments: [hash, changed])
    }

    /// A damaged store must not take the password with it: its hash is kept in a file of its own too, and goes into a store
    /// that was begun anew or fell back. Else the store's is the one, and the file is made equal to it.
    /// - Returns: whether it was put in.
    static func settlePassword(_ queue: DatabaseQueue, _ file: StoreFile, isFallen: Bool) throws -> Bool {
        if isFallen, let hash = file.keptPassword() {
            try queue.write { db in try setPassword(db, hash, changed: milliseconds()) }
            return true
        }
        let hash = try queue.read { db in try String.fetchOne(db, sql: "SELECT hash FROM password") }
        // Where there is no room for it the next start writes it.
        if hash != file.keptPassword() { try? file.keepPassword(hash) }
        return false
    }
}

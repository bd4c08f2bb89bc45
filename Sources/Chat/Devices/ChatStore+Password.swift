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
        try await write { db in
            guard let hash else { return try db.execute(sql: "DELETE FROM password") }
            try db.execute(
                sql: "INSERT OR REPLACE INTO password (id, hash, changed) VALUES (1, ?, ?)", arguments: [hash, changed])
        }
    }
}

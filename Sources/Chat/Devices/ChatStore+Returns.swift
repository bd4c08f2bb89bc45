public import Foundation
import GRDB

extension ChatStore {
    /// Gives each receiver of a word that has a new address a link of its own: a device comes back by it as itself; who reads the
    /// webhook, as the owner's device that was here last. What was given with another address is worth nothing now.
    static func giveLinks(
        _ db: Database, to url: String, word: String, now: Int64, _ make: @Sendable (DeviceID) -> ReturnCode
    ) throws {
        try db.execute(sql: "DELETE FROM return_code")
        let sql = """
            SELECT delivery.id, coalesce(delivery.device,
                (SELECT id FROM device WHERE role = 'owner' ORDER BY seen DESC, id LIMIT 1)) AS whose
            FROM delivery WHERE word = ?
            """
        for row in try Row.fetchAll(db, sql: sql, arguments: [word]) {
            guard let whose = row["whose"] as String? else { continue }
            let code = make(DeviceID(rawValue: whose))
            try db.execute(
                sql: "INSERT INTO return_code (hash, device, until, tries) VALUES (?, ?, ?, ?)",
                arguments: [Data(code.hash), whose, now + ReturnCode.lifetime, ReturnCode.passwordTries])
            try db.execute(
                sql: "UPDATE delivery SET link = ?, link_device = ? WHERE id = ?",
                arguments: [code.link(to: url), whose, row["id"] as Int64])
        }
    }

    /// Whose code that is; nil: it is wrong, old or spent. It is not spent by that.
    public func returning(codeHash: [UInt8], now: Date = Date()) async throws -> DeviceID? {
        try await queue.read { db in
            try String.fetchOne(
                db, sql: "SELECT device FROM return_code WHERE hash = ? AND until > ?",
                arguments: [Data(codeHash), Self.milliseconds(now)])
        }.map { DeviceID(rawValue: $0) }
    }

    /// Takes one of a code's tries for the password. False: it has none left, and is gone.
    public func tryPassword(beside codeHash: [UInt8]) async throws -> Bool {
        try await write { db in
            try db.execute(
                sql: "UPDATE return_code SET tries = tries - 1 WHERE hash = ? AND tries > 0",
                arguments: [Data(codeHash)])
            if db.changesCount == 1 { return true }
            try db.execute(sql: "DELETE FROM return_code WHERE hash = ?", arguments: [Data(codeHash)])
            return false
        }
    }

    /// Spends a code: its device has this token from now on, and the one before lets nobody in. Nil: the code is worth nothing.
    /// - Parameter keyHash: as `Device.keyHash`.
    public func readmit(
        codeHash: [UInt8], tokenHash: [UInt8], keyHash: [UInt8]? = nil, address: String, now: Date = Date()
    ) async throws -> Device? {
        let now = Self.milliseconds(now)
        return try await write { db in
            let whose = try String.fetchOne(
                db, sql: "DELETE FROM return_code WHERE hash = ? AND until > ? RETURNING device",
                arguments: [Data(codeHash), now])
            guard let whose else { return nil }
            try db.execute(
                sql: "UPDATE device SET token_hash = ?, key_hash = ?, seen = ?, address = ? WHERE id = ?",
                arguments: [Data(tokenHash), keyHash.map { Data($0) }, now, address, whose])
            return try Self.devices(db, where: "id = ?", [whose]).first
        }
    }
}

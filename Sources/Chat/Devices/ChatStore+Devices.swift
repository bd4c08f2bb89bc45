import Foundation
import GRDB

extension ChatStore {
    /// Devices that may be paired at a time.
    public static let deviceLimit = 64
    /// A device that was not here for so long has to be paired anew: 180 days, in milliseconds.
    static let deviceIdleLimit: Int64 = 180 * 86_400_000
    /// Tokens that were revoked, of which as many are known as such: the newest.
    public static let revokedLimit = 256
    /// `seen` is written at most this often, in milliseconds.
    private static let seenStep: Int64 = 60_000

    /// Remembers a device under the hash of its token; the token itself is kept nowhere.
    public func add(_ device: Device, tokenHash: [UInt8]) async throws {
        try await write { db in
            let count = try Int.fetchOne(db, sql: "SELECT count(*) FROM device") ?? 0
            guard count < Self.deviceLimit else {
                throw ChatError(
                    .busy,
                    "\(count) devices are paired already; revoke one: nexusctl devices, nexusctl devices revoke ID")
            }
            try db.execute(
                sql: """
                    INSERT INTO device (id, name, role, token_hash, created, seen, address, key_hash)
                        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    device.id.rawValue, device.name, device.role.rawValue, Data(tokenHash), device.created, device.seen,
                    device.address, device.keyHash.map { Data($0) },
                ])
        }
    }

    /// The device with that token, which is seen now; nil: no such device, or it was away for too long.
    public func device(tokenHash: [UInt8], address: String, now: Date = Date()) async throws -> Device? {
        let now = Int64((now.timeIntervalSince1970 * 1000).rounded())
        let found = try await queue.read { db in
            try Self.devices(db, where: "token_hash = ? AND seen >= ?", [Data(tokenHash), now - Self.deviceIdleLimit])
                .first
        }
        guard var device = found else { return nil }
        guard now - device.seen >= Self.seenStep || device.address != address else { return device }
        device.seen = now
        device.address = address
        // A disk that is full shuts nobody out: the date alone is not kept.
        try? await write { [device] db in
            try db.execute(
                sql: "UPDATE device SET seen = ?, address = ? WHERE id = ?",
                arguments: [now, address, device.id.rawValue])
        }
        return device
    }

    /// A device was here until now, with something that it asked for long ago.
    public func saw(_ id: DeviceID, now: Date = Date()) async {
        let now = Self.milliseconds(now)
        let isNew = try? await queue.read { db in
            try Bool.fetchOne(
                db, sql: "SELECT seen <= ? FROM device WHERE id = ?", arguments: [now - Self.seenStep, id.rawValue])
        }
        guard isNew == true else { return }
        // As above: the date alone is not kept.
        try? await write { db in
            try db.execute(
                sql: "UPDATE device SET seen = max(seen, ?) WHERE id = ?", arguments: [now, id.rawValue])
        }
    }

    /// All devices, the one that was here last first.
    public func devices() async throws -> [Device] {
        try await queue.read { db in try Self.devices(db, where: "1", []) }
    }

    /// Forgets a device, but for the hash of its token; throws `unknown` for no such one.
    public func revoke(_ id: DeviceID, now: Date = Date()) async throws {
        try await write { db in
            let token = try Data.fetchOne(
                db, sql: "DELETE FROM device WHERE id = ? RETURNING token_hash", arguments: [id.rawValue])
            guard let token else { throw ChatError(.unknown, "there is no device '\(id)'; see: nexusctl devices") }
            try db.execute(
                sql: "INSERT OR REPLACE INTO revoked_token (token_hash, revoked) VALUES (?, ?)",
                arguments: [token, Self.milliseconds(now)])
            try db.execute(
                sql: """
                    DELETE FROM revoked_token WHERE token_hash NOT IN
                        (SELECT token_hash FROM revoked_token ORDER BY revoked DESC LIMIT \(Self.revokedLimit))
                    """)
        }
    }

    /// True for the token of a device that was revoked.
    public func isRevoked(tokenHash: [UInt8]) async throws -> Bool {
        try await queue.read { db in
            try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM revoked_token WHERE token_hash = ?)",
                arguments: [Data(tokenHash)]) ?? false
        }
    }

    static func devices(
        _ db: Database, where condition: String, _ arguments: StatementArguments
    ) throws -> [Device] {
        let sql = """
            SELECT id, name, role, created, seen, address, key_hash FROM device WHERE \(condition) ORDER BY seen DESC, id
            """
        return try Row.fetchAll(db, sql: sql, arguments: arguments).map { row in
            Device(
                id: DeviceID(rawValue: row["id"]), name: row["name"],
                // The column's CHECK lets nothing else in; a role that is not understood may do the least.
                role: DeviceRole(rawValue: row["role"]) ?? .chatOnly, created: row["created"], seen: row["seen"],
                address: row["address"], keyHash: (row["key_hash"] as Data?).map(Array.init))
        }
    }
}

import GRDB

extension ChatStore {
    /// Remembers how a device wants to be told things, in place of what it said before. It goes with the device.
    public func subscribe(_ device: DeviceID, _ subscription: PushSubscription) async throws {
        let now = Self.milliseconds()
        try await write { db in
            // REPLACE would take what is on its way with it.
            try db.execute(
                sql: """
                    INSERT INTO subscription (device, endpoint, public_key, secret, created) VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT (device) DO UPDATE SET endpoint = excluded.endpoint, public_key = excluded.public_key,
                    secret = excluded.secret, created = excluded.created
                    """,
                arguments: [
                    device.rawValue, subscription.endpoint, subscription.publicKey, subscription.secret, now,
                ])
        }
    }

    /// The device wants to hear nothing any more.
    public func unsubscribe(_ device: DeviceID) async throws {
        try await write { db in
            try db.execute(sql: "DELETE FROM subscription WHERE device = ?", arguments: [device.rawValue])
        }
    }

    /// The push service does not know this subscription any more. One that took its place meanwhile stays.
    public func forget(_ subscription: PushSubscription, of device: DeviceID) async throws {
        try await write { db in
            try db.execute(
                sql: "DELETE FROM subscription WHERE device = ? AND endpoint = ?",
                arguments: [device.rawValue, subscription.endpoint])
        }
    }

    /// How a device wants to be told things; nil: not at all.
    public func subscription(of device: DeviceID) async throws -> PushSubscription? {
        try await queue.read { db in
            try Row.fetchOne(
                db, sql: "SELECT endpoint, public_key, secret FROM subscription WHERE device = ?",
                arguments: [device.rawValue]
            ).flatMap {
                PushSubscription(endpoint: $0["endpoint"], publicKey: $0["public_key"], secret: $0["secret"])
            }
        }
    }
}

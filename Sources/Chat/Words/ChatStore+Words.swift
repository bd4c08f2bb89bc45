public import Foundation
import GRDB

extension ChatStore {
    /// Words on their way at a time; beyond it the oldest is given up.
    public static let deliveryLimit = 256
    /// Words whose keys are remembered, so that none is said twice.
    static let wordLimit = 1024

    /// From now on the word of a turn's end is written with it, in one transaction: no crash comes between the two.
    func sayEnds(by rules: WordRules) { endRules.withLock { $0 = rules } }

    /// In the transaction that ends a turn.
    static func sayEnd(
        _ db: Database, of turn: TurnID, _ state: TurnState, _ reason: String?, _ rules: WordRules, now: Int64
    ) throws {
        guard rules.send.contains(.turn), !TurnRunner.isKnownToTheUser(state, reason) else { return }
        let session = try String.fetchOne(
            db, sql: "SELECT session FROM turn WHERE id = ?", arguments: [turn.rawValue])
        guard let session else { return }
        let word = Word.turn(SessionID(rawValue: session), turn, state)
        _ = try add(db, word, id: Word.randomID(), rules, now: now)
    }

    /// Writes a word down for all who are to get it. False: it was said before, or nobody gets it.
    func add(
        _ word: Word, id: String, _ rules: WordRules, now: Int64,
        _ returning: (@Sendable (DeviceID) -> ReturnCode)? = nil
    ) async throws -> Bool {
        try await write(patience: Self.longPatience) { db in
            try Self.add(db, word, id: id, rules, now: now, returning)
        }
    }

    private static func add(
        _ db: Database, _ word: Word, id: String, _ rules: WordRules, now: Int64,
        _ returning: (@Sendable (DeviceID) -> ReturnCode)? = nil
    ) throws -> Bool {
        if case .address = word {
            // An address that comes back after another one is new again.
            try db.execute(
                sql: "DELETE FROM owner_word WHERE key LIKE ? AND key <> ?",
                arguments: [Word.addressKeys + "%", word.key])
        }
        let title = rules.withTitle ? try title(db, of: word.session) : nil
        let body = WordMessage(word, id: id, title: title, created: now).json
        try db.execute(
            sql: "INSERT OR IGNORE INTO owner_word (id, key, body, urgent, created) VALUES (?, ?, ?, ?, ?)",
            arguments: [id, word.key, body, word.isUrgent, now])
        guard db.changesCount == 1 else { return false }
        if rules.webhook != nil {
            try db.execute(
                sql: "INSERT INTO delivery (word, device, tries, due) VALUES (?, NULL, 0, ?)", arguments: [id, now])
        }
        // A device that was let in for the chat alone learns nothing of the machine.
        try db.execute(
            sql: """
                INSERT INTO delivery (word, device, tries, due) SELECT ?, device, 0, ?
                FROM subscription JOIN device ON device.id = subscription.device WHERE ? OR device.role = ?
                """,
            arguments: [id, now, word.kind.isOfTheChat, DeviceRole.owner.rawValue])
        if case .address(let url, lasts: false) = word, let returning {
            try giveLinks(db, to: url, word: id, now: now, returning)
        }
        try keepBounds(db)
        return true
    }

    /// What is still on its way to tell that the agent waits is not brought any more: it does not.
    /// - Parameter id: of what it asked; nil: of all in that turn.
    func withdrawAsked(in session: SessionID, _ turn: TurnID, id: String?) async throws {
        let keys = Word.askedKey(session, id ?? "")
        let sql = """
            SELECT delivery.id FROM delivery JOIN owner_word ON owner_word.id = delivery.word
            WHERE CASE WHEN ?1 THEN key = ?2
            ELSE substr(key, 1, length(?2)) = ?2 AND json_extract(body, '$.turn') = ?3 END
            """
        // Most turns ask nothing: then nothing is written.
        let gone = try await queue.read { db in
            try Int64.fetchAll(db, sql: sql, arguments: [id != nil, keys, turn.rawValue])
        }
        if gone.isEmpty { return }
        try await write(patience: Self.longPatience) { db in
            for id in gone { try db.execute(sql: "DELETE FROM delivery WHERE id = ?", arguments: [id]) }
        }
    }

    /// This child may be parked anew.
    func forgetParked(_ children: [String]) async throws {
        guard !children.isEmpty else { return }
        try await write(patience: Self.longPatience) { db in
            for child in children {
                // What is still on its way goes on.
                try db.execute(
                    sql: "UPDATE owner_word SET key = 'was-' || key || ':' || id WHERE key = ?",
                    arguments: [Word.parkedKey(child)])
            }
        }
    }

    /// Children that were told as parked and did not come back since.
    func parkedChildren() async throws -> [String] {
        try await queue.read { db in
            try String.fetchAll(
                db, sql: "SELECT substr(key, ?) FROM owner_word WHERE key LIKE ?",
                arguments: [Word.parkedKey("").count + 1, Word.parkedKey("%")])
        }
    }

    /// What is due now, oldest first, so many at most.
    public func dueDeliveries(now: Date = Date(), limit: Int) async throws -> [Delivery] {
        try await queue.read { db in
            let sql = """
                SELECT d.id, d.word, d.tries, d.device, w.body, w.urgent, w.created, d.link, d.link_device,
                s.endpoint, s.public_key, s.secret
                FROM delivery d JOIN owner_word w ON w.id = d.word LEFT JOIN subscription s ON s.device = d.device
                WHERE d.due <= ? ORDER BY d.due, d.id LIMIT ?
                """
            return try Row.fetchAll(db, sql: sql, arguments: [Self.milliseconds(now), limit]).compactMap(Self.delivery)
        }
    }

    /// When the next one is due; nil: none is on its way.
    public func nextDelivery() async throws -> Date? {
        try await queue.read { db in
            try Int64.fetchOne(db, sql: "SELECT min(due) FROM delivery").map {
                Date(timeIntervalSince1970: Double($0) / 1000)
            }
        }
    }

    /// It came, or it is given up.
    public func settle(_ delivery: Delivery) async throws {
        try await write(patience: Self.longPatience) { db in
            try db.execute(sql: "DELETE FROM delivery WHERE id = ?", arguments: [delivery.id])
        }
    }

    /// It is tried again then.
    public func postpone(_ delivery: Delivery, until due: Date) async throws {
        try await write(patience: Self.longPatience) { db in
            try db.execute(
                sql: "UPDATE delivery SET tries = ?, due = ? WHERE id = ?",
                arguments: [delivery.tries + 1, Self.milliseconds(due), delivery.id])
        }
    }

    private static func title(_ db: Database, of session: SessionID?) throws -> String? {
        guard let session else { return nil }
        return try String.fetchOne(db, sql: "SELECT title FROM session WHERE id = ?", arguments: [session.rawValue])
    }

    private static func keepBounds(_ db: Database) throws {
        try db.execute(
            sql: "DELETE FROM delivery WHERE id NOT IN (SELECT id FROM delivery ORDER BY id DESC LIMIT ?)",
            arguments: [deliveryLimit])
        // Who is parked and what the address is has to be remembered as long as it is so.
        try db.execute(
            sql: """
                DELETE FROM owner_word WHERE key NOT LIKE 'parked:%' AND key NOT LIKE 'address:%'
                AND rowid NOT IN (SELECT rowid FROM owner_word ORDER BY rowid DESC LIMIT ?)
                """, arguments: [wordLimit])
    }

    private static func delivery(_ row: Row) -> Delivery? {
        let receiver: Delivery.Receiver
        if let device = row["device"] as String? {
            guard
                let subscription = PushSubscription(
                    endpoint: row["endpoint"], publicKey: row["public_key"], secret: row["secret"])
            else { return nil }
            receiver = .device(DeviceID(rawValue: device), subscription)
        } else {
            receiver = .webhook
        }
        var body: String = row["body"]
        if let link = row["link"] as String?, let device = row["link_device"] as String? {
            body = WordMessage.with(link: link, of: DeviceID(rawValue: device), in: body)
        }
        return Delivery(
            id: row["id"], word: row["word"], body: body, isUrgent: row["urgent"], created: row["created"],
            tries: row["tries"], receiver: receiver)
    }

    static func milliseconds(_ date: Date) -> Int64 { Int64((date.timeIntervalSince1970 * 1000).rounded()) }
}

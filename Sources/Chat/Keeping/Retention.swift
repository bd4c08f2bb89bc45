import Foundation
import GRDB

/// How long conversations are kept. Without a bound: for ever.
public struct Retention: Hashable, Sendable {
    /// A session in which nothing was said for so long goes.
    public var maxAge: Duration?
    /// Bytes of the store, with the files of messages, above which the session unused for longest goes; never the newest.
    public var total: Int64?

    /// Both.
    public init(maxAge: Duration? = nil, total: Int64? = nil) {
        self.maxAge = maxAge
        self.total = total
    }

    /// What `{chat-keep}` becomes; nil for anything else.
    public init?(json: String) {
        struct Form: Decodable {
            var age: Int64?
            var total: Int64?

            private enum CodingKeys: String, CodingKey {
                case age = "max-age-milliseconds"
                case total = "total-bytes"
            }
        }
        guard let form = try? JSONDecoder().decode(Form.self, from: Data(json.utf8)) else { return nil }
        self.init(maxAge: form.age.map { .milliseconds($0) }, total: form.total)
    }

    /// Something may go.
    public var isBounded: Bool { maxAge != nil || total != nil }
}

extension ChatStore {
    /// Turns that are forgotten in one transaction, and pages that are given back to the disk in one.
    static let sweepTurns = 256
    private static let sweepPages = 256

    /// What one step of forgetting did.
    public enum Sweep: Hashable, Sendable {
        /// A session is gone with its last turns.
        case forgot(SessionID)
        /// Some turns are, or some bytes of the file; there is more to do.
        case more
        /// There is nothing to do now.
        case done
    }

    /// Lets the file shrink when something goes from it. A file that was made without that is written anew once, which
    /// needs as much room again and is not done while somebody waits: at the start.
    public func letShrink() async throws {
        try await queue.writeWithoutTransaction { db in
            guard try Int.fetchOne(db, sql: "PRAGMA auto_vacuum") == 0 else { return }
            try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
        }
    }

    /// One bounded step: a stretch of the oldest turns of one session, or pages that nothing is in any more.
    public func sweep(_ retention: Retention, now: Date = Date()) async throws -> Sweep {
        let now = Int64((now.timeIntervalSince1970 * 1000).rounded())
        return try await write { db in
            guard let session = try Self.outlived(db, retention, now: now) else {
                guard try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0 > 0,
                    try Int.fetchOne(db, sql: "PRAGMA auto_vacuum") == 2
                else { return .done }
                try db.execute(sql: "PRAGMA incremental_vacuum(\(Self.sweepPages))")
                return .more
            }
            let turns = try Int64.fetchAll(
                db, sql: "SELECT id FROM turn WHERE session = ? ORDER BY id LIMIT ?",
                arguments: [session, Self.sweepTurns + 1])
            try Self.forgetWords(db, ofTurns: turns.prefix(Self.sweepTurns).map(TurnID.init))
            if turns.count > Self.sweepTurns {
                try db.execute(
                    sql: "DELETE FROM turn WHERE session = ? AND id <= ?",
                    arguments: [session, turns[Self.sweepTurns - 1]])
                return .more
            }
            try Self.leaveErrand(db, title: nil, for: SessionID(rawValue: session))
            try db.execute(sql: "DELETE FROM session WHERE id = ?", arguments: [session])
            return .forgot(SessionID(rawValue: session))
        }
    }

    /// The session that is to go next. None of which a turn waits or runs.
    private static func outlived(_ db: Database, _ retention: Retention, now: Int64) throws -> String? {
        let idle = """
            SELECT id FROM session WHERE NOT EXISTS (
                SELECT 1 FROM turn WHERE session = session.id AND state IN ('queued', 'running'))
            """
        if let maxAge = retention.maxAge {
            let limit = now - Int64(maxAge / .milliseconds(1))
            let old = try String.fetchOne(
                db, sql: "\(idle) AND updated < ? ORDER BY updated, id LIMIT 1", arguments: [limit])
            if let old { return old }
        }
        guard let total = retention.total else { return nil }
        guard try bytes(db) > total else { return nil }
        return try String.fetchOne(
            db,
            sql: """
                \(idle) AND id <> (SELECT id FROM session ORDER BY place DESC, rowid DESC LIMIT 1) \
                ORDER BY place, rowid LIMIT 1
                """)
    }
}

extension ChatStore {
    /// Of the store, and of the files that messages have: what the end of sessions can change. A file of several counts once,
    /// and goes with the last of them.
    private static func bytes(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(
            db,
            sql: """
                SELECT (page_count - freelist_count) * page_size + (
                    SELECT coalesce(sum(bytes), 0) FROM file WHERE EXISTS (
                        SELECT 1 FROM attachment WHERE attachment.hash = file.hash)) \
                FROM pragma_page_count, pragma_freelist_count, pragma_page_size
                """) ?? 0
    }
}

extension ChatService {
    /// Between two steps, so that messages come in between; and before it is looked again whether something is old.
    private static let sweepPause: Duration = .milliseconds(100)
    private static let sweepInterval: Duration = .seconds(600)

    /// Forgets what is to be forgotten, here and at the agent, as long as its task lives. `tell` hears how many sessions went,
    /// `doubt` why none goes for its age, and nil when that is over.
    public func keepTo(
        _ retention: Retention, tell: @Sendable (Int) -> Void, doubt: @Sendable (String?) -> Void
    ) async {
        // Without it the file keeps its size and its pages are used again.
        if retention.isBounded { try? await store.letShrink() }
        var ages = AgeWatch(store.file)
        var told: String?
        var forgotten = 0
        while !Task.isCancelled {
            var now = retention
            let clock = ages.look()
            if !clock.isBelieved { now.maxAge = nil }
            if retention.maxAge != nil, clock.words != told {
                told = clock.words
                doubt(told)
            }
            // By the reading that was looked at. A disk that is full, or a store that is being replaced: at the next look.
            let step = (try? await store.sweep(now, now: clock.date)) ?? .done
            switch step {
            case .forgot(let session):
                forgotten += 1
                await hub.forget(session)
                await runner.runErrands()
            case .more: break
            case .done:
                // What has no message any more, and what was uploaded long ago for one that never came.
                try? await store.sweepAttachments()
                if retention.maxAge != nil { ages.keep() }
                if forgotten > 0 { tell(forgotten) }
                forgotten = 0
            }
            try? await Task.sleep(for: step == .done ? Self.sweepInterval : Self.sweepPause)
        }
    }
}

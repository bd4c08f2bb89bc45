import Foundation
import GRDB
import Glibc
import Synchronization

/// A backup on its way back. `take` until it is whole, `prepare`, then `ChatStore.replace`; nothing of the store has
/// changed before the one rename at the end of that.
public final class StoreRestore: Sendable {
    let path: String
    private let files: String
    private let file: FileHandle
    private let expected: Int64
    private let taken = Mutex<Int64>(0)
    /// It came in the form of a store in use.
    private let wasStore = Mutex(false)

    /// Largest backup that is taken: 64 GiB.
    public static let byteLimit: Int64 = 64 << 30
    /// What is left free on the disk beside it.
    private static let spareBytes: Int64 = 16 << 20

    /// Begins with an empty file beside the store.
    public init(into store: ChatStore, bytes: Int64) throws(ChatError) {
        path = store.file.workPath("restore")
        files = store.attachmentDirectory
        expected = bytes
        guard (1...Self.byteLimit).contains(bytes) else {
            throw ChatError(.badRequest, "a backup has 1 byte to 64 GiB; this one is said to have \(bytes)")
        }
        var disk = statvfs()
        if statvfs(store.file.directory, &disk) == 0 {
            let free = Int64(clamping: UInt64(disk.f_bavail) * UInt64(disk.f_frsize))
            guard free > bytes * 2 + Self.spareBytes else {
                throw ChatError(
                    .failed,
                    "\(store.file.directory) has \(free >> 20) MiB free, and \((bytes * 2 + Self.spareBytes) >> 20) MiB are "
                        + "needed: for the backup and what is changed in it")
            }
        }
        StoreFile.remove(path)
        do {
            try StoreFile.create(path)
            file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        } catch {
            throw error as? ChatError ?? ChatError(.failed, "cannot write \(path): \(error.localizedDescription)")
        }
    }

    deinit { StoreFile.remove(path) }

    /// The next bytes.
    public func take(_ bytes: [UInt8]) throws {
        let whole = taken.withLock { taken in
            taken += Int64(bytes.count)
            return taken
        }
        guard whole <= expected else {
            throw ChatError(.badRequest, "more came than the \(expected) bytes that were said")
        }
        do {
            try file.write(contentsOf: bytes)
        } catch {
            throw ChatError(.failed, "\(path) cannot be written: \(error.localizedDescription)")
        }
    }

    /// Checks what came and makes it a store of this version, in which nothing waits: whoever was waiting then may have
    /// had his answer since, and is to be asked.
    public func prepare() async throws -> StoreContents { try await ChatStore.beside { try self.check() } }

    private func check() throws -> StoreContents {
        let taken = taken.withLock { $0 }
        guard taken == expected else {
            throw ChatError(.badRequest, "only \(taken) of \(expected) bytes came; nothing was changed")
        }
        try file.close()
        // https://sqlite.org/fileformat2.html, 1.3.3: 2 where changes go to a log.
        let head = try FileHandle(forReadingFrom: URL(fileURLWithPath: path)).read(upToCount: 19)
        wasStore.withLock { $0 = head?.last == 2 && head?.count == 19 }
        switch try StoreInspection.verdict(on: path) {
        case .usable, .interrupted: break
        case .damaged(let words): throw refusal("it is damaged: \(words)")
        case .refused(let why): throw refusal(why.wordsOfBackup)
        }
        do {
            let queue = try DatabaseQueue(path: path)
            defer { try? queue.close() }
            try queue.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA journal_mode = DELETE") }
            try queue.read { db in
                guard try db.tableExists("grdb_migrations") else { throw refusal("it is empty") }
                let check = try String.fetchAll(db, sql: "PRAGMA integrity_check(1)")
                guard check == ["ok"] else { throw refusal("it is damaged: \(check.joined(separator: "; "))") }
                guard try Row.fetchOne(db, sql: "PRAGMA foreign_key_check") == nil else {
                    throw refusal("it is damaged: turns or texts in it belong to nothing")
                }
            }
            try Schema.migrator.migrate(queue)
            let wrong = try queue.write { [files] db in
                try StoreTables.dropOthers(db)
                return try BackedUpFiles.takeOut(db, to: files)
            }
            if let wrong { throw refusal("it is damaged: \(wrong)") }
            try queue.vacuum()
            return try queue.write { db in
                if let strange = try StoreInspection.strangeTable(db) {
                    throw refusal("it is damaged: the description of \(strange) in it has changed")
                }
                let open = try ChatStore.turns(db, where: "state IN ('queued', 'running')", [])
                try ChatStore.interrupt(db, open, reason: Self.reason)
                return try StoreContents(db)
            }
        } catch let error as DatabaseError {
            // Of the file that was given: the copy here is gone by the time that somebody reads this.
            let isBad = StoreInspection.isDamage(error)
            throw refusal(
                isBad ? "it is damaged: \(StoreFailure.unnamed(error))" : StoreFailure.words(error, path: path))
        }
    }

    private static let reason =
        "this was not over when the backup was made; whether the agent has answered it since is not known, so it is not "
        + "sent again"

    private func refusal(_ words: String) -> ChatError {
        ChatError(.badRequest, "this backup is not restored, and nothing was changed: \(words)\(hint)")
    }

    /// A backup has no log; a copy of the store's file may lack the one in which most of it is.
    private var hint: String {
        wasStore.withLock { $0 }
            ? ". It is a copy of a store's file, which is not whole without the log beside it (-wal): make one with "
                + "nexusctl chat backup" : ""
    }
}

extension ChatStore {
    /// Puts a prepared backup in place of the store, whose file is kept; the path of that is returned. `busy` while turns
    /// wait or run. Afterwards this store is closed for good: the process is to be started anew.
    ///
    /// SIGKILL at any point leaves the old store or the new one whole: what decides is one rename.
    public func replace(with restore: StoreRestore, now: Date = Date()) async throws -> String {
        try await seal()
        do {
            try await Self.beside { [path, restored = restore.path] in try Self.carryOver(from: path, to: restored) }
            // With no log of its own left the file alone is the store, and no log can be taken for the new one's.
            try await queue.writeWithoutTransaction { db in
                let mode = try String.fetchOne(db, sql: "PRAGMA journal_mode = DELETE")
                guard mode == "delete" else { throw ChatError(.busy, "another program has \(self.path) open") }
            }
            // The connection stays: whoever still reads reads the file that is kept, and nothing is written to it any more. SQLite
            // does not survive being asked after its end.
            closing.withLock { $0 = true }
        } catch {
            isSealed.withLock { $0 = false }
            if let error = error as? DatabaseError {
                throw ChatError(
                    .failed, "not restored, and nothing was changed: \(StoreFailure.words(error, path: path))")
            }
            throw error
        }
        return try file.replace(with: restore.path, now: now)
    }

    /// From here on nothing is written any more; what is being written is waited for.
    private func seal() async throws {
        try await write { [self] db in
            let open = try Int.fetchOne(db, sql: "SELECT count(*) FROM turn WHERE state IN ('queued', 'running')") ?? 0
            guard open == 0 else {
                throw ChatError(
                    .busy,
                    "\(open) turn\(open == 1 ? " waits or runs" : "s wait or run"); let them end, or stop them in the page"
                )
            }
            isSealed.withLock { $0 = true }
        }
    }

    /// What is the machine's stays as it is now; numbers of turns and events that were given out are not given again.
    private static func carryOver(from path: String, to restored: String) throws {
        let queue = try DatabaseQueue(path: restored)
        defer { try? queue.close() }
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA foreign_keys = OFF; PRAGMA synchronous = FULL")
            try db.execute(sql: "ATTACH DATABASE ? AS present", arguments: [path])
            try db.inTransaction {
                for table in try StoreTables.ofTheMachine(db) {
                    let columns = try StoreTables.columns(db, of: table).map { "\"\($0)\"" }.joined(separator: ", ")
                    try db.execute(
                        sql: """
                            DELETE FROM main."\(table)";
                            INSERT INTO main."\(table)" (\(columns)) SELECT \(columns) FROM present."\(table)";
                            """)
                }
                try db.execute(
                    sql: """
                        UPDATE main.session SET reserved = max(reserved, coalesce(
                            (SELECT reserved FROM present.session AS now WHERE now.id = session.id), 0));
                        UPDATE main.sqlite_sequence SET seq = max(seq, coalesce(
                            (SELECT seq FROM present.sqlite_sequence AS now WHERE now.name = sqlite_sequence.name), 0));
                        INSERT INTO main.sqlite_sequence (name, seq) SELECT name, seq FROM present.sqlite_sequence
                            WHERE name NOT IN (SELECT name FROM main.sqlite_sequence);
                        INSERT OR REPLACE INTO main.former_message (client_id)
                            SELECT client_id FROM present.turn AS now WHERE NOT EXISTS (
                                SELECT 1 FROM main.turn WHERE turn.client_id = now.client_id)
                            ORDER BY now.id;
                        DELETE FROM main.former_message WHERE id <=
                            (SELECT max(id) FROM main.former_message) - \(ChatStore.formerLimit);
                        UPDATE main.session SET changed = 0;
                        DELETE FROM main.gone;
                        UPDATE main.listing SET last = max(last + 1, unixepoch() * 1000);
                        UPDATE main.listing SET floor = last;
                        """)
                return .commit
            }
            try db.execute(sql: "DETACH DATABASE present")
        }
    }
}

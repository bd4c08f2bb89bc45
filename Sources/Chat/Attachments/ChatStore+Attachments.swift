import AgentModel
import Foundation
import GRDB
import Glibc

extension ChatStore {
    /// A file that was uploaded and is in no message goes after so long.
    static let unsentAge: Int64 = 7 * 86_400_000
    /// … or, where there is no room for another, after an hour.
    static let unsentAgeInNeed: Int64 = 3_600_000

    /// Where contents are.
    public var attachmentDirectory: String { file.attachments }

    /// The file of some content.
    public func path(ofAttachment id: String) throws -> String {
        guard Attachment.isID(id) else {
            throw ChatError(.badRequest, "an attachment is named by 64 hexadecimal digits")
        }
        return "\(attachmentDirectory)/\(id)"
    }

    /// Content that is kept, whatever it is called; nil: there is none.
    public func attachment(_ id: String) async throws -> Attachment? {
        try await queue.read { db in try Self.kept(db, id) }
    }

    static func kept(_ db: Database, _ id: String) throws -> Attachment? {
        let row = try Row.fetchOne(db, sql: "SELECT mime, bytes FROM file WHERE hash = ?", arguments: [id])
        guard let row, let mime = MediaType(rawValue: row["mime"]) else { return nil }
        return Attachment(id: id, name: "file", mime: mime, bytes: row["bytes"])
    }

    /// Bytes of all that is kept.
    func attachmentBytes() async throws -> Int64 {
        try await queue.read { db in try Int64.fetchOne(db, sql: "SELECT coalesce(sum(bytes), 0) FROM file") ?? 0 }
    }

    /// Of those, what is in no message.
    func unsentBytes() async throws -> Int64 {
        let sql = """
            SELECT coalesce(sum(bytes), 0) FROM file WHERE NOT EXISTS (
                SELECT 1 FROM attachment WHERE attachment.hash = file.hash)
            """
        return try await queue.read { db in try Int64.fetchOne(db, sql: sql) ?? 0 }
    }

    /// Puts a whole, synced file in its place and remembers it, both before anybody else changes the store: what goes
    /// and what comes meet nowhere. A crash between the two leaves a file that nobody knows, which goes at the next start.
    func keep(_ id: String, _ mime: MediaType, bytes: Int64, from work: String) async throws {
        let target = try path(ofAttachment: id)
        let now = Self.milliseconds()
        let directory = attachmentDirectory
        try await write { db in
            guard Glibc.rename(work, target) == 0 else {
                throw ChatError(.failed, "cannot keep the file: \(String(cString: strerror(errno)))")
            }
            try StoreFile.sync(directory)
            try db.execute(
                sql: """
                    INSERT INTO file (hash, mime, bytes, created) VALUES (?, ?, ?, ?) \
                    ON CONFLICT DO UPDATE SET created = excluded.created
                    """,
                arguments: [id, mime.rawValue, bytes, now])
        }
    }

    /// In the transaction that stores a message: its files, each of which is kept already.
    /// - Parameter directory: where their contents are. A row alone is not enough: one stays whose content went, when what
    ///   was to remove both was undone.
    static func attach(
        _ db: Database, _ references: [AttachmentReference], to turn: Int64, contentsIn directory: String
    ) throws {
        var total: Int64 = 0
        for (place, reference) in references.enumerated() {
            guard let known = try kept(db, reference.id),
                StoreFile.bytes("\(directory)/\(known.id)") == Int64(known.bytes)
            else {
                throw ChatError(
                    .badRequest, "'\(Attachment.name(reference.name))' is not kept here (any more); attach it again")
            }
            total += Int64(known.bytes)
            guard total <= Int64(AttachedFile.bytesLimit) else {
                throw ChatError(
                    .badRequest,
                    "the files of one message have at most \(AttachedFile.bytesLimit / 1_000_000) MB together")
            }
            try db.execute(
                sql: "INSERT INTO attachment (turn, place, hash, name) VALUES (?, ?, ?, ?)",
                arguments: [turn, place, reference.id, Attachment.name(reference.name)])
            try db.execute(sql: "UPDATE file SET used = 1 WHERE hash = ?", arguments: [reference.id])
        }
    }

    static func attachments(_ db: Database, of turn: Int64) throws -> [Attachment] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT file.hash, name, mime, bytes FROM attachment JOIN file USING (hash) WHERE turn = ? ORDER BY place
                """,
            arguments: [turn]
        ).compactMap { row in
            MediaType(rawValue: row["mime"]).map {
                Attachment(id: row["hash"], name: row["name"], mime: $0, bytes: row["bytes"])
            }
        }
    }

    /// Removes what no message has any more, and what was uploaded long ago and never sent: the file before its row, so
    /// that a crash between the two leaves a row, with which the next look begins anew.
    public func sweepAttachments(now: Date = Date()) async throws {
        try await sweepAttachments(now: now, unsentAge: Self.unsentAge)
    }

    /// The same with another age, in milliseconds, of what was never sent.
    func sweepAttachments(now: Date, unsentAge: Int64) async throws {
        let limit = Int64((now.timeIntervalSince1970 * 1000).rounded()) - unsentAge
        let directory = attachmentDirectory
        try await write { db in
            let gone = try String.fetchAll(
                db,
                sql: """
                    SELECT hash FROM file WHERE (used = 1 OR created < ?) AND NOT EXISTS (
                        SELECT 1 FROM attachment WHERE attachment.hash = file.hash)
                    """,
                arguments: [limit])
            for hash in gone {
                unlink("\(directory)/\(hash)")
                try db.execute(sql: "DELETE FROM file WHERE hash = ?", arguments: [hash])
            }
        }
    }

    /// Makes the directory of contents where there is none; what is wrong with it, in words with the remedy, nil: nothing.
    public func attachmentTrouble() -> String? {
        let directory = attachmentDirectory
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            _ = try FileManager.default.contentsOfDirectory(atPath: directory)
            return nil
        } catch {
            if StoreFailure.isNoRoom(error) { return StoreFailure.words(error, path: directory) }
            var about = stat()
            let isOther = lstat(directory, &about) == 0 && about.st_mode & S_IFMT != S_IFDIR
            let why =
                isOther
                ? "is no directory: move it away, or put the directory back"
                : "cannot be read: see to its owner and mode"
            return "files cannot be attached, and those of messages not be had: \(directory) \(why)"
        }
    }

    /// At the start, before anybody uploads: removes files that no row knows. Where an older store is kept beside this one,
    /// or was here and is missing, they may be that one's, and stay.
    /// Where there is no directory nothing is done: see `attachmentTrouble`.
    /// - Returns: how many stay for one that is missing.
    @discardableResult
    public func clearAttachments() async throws -> Int {
        let directory = attachmentDirectory
        if attachmentTrouble() != nil { return 0 }
        let hasOlder = file.hasOlder
        // Nothing is changed in the store, which may be locked.
        let stray = try await queue.read { db in
            let isSecond = try Int.fetchOne(db, sql: "PRAGMA user_version") == Self.besideFilesMark
            let known = Set(try String.fetchAll(db, sql: "SELECT hash FROM file"))
            var stray = 0
            for name in try FileManager.default.contentsOfDirectory(atPath: directory) where !known.contains(name) {
                if Attachment.isID(name), isSecond { stray += 1 }
                if Attachment.isID(name), isSecond || hasOlder { continue }
                unlink("\(directory)/\(name)")
            }
            return stray
        }
        // It is looked again as long as chat-bridge runs.
        do { try await sweepAttachments() } catch  where StoreFailure.isPassing(error) {}
        return stray
    }
}

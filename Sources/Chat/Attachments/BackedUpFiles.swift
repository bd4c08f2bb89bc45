import Cryptography
import Foundation
import GRDB
import Glibc

/// Contents of attachments on their way into a backup and out of it.
enum BackedUpFiles {
    /// Puts into a copy of the store what its rows name; what is not there any more is left out.
    static func putIn(_ db: Database, from directory: String) throws {
        for hash in try String.fetchAll(db, sql: "SELECT hash FROM file ORDER BY hash") where Attachment.isID(hash) {
            guard let bytes = FileManager.default.contents(atPath: "\(directory)/\(hash)") else { continue }
            try db.execute(sql: "INSERT INTO content (hash, bytes) VALUES (?, ?)", arguments: [hash, bytes])
        }
    }

    /// Lays the contents of a backup beside the store, each checked by its hash, and empties the table. Until the backup
    /// takes the store's place they are files that no row knows. Nil: all is well, else what is wrong.
    static func takeOut(_ db: Database, to directory: String) throws -> String? {
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        for hash in try String.fetchAll(db, sql: "SELECT hash FROM content ORDER BY hash") {
            let bytes = try Data.fetchOne(db, sql: "SELECT bytes FROM content WHERE hash = ?", arguments: [hash])
            let sum = SHA256Hash()
            sum.add(Array(bytes ?? Data()))
            guard Attachment.isID(hash), let bytes, sum.finish() == hash else {
                return "the content of an attachment in it is not what it was"
            }
            let path = "\(directory)/\(hash)"
            if FileManager.default.fileExists(atPath: path) { continue }
            let work = path + ".partial"
            StoreFile.remove(work)
            try StoreFile.create(work)
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: work))
            try file.write(contentsOf: bytes)
            try file.synchronize()
            try file.close()
            guard Glibc.rename(work, path) == 0 else {
                throw ChatError(.failed, "cannot keep \(path): \(String(cString: strerror(errno)))")
            }
        }
        try StoreFile.sync(directory)
        try db.execute(sql: "DELETE FROM content")
        return nil
    }
}

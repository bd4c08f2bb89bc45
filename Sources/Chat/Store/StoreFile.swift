import Foundation
import Glibc

/// The store's file and its two companions on the disk.
struct StoreFile {
    let directory: String
    var path: String { directory + "/chat.sqlite" }
    // SQLite's write-ahead log and its index belong to the file: one without the other is another database.
    private static let companions = ["", "-wal", "-shm"]

    /// Makes the directory and an empty file nobody else can read. SQLite gives its companions the file's own mode.
    func prepare() throws {
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw ChatError(.failed, "cannot open \(path): \(String(cString: strerror(errno)))")
        }
        fchmod(descriptor, 0o600)
        close(descriptor)
    }

    /// Renames file and companions; returns the new path.
    func moveAside(now: Date) throws -> String {
        let stamp = now.formatted(.iso8601.timeSeparator(.omitted))
        var target = "\(path).damaged-\(stamp)"
        var count = 1
        while FileManager.default.fileExists(atPath: target) {
            count += 1
            target = "\(path).damaged-\(stamp)-\(count)"
        }
        for companion in Self.companions where FileManager.default.fileExists(atPath: path + companion) {
            try FileManager.default.moveItem(atPath: path + companion, toPath: target + companion)
        }
        return target
    }
}

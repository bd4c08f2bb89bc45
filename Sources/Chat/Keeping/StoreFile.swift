import Foundation
import Glibc

/// The store's file and its companions on the disk.
struct StoreFile {
    let directory: String
    var path: String { directory + "/chat.sqlite" }
    // SQLite's logs belong to the file: one without the other is another database.
    private static let companions = ["", "-wal", "-shm", "-journal"]

    /// Makes the directory and an empty file nobody else can read. SQLite gives its companions the file's own mode.
    func prepare(now: Date) throws {
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try keepLogWithoutFile(now: now)
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw ChatError(.failed, "cannot open \(path): \(String(cString: strerror(errno)))")
        }
        fchmod(descriptor, 0o600)
        close(descriptor)
    }

    /// Renames file and companions; returns the new path.
    func moveAside(now: Date) throws -> String {
        let target = freeName(now: now)
        for companion in Self.companions where FileManager.default.fileExists(atPath: path + companion) {
            try FileManager.default.moveItem(atPath: path + companion, toPath: target + companion)
        }
        return target
    }

    /// The newest damaged file that is still kept here; nil: none.
    func newestAside() -> String? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let prefix = (path as NSString).lastPathComponent + Self.mark
        let kept = names.filter { name in
            name.hasPrefix(prefix) && !Self.companions.dropFirst().contains { name.hasSuffix($0) }
        }
        return kept.max().map { directory + "/" + $0 }
    }

    private static let mark = ".damaged-"

    // A crash between the renames of `moveAside` leaves a log whose file is away already. SQLite would delete it.
    private func keepLogWithoutFile(now: Date) throws {
        let log = path + "-wal"
        guard Self.bytes(path) == 0, Self.bytes(log) > 0 else { return }
        let aside = newestAside() ?? freeName(now: now)
        let target = FileManager.default.fileExists(atPath: aside + "-wal") ? freeName(now: now) : aside
        try FileManager.default.moveItem(atPath: log, toPath: target + "-wal")
    }

    private func freeName(now: Date) -> String {
        let stamp = now.formatted(.iso8601.timeSeparator(.omitted))
        var target = path + Self.mark + stamp
        var count = 1
        while Self.companions.contains(where: { FileManager.default.fileExists(atPath: target + $0) }) {
            count += 1
            target = "\(path)\(Self.mark)\(stamp)-\(count)"
        }
        return target
    }

    /// Length of a file; 0 where there is none.
    static func bytes(_ path: String) -> Int64 {
        var about = stat()
        return stat(path, &about) == 0 ? Int64(about.st_size) : 0
    }
}

import Foundation
import GRDB
import Glibc

/// The store's file and its companions on the disk.
struct StoreFile {
    let directory: String
    var path: String { directory + "/chat.sqlite" }
    // SQLite's logs belong to the file: one without the other is another database.
    private static let companions = ["", "-wal", "-shm", "-journal"]

    /// Makes the directory and an empty file nobody else can read. SQLite gives its companions the file's own mode.
    /// - Returns: what to say of a log whose file is missing or empty, which is kept; and what became of a restore.
    func prepare(now: Date) throws -> (orphan: String?, restore: RestoreEnd?) {
        if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) {
            throw StoreRefusal(
                description:
                    "\(path) is a symbolic link (to \(target)), and a store has its log and its files of messages beside it: "
                    + "put the file back here. To have the conversations on another disk, move the whole directory there and name it: "
                    + "command = [\"chat-bridge\", \"--directory\", \"/its/new/place\"] in [child.chat-bridge]")
        }
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        for (file, then) in [(path, "and a store is begun"), (path + "-wal", "and start chat-bridge again")] {
            guard let kind = Self.otherKind(file) else { continue }
            throw StoreRefusal(description: "\(file) is \(kind) and no file; move it away, \(then)")
        }
        let kept = try keepLogWithoutFile(now: now)
        let restore = clearWork()
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            if let passing = Self.passing(errno) { throw DatabaseError(resultCode: passing) }
            throw ChatError(.failed, "cannot open \(path): \(String(cString: strerror(errno)))")
        }
        fchmod(descriptor, 0o600)
        close(descriptor)
        return (kept, restore)
    }

    /// What SQLite would call a reason that may be over later; nil: it is none of these.
    static func passing(_ code: Int32) -> ResultCode? {
        switch code {
        case ENOSPC, EDQUOT: .SQLITE_FULL
        case EROFS: .SQLITE_READONLY
        case EACCES, EPERM: .SQLITE_PERM
        case EIO: .SQLITE_IOERR
        case _: nil
        }
    }

    /// What lies in a file's place, where that is no file.
    private static func otherKind(_ path: String) -> String? {
        var about = stat()
        guard stat(path, &about) == 0 else { return nil }
        return switch about.st_mode & S_IFMT {
        case S_IFREG: nil
        case S_IFDIR: "a directory"
        case S_IFIFO: "a pipe"
        case S_IFSOCK: "a socket"
        case _: "a device"
        }
    }

    /// Files of messages lie here already.
    var hasAttachments: Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: attachments)) ?? []
        return names.contains(where: Attachment.isID)
    }

    /// Where contents are: one file each, named by its hash.
    var attachments: String { directory + "/attachments" }

    static let logSuffix = "-log"

    /// Renames file and companions; returns the new path.
    func moveAside(now: Date) throws -> String {
        let target = freeName(Self.mark, now: now)
        // It is not missing, whatever ends this in between.
        unlink(beginning)
        for companion in Self.companions where FileManager.default.fileExists(atPath: path + companion) {
            try FileManager.default.moveItem(atPath: path + companion, toPath: target + companion)
        }
        return target
    }

    /// A damaged store, or one from before a restore, is kept here.
    var hasOlder: Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let name = (path as NSString).lastPathComponent
        return names.contains { $0.hasPrefix(name + Self.mark) || $0.hasPrefix(name + Self.replacedMark) }
    }

    /// The newest damaged file that is still kept here; nil: none.
    func newestAside() -> String? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let prefix = (path as NSString).lastPathComponent + Self.mark
        // A log without a file counts by itself.
        let kept = names.filter { name in
            name.hasPrefix(prefix)
                && !Self.companions.dropFirst().contains {
                    name.hasSuffix($0) && names.contains(String(name.dropLast($0.count)))
                }
        }
        return kept.max().map { directory + "/" + $0 }
    }

    // Not named like the store: it is to outlive whoever removes or moves that.
    private var passwordPath: String { directory + "/password" }

    /// The hash of the password as it is kept beside the store; nil: none is.
    func keptPassword() -> String? {
        let text = try? String(contentsOfFile: passwordPath, encoding: .utf8)
        return text.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Keeps another one, or none.
    func keepPassword(_ hash: String?) throws {
        guard let hash else {
            guard unlink(passwordPath) == 0 || errno == ENOENT else {
                throw ChatError(.failed, "cannot remove \(passwordPath): \(String(cString: strerror(errno)))")
            }
            return try Self.sync(directory)
        }
        let work = passwordPath + "-partial"
        unlink(work)
        do {
            try Self.create(work)
            try Self.fill(work, with: Array(hash.utf8))
            try Self.sync(work)
            guard rename(work, passwordPath) == 0 else {
                throw ChatError(.failed, "cannot write \(passwordPath): \(String(cString: strerror(errno)))")
            }
        } catch {
            unlink(work)
            throw error
        }
        try Self.sync(directory)
    }

    /// Writes all of a small file that is there.
    static func fill(_ path: String, with bytes: [UInt8]) throws {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
        defer { if descriptor >= 0 { close(descriptor) } }
        guard descriptor >= 0, write(descriptor, bytes, bytes.count) == bytes.count else {
            let why = errno == ENOSPC || errno == EDQUOT ? "; make room there and try again" : ""
            throw ChatError(.failed, "not done: cannot write \(path): \(String(cString: strerror(errno)))\(why)")
        }
    }

    static let mark = ".damaged-"
    private static let replacedMark = ".before-restore-"

    /// A file beside the store that somebody works on; whatever of it is there at the next start goes.
    func workPath(_ name: String) -> String { "\(path).\(name)-partial" }

    /// An empty file nobody else can read; throws when there is one.
    static func create(_ path: String) throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw ChatError(.failed, "cannot make \(path): \(String(cString: strerror(errno)))")
        }
        close(descriptor)
    }

    /// Removes a work file with its companions.
    static func remove(_ path: String) { for companion in companions { unlink(path + companion) } }

    /// Puts another file in place of the store's, which gets a second name first: at no moment there is none. Returns
    /// that name.
    func replace(with other: String, now: Date) throws -> String {
        let kept = freeName(Self.replacedMark, now: now)
        func step(_ done: Int32, _ what: String) throws {
            guard done == 0 else { throw ChatError(.failed, "\(what): \(String(cString: strerror(errno)))") }
        }
        try Self.sync(other)
        try markRestore(keptAs: kept)
        try step(link(path, kept), "cannot keep the present store as \(kept)")
        try Self.sync(directory)
        try step(rename(other, path), "cannot put the backup in place")
        try Self.sync(directory)
        return kept
    }

    static func sync(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        defer { if descriptor >= 0 { close(descriptor) } }
        guard descriptor >= 0, fsync(descriptor) == 0 else {
            throw ChatError(.failed, "\(path) cannot be synced: \(String(cString: strerror(errno)))")
        }
    }

    /// What a backup or a restore left that was killed: work files, and a second name of the store. What became of the restore.
    private func clearWork() -> RestoreEnd? {
        let work = Self.written(workPath("restore"))
        for name in ["backup", "restore"] { Self.remove(workPath(name)) }
        forgetSecondName()
        return restoreEnd(work: work)
    }

    private func forgetSecondName() {
        var own = stat()
        guard stat(path, &own) == 0, own.st_nlink > 1 else { return }
        let prefix = (path as NSString).lastPathComponent + Self.replacedMark
        for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [] where name.hasPrefix(prefix)
        {
            var other = stat()
            guard stat(directory + "/" + name, &other) == 0, other.st_ino == own.st_ino else { continue }
            unlink(directory + "/" + name)
        }
    }

    // A crash between the renames of `moveAside` leaves a log whose file is away already, and so does whoever empties the
    // file or takes it away. SQLite would delete it.
    private func keepLogWithoutFile(now: Date) throws -> String? {
        let log = path + "-wal"
        guard Self.isEmpty(path), Self.bytes(log) > 0 else { return nil }
        let aside = newestAside().flatMap { $0.hasSuffix("-wal") || $0.hasSuffix(Self.logSuffix) ? nil : $0 }
        let isFree = aside.map { !FileManager.default.fileExists(atPath: $0 + "-wal") } ?? false
        let target = (isFree ? aside : nil) ?? freeName(Self.mark, now: now)
        try FileManager.default.moveItem(atPath: log, toPath: target + "-wal")
        return
            "\(path) is missing or empty, and its log holds what was stored last: that is kept as \(target)-wal, and a new "
            + "store begun; put a copy of the file beside that log to have both"
    }

    func freeName(_ mark: String, now: Date) -> String {
        let stamp = now.formatted(.iso8601.timeSeparator(.omitted))
        var target = path + mark + stamp
        var count = 1
        while (Self.companions + [Self.logSuffix]).contains(where: {
            FileManager.default.fileExists(atPath: target + $0)
        }) {
            count += 1
            target = "\(path)\(mark)\(stamp)-\(count)"
        }
        return target
    }

    /// Whether SQLite takes it for a file in which nothing was ever written, and its log for another's: so it does with a single
    /// byte (unixFileSize of os_unix.c).
    static func isEmpty(_ path: String) -> Bool { bytes(path) <= 1 }

    /// Length of a file; 0 where there is none.
    static func bytes(_ path: String) -> Int64 {
        var about = stat()
        return stat(path, &about) == 0 ? Int64(about.st_size) : 0
    }
}

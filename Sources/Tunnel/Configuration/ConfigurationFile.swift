import Foundation
import Glibc

/// Writes a file whole or not at all, readable for its owner only.
public enum ConfigurationFile {
    /// Temporary file beside it, 0600 from its first byte, fsync, rename, fsync of the directory.
    public static func write(_ text: String, to path: String) throws(TunnelError) {
        let temporary = path + ".new"
        let descriptor = try create(temporary)
        do throws(TunnelError) {
            try writeAll(Array(text.utf8), descriptor, temporary)
            guard fsync(descriptor) == 0 else { throw failure("write", temporary) }
        } catch {
            close(descriptor)
            unlink(temporary)
            throw error
        }
        close(descriptor)
        guard rename(temporary, path) == 0 else { throw failure("rename to \(path)", temporary) }
        let parent = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if parent >= 0 {
            fsync(parent)
            close(parent)
        }
    }

    /// Looks whether `write` could begin and end there; nothing that is in force is touched.
    static func check(_ path: String) throws(TunnelError) {
        var status = stat()
        guard lstat(path, &status) != 0 || status.st_mode & S_IFMT != S_IFDIR else { throw inTheWay(path) }
        let temporary = path + ".new"
        close(try create(temporary))
        unlink(temporary)
    }

    /// What a crash left there is taken away, a directory only when it is empty: more than that is somebody's.
    private static func create(_ path: String) throws(TunnelError) -> Int32 {
        if unlink(path) != 0, errno == EISDIR, rmdir(path) != 0 { throw inTheWay(path) }
        // O_EXCL: whatever lies there is not followed or reused.
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("create", path) }
        return descriptor
    }

    private static func inTheWay(_ path: String) -> TunnelError {
        TunnelError("\(path) is a directory, and a file is to be written there: take it away")
    }

    private static func writeAll(_ bytes: [UInt8], _ descriptor: Int32, _ path: String) throws(TunnelError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress.map { $0 + done }, $0.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("write", path) }
            done += count
        }
    }

    private static func failure(_ verb: String, _ path: String) -> TunnelError {
        TunnelError("cannot \(verb) \(path): \(String(cString: strerror(errno)))")
    }
}

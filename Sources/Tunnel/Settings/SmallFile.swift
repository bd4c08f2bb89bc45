import Foundation
import Glibc

/// A file of tunnel-worker's own in its directory. Whatever else may lie there, nobody waits for it.
enum SmallFile {
    /// Longest one that is read, in bytes.
    static let limitBytes = 4096

    /// What is in it; nil: there is none.
    static func read(_ path: String) throws(TunnelError) -> Data? {
        // O_NONBLOCK: a FIFO would wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw TunnelError("cannot open \(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw TunnelError("\(path) is no file")
        }
        var bytes = [UInt8](repeating: 0, count: limitBytes + 1)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count >= 0, count <= limitBytes else {
            throw TunnelError("\(path) is longer than \(limitBytes) bytes, or cannot be read")
        }
        return Data(bytes.prefix(count))
    }
}

import Foundation
import Glibc

/// Reads small files of which it is not certain that they are files: nobody waits for whatever else lies there.
enum SmallFile {
    /// Longest one of tunnel-worker's own that is read, in bytes.
    static let limitBytes = 4096

    /// A file of tunnel-worker's own in its directory, which is no link; nil: there is none.
    static func read(_ path: String) throws(TunnelError) -> Data? {
        try contents(of: path, limitBytes: limitBytes, flags: O_NOFOLLOW)?.bytes
    }

    /// What is in it, and who may do what with it (the mode); nil: there is none.
    static func contents(
        of path: String, limitBytes: Int, flags: Int32 = 0
    ) throws(TunnelError) -> (bytes: Data, mode: mode_t)? {
        // O_NONBLOCK: a FIFO would wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags)
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
        guard count >= 0 else { throw TunnelError("cannot read \(path): \(String(cString: strerror(errno)))") }
        guard count <= limitBytes else { throw TunnelError("\(path) is longer than \(limitBytes) bytes") }
        return (Data(bytes.prefix(count)), status.st_mode)
    }
}

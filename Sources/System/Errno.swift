import CNexus
import Glibc

/// A Linux error number.
public struct Errno: Error, Hashable, Sendable, CustomStringConvertible {
    /// As in errno(3), positive.
    public let rawValue: Int32

    /// Wraps an error number.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// The calling thread's errno; read it at once after the call that failed.
    public static var current: Errno { Errno(rawValue: errno) }

    /// `No such file or directory (ENOENT)`.
    public var description: String {
        let text = strerrordesc_np(rawValue).map { String(cString: $0) } ?? "unknown error"
        let name = strerrorname_np(rawValue).map { String(cString: $0) } ?? String(rawValue)
        return "\(text) (\(name))"
    }

    public static let again = Errno(rawValue: EAGAIN)
    public static let interrupted = Errno(rawValue: EINTR)
    public static let noEntry = Errno(rawValue: ENOENT)
    public static let exists = Errno(rawValue: EEXIST)
    public static let brokenPipe = Errno(rawValue: EPIPE)
    public static let noChild = Errno(rawValue: ECHILD)
    public static let noProcess = Errno(rawValue: ESRCH)
    public static let tooManyOpen = Errno(rawValue: EMFILE)
    public static let invalid = Errno(rawValue: EINVAL)
}

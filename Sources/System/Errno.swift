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

    /// EAGAIN: nothing there now; wait for the poller.
    public static let again = Errno(rawValue: EAGAIN)
    /// EINTR.
    public static let interrupted = Errno(rawValue: EINTR)
    /// ENOENT.
    public static let noEntry = Errno(rawValue: ENOENT)
    /// ENOEXEC: there is no program that could do it.
    public static let notExecutable = Errno(rawValue: ENOEXEC)
    /// EEXIST.
    public static let exists = Errno(rawValue: EEXIST)
    /// EPIPE: nobody reads any more.
    public static let brokenPipe = Errno(rawValue: EPIPE)
    /// ECHILD: no child of ours.
    public static let noChild = Errno(rawValue: ECHILD)
    /// ESRCH: that process is gone.
    public static let noProcess = Errno(rawValue: ESRCH)
    /// EMFILE: this process has no descriptor left.
    public static let tooManyOpen = Errno(rawValue: EMFILE)
    /// ENFILE: the machine has no descriptor left.
    public static let tooManyOpenInSystem = Errno(rawValue: ENFILE)
    /// EINVAL.
    public static let invalid = Errno(rawValue: EINVAL)
    /// EBADMSG: what is there is not what it should be.
    public static let badMessage = Errno(rawValue: EBADMSG)
    /// EACCES.
    public static let noAccess = Errno(rawValue: EACCES)
    /// EPERM.
    public static let notPermitted = Errno(rawValue: EPERM)
    /// EINPROGRESS: a non-blocking connect has begun.
    public static let inProgress = Errno(rawValue: EINPROGRESS)
    /// ECONNREFUSED: nobody listens.
    public static let connectionRefused = Errno(rawValue: ECONNREFUSED)
    /// ECONNRESET: the other end went away with bytes unread.
    public static let connectionReset = Errno(rawValue: ECONNRESET)
    /// ETIMEDOUT.
    public static let timedOut = Errno(rawValue: ETIMEDOUT)
    /// EADDRINUSE.
    public static let addressInUse = Errno(rawValue: EADDRINUSE)
    /// ENAMETOOLONG; for a socket path: more than 107 bytes.
    public static let nameTooLong = Errno(rawValue: ENAMETOOLONG)
    /// ENOTDIR.
    public static let notDirectory = Errno(rawValue: ENOTDIR)
    /// EISDIR: a directory where a file was meant.
    public static let isDirectory = Errno(rawValue: EISDIR)
    /// ENXIO: a socket was opened as a file, or a FIFO for writing that nobody reads.
    public static let noReader = Errno(rawValue: ENXIO)
    /// EROFS: that file system is mounted read-only.
    public static let readOnly = Errno(rawValue: EROFS)
    /// ENOTEMPTY.
    public static let notEmpty = Errno(rawValue: ENOTEMPTY)
    /// EBUSY.
    public static let busy = Errno(rawValue: EBUSY)
    /// ELOOP: a symbolic link where none is followed.
    public static let symbolicLink = Errno(rawValue: ELOOP)
    /// EFBIG; also a file above the bound its reader set.
    public static let tooLarge = Errno(rawValue: EFBIG)
    /// ENODATA: no such extended attribute.
    public static let noData = Errno(rawValue: ENODATA)
    /// ENODEV; also what a removed cgroup's open files answer.
    public static let noDevice = Errno(rawValue: ENODEV)
    /// ENOSPC.
    public static let noSpace = Errno(rawValue: ENOSPC)
    /// EIO.
    public static let inputOutput = Errno(rawValue: EIO)
    /// ENOBUFS: no memory for a message.
    public static let noBuffers = Errno(rawValue: ENOBUFS)
    /// ENOMEM.
    public static let noMemory = Errno(rawValue: ENOMEM)
    /// ESTALE: what was looked up is something else by now.
    public static let stale = Errno(rawValue: ESTALE)
}

/// The result of a C shim (`-errno` on failure) as a value or an error.
func checked(_ result: Int32) throws(Errno) -> Int32 {
    if result < 0 { throw Errno(rawValue: -result) }
    return result
}

/// A shim's descriptor, owned.
func owned(_ result: Int32) throws(Errno) -> OwnedFD { OwnedFD(owning: try checked(result)) }

/// A libc call that returns -1 and sets errno; repeated while it is interrupted.
@inline(__always)
func retrying<Result: SignedInteger>(_ call: () -> Result) throws(Errno) -> Result {
    while true {
        let result = call()
        if result >= 0 { return result }
        let error = Errno.current
        if error != .interrupted { throw error }
    }
}

import SupervisorCore
import System

/// The lock of a log directory: two log-writers would cut each other's lines. Held by an open file description, so that it
/// ends with its process in any case.
final class DirectoryLock {
    /// How long a new log-writer waits for the old one to drain.
    static let patience: Duration = .seconds(5)
    /// How often it tries.
    static let pause: Duration = .milliseconds(10)

    private let fd: OwnedFD?

    /// Makes the directory if it is not there, and takes its lock. EBUSY when another process keeps it. On a file system that
    /// has become read-only a lock that is there is taken, and where there is none nobody can write either: log-writer
    /// serves, so that children do not wait, journald has what they say, and what the files do not get is counted.
    init(_ kernel: any LogKernel, directory: String) throws(Errno) {
        guard let fd = try Self.open(kernel, directory) else {
            fd = nil
            return
        }
        let deadline = kernel.monotonic() + DirectoryLock.patience
        while try !kernel.lock(fd) {
            guard kernel.monotonic() < deadline else { throw .busy }
            var nothing: [WaitRequest] = []
            try kernel.wait(for: &nothing, atMost: DirectoryLock.pause)
        }
        self.fd = consume fd
    }

    /// The lock, where something else is in its place.
    static func displaced(_ kernel: any LogKernel, _ directory: String) -> String? {
        let path = directory + "/" + LogFileName.lock
        guard let status = try? kernel.status(path, followingLinks: false) else { return nil }
        return status.kind == .regular ? nil : path
    }

    private static func open(_ kernel: any LogKernel, _ directory: String) throws(Errno) -> OwnedFD? {
        let path = directory + "/" + LogFileName.lock
        do throws(Errno) {
            try kernel.ensureDirectory(directory)
            return try kernel.openRegular(path, [.readWrite, .create, .noFollow, .nonBlocking], mode: 0o640)
        } catch {
            guard error == .readOnly else { throw error }
            return try? kernel.openRegular(path, [.readOnly, .noFollow, .nonBlocking], mode: 0)
        }
    }
}

/// Why log-writer cannot serve.
public struct LogWriterError: Error, CustomStringConvertible {
    /// Where the logs should have been.
    public let directory: String
    /// What the kernel said.
    public let error: Errno
    /// The lock, where something else is in its place.
    public let displaced: String?

    /// What, where, why, and what to do.
    public var description: String {
        let place = displaced.map { "\($0): " } ?? ""
        return "log-writer cannot keep logs in \(directory): \(place)\(error); \(error.loggingRemedy)"
    }
}

extension Errno {
    /// What to do about a log directory or file that is not to be used.
    var loggingRemedy: String {
        switch self {
        case .busy: "another log-writer has held its lock for 5 s: end it, or give this one a directory of its own"
        case .noAccess, .notPermitted: "make the directory writable for the user that log-writer runs as"
        case .noEntry: "make its parent directory"
        case .notDirectory: "something else is in the place of a directory: move it away"
        case .isDirectory: "a directory is in the place of a file: move it away"
        case .invalid: "something that is no regular file is in the place of one, of the lock too: move it away"
        case .symbolicLink: "a symbolic link is in the place of a file, of the lock too: remove it"
        case .readOnly: "the file system is mounted read-only: mount it writable"
        case .noSpace: "make room on that file system"
        case _: "see errno(3)"
        }
    }
}

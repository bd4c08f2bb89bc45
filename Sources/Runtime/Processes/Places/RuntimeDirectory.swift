public import System

/// The runtime directory: lock, sockets, PID files, credentials. Goes with a reboot.
public struct RuntimeDirectory: Hashable, Sendable {
    /// Absolute path.
    public let path: String

    /// `control.sock`.
    public var controlSocket: String { path + "/control.sock" }
    /// `nexusd.lock`.
    public var lock: String { path + "/nexusd.lock" }
    /// `stage`: what nexusd is at.
    public var stage: String { path + "/stage" }
    /// `life`: whose processes may still be there when nexusd was killed.
    public var life: String { path + "/life" }
    /// `notify/`: 0711, one socket a child.
    public var notify: String { path + "/notify" }
    /// `credentials/`: 0711, one directory a child.
    public var credentials: String { path + "/credentials" }
    /// `pid/`: PID files.
    public var pids: String { path + "/pid" }

    /// Makes the layout, or checks the one that is there: children must be able to pass through `notify/` and
    /// `credentials/`, and nobody but nexusd may write to any of it.
    public init(_ kernel: any Kernel, path: String) throws(PlaceError) {
        self.path = path
        let longest = SocketAddress.nameLimit - "/notify/".utf8.count - Self.childNameLimit - ".sock".utf8.count
        guard path.utf8.count <= longest else {
            throw PlaceError(
                path: path, problem: "the path is longer than \(longest) bytes, too long for sockets in it (unix(7))",
                hint: "choose a shorter one with --runtime")
        }
        // Root's is looked at by other users' children and clients; a user's own is nobody else's business.
        let mode: UInt16 = kernel.userID() == 0 ? 0o755 : 0o700
        try Self.make(path, mode: mode, kernel)
        try Self.make(notify, mode: 0o711, kernel)
        try Self.make(credentials, mode: 0o711, kernel)
        try Self.make(pids, mode: mode, kernel)
    }

    /// Longest name of a child, bytes.
    private static let childNameLimit = 32

    /// Makes one directory of ours, missing parents too, or checks that it is a directory of ours that nobody else may
    /// write to.
    static func make(_ path: String, mode: UInt16, _ kernel: any Kernel) throws(PlaceError) {
        let status: FileStatus
        do {
            try makeParents(of: path, kernel)
            status = try make(path, mode, kernel)
        } catch {
            throw PlaceError(path: path, problem: "\(error)", isRefused: false, hint: "make it, or choose another one")
        }
        guard status.kind == .directory else {
            throw PlaceError(path: path, problem: "is no directory", hint: "remove it, or choose another one")
        }
        guard status.user == kernel.userID(), status.mode & 0o022 == 0 else {
            throw PlaceError(
                path: path,
                problem: "belongs to uid \(status.user) with mode 0\(String(status.mode, radix: 8)): others could put "
                    + "files there",
                hint: "it must belong to uid \(kernel.userID()) and be writable by nobody else")
        }
        do {
            if status.mode != mode { try kernel.changeMode(path, to: mode) }
        } catch {
            throw PlaceError(
                path: path, problem: "\(error)", isRefused: false, hint: "make it 0\(String(mode, radix: 8))")
        }
    }

    /// What is there, made with this mode whatever the umask says when nothing was.
    private static func make(_ path: String, _ mode: UInt16, _ kernel: any Kernel) throws(Errno) -> FileStatus {
        do {
            try kernel.makeDirectory(path, mode: mode)
            try kernel.changeMode(path, to: mode)
        } catch  where error == .exists {}
        return try kernel.status(path, followingLinks: false)
    }

    private static func makeParents(of path: String, _ kernel: any Kernel) throws(Errno) {
        var parent = ""
        for component in path.split(separator: "/").dropLast() {
            parent += "/" + component
            do { try kernel.makeDirectory(parent, mode: 0o755) } catch  where error == .exists {}
        }
    }
}

/// A place that cannot be used: what, why, and what to do.
public struct PlaceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Which.
    public let path: String
    /// What is wrong with it.
    public let problem: String
    /// It is there and must not be used: only a person can change that. False: the machine failed, which may pass.
    public var isRefused = true
    /// What to do.
    public let hint: String

    /// `/run/nexus: Permission denied (EACCES); make it, or choose another one`.
    public var description: String { "\(path): \(problem); \(hint)" }
}

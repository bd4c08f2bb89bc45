import CNexus
import Glibc
public import SupervisorCore

/// Starting, ending and waiting. There is no kill(2): a bare number is never signalled.
public protocol ProcessCalls {
    /// getpid(2).
    func processID() -> ProcessID
    /// geteuid(2).
    func userID() -> UInt32
    /// getegid(2).
    func groupID() -> UInt32
    /// Starts a child (see CNexus/spawn.c) and does not wait: its report tells whether it was executed. When this throws
    /// there is no process.
    func spawn(_ image: SpawnImage) throws(SpawnFailure) -> Spawned
    /// waitid(2) with P_ALL and WNOWAIT: one ended child, left to be reaped; nil when there is none.
    /// ECHILD: there is no child at all.
    func peekEnded() throws(Errno) -> EndedProcess?
    /// Reaps one child of ours by its number, which no other process can have before; nil: it has not ended.
    func reap(_ process: ProcessID) throws(Errno) -> EndedProcess?
    /// pidfd_open(2), of any process. Verify after it that this is still the one that was meant.
    func openProcess(_ process: ProcessID) throws(Errno) -> OwnedFD
    /// pidfd_send_signal(2); ESRCH when it has ended and was reaped.
    func signal(_ pidfd: borrowing OwnedFD, _ signal: Signal) throws(Errno)
    /// PR_SET_CHILD_SUBREAPER.
    func becomeSubreaper() throws(Errno)
    /// prlimit(2) of this process: soft and hard.
    func limit(_ resource: UInt8) throws(Errno) -> ResourceLimit
    /// prlimit(2) of this process.
    func setLimit(_ limit: ResourceLimit) throws(Errno)
    /// execve(2): another program in this process, with the descriptors that are not close-on-exec. Comes back only where
    /// that failed. `arguments` with the program's name.
    func execute(_ path: String, _ arguments: [String], _ environment: [String]) -> Errno
    /// The same of an open file (execveat(2)), whatever has become of its path.
    func execute(_ program: borrowing OwnedFD, _ arguments: [String], _ environment: [String]) -> Errno
    /// environ(7): this process's own.
    func environment() -> [String]
    /// PR_SET_NAME: the process's name (comm).
    func setName(_ name: String)
}

/// A process number. For showing and for asking /proc; never signalled by itself.
public struct ProcessID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// As getpid(2) returns it.
    public let rawValue: Int32

    /// Wraps a number.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// By number.
    public static func < (left: ProcessID, right: ProcessID) -> Bool { left.rawValue < right.rawValue }

    /// The number.
    public var description: String { String(rawValue) }
}

/// A process that has ended.
public struct EndedProcess: Hashable, Sendable {
    /// Which.
    public let process: ProcessID
    /// How.
    public let exit: Exit
    /// CPU time of it and of those it had waited for (getrusage(2)).
    public let cpu: Duration
    /// The highest resident size that any one of them had, in bytes.
    public let peakBytes: UInt64

    /// All of it.
    public init(process: ProcessID, exit: Exit, cpu: Duration = .zero, peakBytes: UInt64 = 0) {
        self.process = process
        self.exit = exit
        self.cpu = cpu
        self.peakBytes = peakBytes
    }
}

/// RLIMIT_* with both values; `UInt64.max` is infinity.
public struct ResourceLimit: Hashable, Sendable {
    /// RLIMIT_* number.
    public var resource: UInt8
    /// Soft limit.
    public var soft: UInt64
    /// Hard limit.
    public var hard: UInt64

    /// All of it.
    public init(resource: UInt8, soft: UInt64, hard: UInt64) {
        self.resource = resource
        self.soft = soft
        self.hard = hard
    }

    /// RLIMIT_CPU, seconds.
    public static let cpu: UInt8 = 0
    /// RLIMIT_FSIZE, bytes.
    public static let fileSize: UInt8 = 1
    /// RLIMIT_NPROC, processes of the user; 6 on every architecture we build for.
    public static let processes: UInt8 = 6
    /// RLIMIT_AS, bytes.
    public static let addressSpace: UInt8 = 9
    /// RLIMIT_NOFILE, 7 on every architecture we build for.
    public static let openFiles: UInt8 = 7
}

// Each call is described at its requirement.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension LiveKernel {
    public func processID() -> ProcessID { ProcessID(rawValue: getpid()) }

    public func userID() -> UInt32 { geteuid() }

    public func groupID() -> UInt32 { getegid() }

    public func peekEnded() throws(Errno) -> EndedProcess? {
        var result = nexus_wait()
        _ = try checked(nexus_wait_any(&result, 1))
        return EndedProcess(result)
    }

    public func reap(_ process: ProcessID) throws(Errno) -> EndedProcess? {
        var result = nexus_wait()
        _ = try checked(nexus_wait_pid(process.rawValue, &result))
        return EndedProcess(result)
    }

    public func openProcess(_ process: ProcessID) throws(Errno) -> OwnedFD {
        try owned(nexus_pidfd_open(process.rawValue))
    }

    public func signal(_ pidfd: borrowing OwnedFD, _ signal: Signal) throws(Errno) {
        _ = try checked(nexus_pidfd_send_signal(pidfd.raw, signal.rawValue))
    }

    public func becomeSubreaper() throws(Errno) { _ = try checked(nexus_become_subreaper()) }

    public func limit(_ resource: UInt8) throws(Errno) -> ResourceLimit {
        var limit = ResourceLimit(resource: resource, soft: 0, hard: 0)
        _ = try checked(nexus_get_limit(Int32(resource), &limit.soft, &limit.hard))
        return limit
    }

    public func setLimit(_ limit: ResourceLimit) throws(Errno) {
        _ = try checked(nexus_set_limit(Int32(limit.resource), limit.soft, limit.hard))
    }

    public func execute(_ path: String, _ arguments: [String], _ environment: [String]) -> Errno {
        let (words, variables) = (CStringArray(arguments), CStringArray(environment))
        defer { withExtendedLifetime((words, variables)) {} }
        return Errno(rawValue: -path.withCString { nexus_execute($0, words.pointers, variables.pointers) })
    }

    public func execute(_ program: borrowing OwnedFD, _ arguments: [String], _ environment: [String]) -> Errno {
        let (words, variables) = (CStringArray(arguments), CStringArray(environment))
        defer { withExtendedLifetime((words, variables)) {} }
        return Errno(rawValue: -nexus_execute_file(program.raw, words.pointers, variables.pointers))
    }

    public func environment() -> [String] {
        var variables: [String] = []
        var next = nexus_environment()
        while let place = next, let variable = place.pointee {
            variables.append(String(cString: variable))
            next = place + 1
        }
        return variables
    }

    public func setName(_ name: String) { name.withCString { nexus_set_name($0) } }
}

extension EndedProcess {
    /// nil when nothing has ended (waitid(2) with WNOHANG leaves pid 0).
    init?(_ native: nexus_wait) {
        guard native.pid > 0 else { return nil }
        let exit: Exit =
            native.code == Int32(CLD_EXITED)
            ? .code(UInt8(truncatingIfNeeded: native.status))
            : .signal(
                Signal(rawValue: native.status), coreDumped: native.code == Int32(CLD_DUMPED), oom: false)
        self.init(
            process: ProcessID(rawValue: native.pid), exit: exit, cpu: .microseconds(native.cpu_us),
            peakBytes: UInt64(clamping: native.peak_kib) * 1024)
    }
}

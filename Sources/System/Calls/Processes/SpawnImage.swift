import CNexus
import Glibc
public import SupervisorCore

/// Everything a new process is given; nothing of nexusd's own goes over but what is named here.
public struct SpawnImage: Sendable {
    /// Absolute path of the executable.
    public var executable: String
    /// argv, argv[0] included.
    public var arguments: [String]
    /// `NAME=value`, complete.
    public var environment: [String]
    /// Names of variables that receive the new process's own pid (WATCHDOG_PID); appended to the environment.
    public var pidVariables: [String] = []
    /// The process's name (comm) until its program is executed, at most 15 bytes; nil: the caller's. An execve(2) may have to
    /// wait, and its environment is the caller's until then.
    public var waitingName: String?
    /// Working directory, entered with the new identity.
    public var directory = "/"
    /// Descriptors by their number in the child. Everything else is closed.
    public var descriptors: [DescriptorMapping] = []
    /// uid, gid and supplementary groups; nil: the caller's.
    public var identity: SpawnIdentity?
    /// What is left of root's rights; nil: as the kernel has it for that identity.
    public var capabilities: SpawnCapabilities?
    /// Resource limits.
    public var limits: [ResourceLimit] = []
    /// File mode creation mask.
    public var umask: UInt16 = 0o077
    /// Niceness, -20 to 19.
    public var nice: Int8 = 0
    /// oom_score_adj, -1000 to 1000; always written.
    public var oomScoreAdjust: Int16 = 0
    /// PR_SET_NO_NEW_PRIVS.
    public var noNewPrivileges = true
    /// A seccomp filter refuses what keeps a pipe's lock while it waits: splice(2) and sendfile(2) without an offset (EINVAL)
    /// and io_uring (ENOSYS). Wants `noNewPrivileges`.
    public var refusesPipeHolds = false
    /// setsid(2).
    public var newSession = true
    /// Descriptor 0 is a terminal and becomes that of the new session (tty_ioctl(4), TIOCSCTTY).
    public var takesTerminal = false
    /// PR_SET_PDEATHSIG: sent when the thread that spawned ends. nil where children are to outlive it.
    public var deathSignal: Signal?
    /// Raw descriptor of a cgroup v2 directory that the caller keeps open; nil: the caller's cgroup.
    public var cgroup: Int32?

    /// The three that have no default.
    public init(executable: String, arguments: [String], environment: [String]) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
    }
}

/// One descriptor of a child.
public struct DescriptorMapping: Hashable, Sendable {
    /// Raw number here; the caller keeps it open until the spawn returns.
    public var source: Int32
    /// Number in the child.
    public var target: Int32

    /// Both.
    public init(source: Int32, target: Int32) {
        self.source = source
        self.target = target
    }
}

/// Whom a child runs as.
public struct SpawnIdentity: Hashable, Sendable {
    /// Real, effective and saved uid.
    public var user: UInt32
    /// Real, effective and saved gid.
    public var group: UInt32
    /// Supplementary groups.
    public var groups: [UInt32]

    /// All of it.
    public init(user: UInt32, group: UInt32, groups: [UInt32] = []) {
        self.user = user
        self.group = group
        self.groups = groups
    }
}

/// Capability sets of a child; bit N is capability N (capabilities(7)).
public struct SpawnCapabilities: Hashable, Sendable {
    /// What the bounding set is cut down to; nil: not at all.
    public var bounding: UInt64?
    /// Whether a bounding set that cannot be cut down is an error (stage `privileges`).
    public var isBoundingRequired: Bool
    /// The ambient and inheritable sets and, unless the child is root, all that it has.
    public var ambient: UInt64

    /// All of it.
    public init(bounding: UInt64?, isBoundingRequired: Bool, ambient: UInt64) {
        self.bounding = bounding
        self.isBoundingRequired = isBoundingRequired
        self.ambient = ambient
    }
}

/// A child between its clone and its end; whether it was executed its report tells.
@frozen
public struct Spawned: ~Copyable, Sendable {
    /// Its number, ours until it is reaped.
    public var process: ProcessID
    /// The one way to signal it.
    public var pidfd: OwnedFD
    /// For `Kernel.report(of:)`.
    public var report: OwnedFD

    /// All of it.
    public init(process: ProcessID, pidfd: consuming OwnedFD, report: consuming OwnedFD) {
        self.process = process
        self.pidfd = pidfd
        self.report = report
    }
}

/// What a child has reported of its set-up and its exec.
public enum SpawnReport: Hashable, Sendable {
    /// Nothing yet.
    case none
    /// Its program was executed; or it was killed before that.
    case executed
    /// Its program cannot be executed; it ends by itself, and is to be reaped.
    case failed(SpawnFailure)
}

/// Where and why a spawn failed.
public struct SpawnFailure: Error, Hashable, Sendable {
    /// Where.
    public let stage: SpawnStage
    /// Why.
    public let error: Errno

    /// Both.
    public init(stage: SpawnStage, error: Errno) {
        self.stage = stage
        self.error = error
    }
}

extension SpawnFailure {
    /// `exec: no such file or directory (ENOENT)`.
    public var words: String { "\(stage): \(error)" }
}

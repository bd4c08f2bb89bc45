public import SupervisorCore
public import Wire

/// `[child.NAME]`: what is executed, as whom, with what.
public struct ChildPlan: Hashable, Sendable {
    /// Its name: 1 to 32 of [a-z0-9-].
    public var name: String
    /// What nexusd is to it.
    public var role: Role
    /// What the core needs.
    public var policy: ChildPolicy
    /// Absolute path of the executable, as found by nexus-config; empty for a child that is off and missing.
    public var executable: String
    /// argv; the first element is the name shown by ps.
    public var arguments: [Text]
    /// The whole environment, in order; nexusd adds NEXUS_CHILD, NEXUS_RUN_ID and what readiness needs.
    public var environment: [Variable]
    /// Absolute working directory.
    public var directory: String
    /// User and groups; nil: nexusd's own.
    public var identity: Identity?
    /// Resource limits (RLIMIT_*).
    public var limits: [Limit]
    /// What each run may take as a whole.
    public var bounds: RunBounds
    /// File mode creation mask.
    public var umask: UInt16
    /// Nice value, -20 to 19.
    public var nice: Int8
    /// oom_score_adj, always written: nexusd's own must not be inherited.
    public var oomScoreAdjust: Int16
    /// PR_SET_NO_NEW_PRIVS.
    public var noNewPrivileges: Bool
    /// Rights of root, one by one.
    public var capabilities: Capabilities
    /// Listening sockets that nexusd opens and hands over as fds 3, 4, …
    public var sockets: [SocketPlan]
    /// Files put into `$CREDENTIALS_DIRECTORY` (indices into `Plan.secrets`).
    public var secretFiles: [UInt16]
    /// How readiness is learned; agrees with `policy.ready`.
    public var readiness: Readiness
    /// What a liveness probe does, when `policy.liveness` is set.
    public var liveness: Probe?
    /// File name below the runtime directory's `pid/`; nil: none.
    public var pidFile: String?
    /// Log options.
    public var log: LogPlan
    /// The bus, for workers.
    public var worker: WorkerPlan?
    /// The number of its first socket: a worker's fds 3 and 4 are the bus.
    public var firstSocket: Int32 { worker == nil ? 3 : 5 }
    /// What an owner chose by command, as it was recorded; not a part of the file.
    public var choice: Choice?
    /// The next times of a scheduled child's calendar: seconds since 1970, ascending; empty for all others.
    public var calendar: [Int64]

    /// Times of a calendar that a plan knows ahead.
    public static let calendarLimit = 64

    /// Children nexusd knows by role.
    public enum Role: UInt8, Hashable, Sendable, CaseIterable {
        /// An ordinary child.
        case child
        /// The log-writer.
        case logWriter
        /// The worker that asks HTTP servers for nexusd.
        case prober
    }

    /// Everything with a safe default but name, executable and arguments.
    public init(
        name: String, role: Role = .child, policy: ChildPolicy = ChildPolicy(), executable: String,
        arguments: [Text], environment: [Variable] = [], directory: String = "/", identity: Identity? = nil,
        limits: [Limit] = [], bounds: RunBounds = RunBounds(), umask: UInt16 = 0o077, nice: Int8 = 0,
        oomScoreAdjust: Int16 = 0, noNewPrivileges: Bool = true, capabilities: Capabilities = Capabilities(),
        sockets: [SocketPlan] = [], secretFiles: [UInt16] = [], readiness: Readiness = .spawned,
        liveness: Probe? = nil, pidFile: String? = nil, log: LogPlan = LogPlan(), worker: WorkerPlan? = nil,
        choice: Choice? = nil, calendar: [Int64] = []
    ) {
        self.name = name
        self.role = role
        self.policy = policy
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
        self.identity = identity
        self.limits = limits
        self.bounds = bounds
        self.umask = umask
        self.nice = nice
        self.oomScoreAdjust = oomScoreAdjust
        self.noNewPrivileges = noNewPrivileges
        self.capabilities = capabilities
        self.sockets = sockets
        self.secretFiles = secretFiles
        self.readiness = readiness
        self.liveness = liveness
        self.pidFile = pidFile
        self.log = log
        self.worker = worker
        self.choice = choice
        self.calendar = calendar
    }
}

/// A text with values that are known only at spawn: `--port={db.port}`.
public struct Text: Hashable, Sendable {
    /// Concatenated in order.
    public var pieces: [Piece]

    /// One piece.
    public enum Piece: Hashable, Sendable {
        /// As it stands.
        case literal(String)
        /// What a sibling's ready pattern captured.
        case captured(ChildID, name: String)
        /// A secret's value; only in environments, never in argv.
        case secret(UInt16)
    }

    /// Pieces in order.
    public init(pieces: [Piece]) { self.pieces = pieces }

    /// A plain text.
    public init(_ literal: String) { pieces = [.literal(literal)] }
}

/// One environment variable.
public struct Variable: Hashable, Sendable {
    /// NAME, without `=` or NUL.
    public var name: String
    /// VALUE.
    public var value: Text

    /// Both.
    public init(name: String, value: Text) {
        self.name = name
        self.value = value
    }
}

/// Resolved user and groups (a static program has no NSS, so nexus-config looks names up).
public struct Identity: Hashable, Sendable {
    /// User id.
    public var uid: UInt32
    /// Primary group id.
    public var gid: UInt32
    /// Supplementary groups.
    public var groups: [UInt32]
    /// The name, for display.
    public var user: String

    /// All of it.
    public init(uid: UInt32, gid: UInt32, groups: [UInt32], user: String) {
        self.uid = uid
        self.gid = gid
        self.groups = groups
        self.user = user
    }
}

/// One resource limit, soft and hard, in the unit of setrlimit(2); `UInt64.max` is infinity.
public struct Limit: Hashable, Sendable {
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
}

/// How nexusd learns that a run is ready.
public enum Readiness: Hashable, Sendable {
    /// Exec succeeded.
    case spawned
    /// READY=1 on the child's own NOTIFY_SOCKET.
    case notify
    /// A newline written to this fd number (s6's way), 3 or above.
    case descriptor(Int32)
    /// The worker's `ready` frame.
    case bus
    /// TCP connect to loopback succeeds.
    case probe(Probe)
    /// A line of output matches.
    case logLine(LinePattern)
    /// A worker that may say `health:NAME` said healthy.
    case health
    /// It ended with success: a one-shot, whose dependents wait for what it does.
    case done
}

/// A check the core asks for with `Action.probe`.
public enum Probe: Hashable, Sendable {
    /// connect(2) to a loopback address; the port may name a captured value.
    case tcp(host: String, port: Text, timeout: Duration)
    /// A short run of its own with the child's identity; success is exit code 0.
    case exec(executable: String, arguments: [Text], timeout: Duration)
    /// One GET, asked by nexus-probe.
    case http(HTTPProbe)
}

/// Log options of a child.
public struct LogPlan: Hashable, Sendable {
    /// Bytes of a file before it is rotated.
    public var fileBytes: UInt64
    /// Rotated files kept beside the current one.
    public var files: UInt16
    /// Journald too, when there is one.
    public var journal: Bool
    /// What the child may say at most; nil: anything.
    public var rate: LogRate?

    /// 10 MB, 10 files, with journal, and a rate that only floods meet.
    public init(fileBytes: UInt64 = 10_000_000, files: UInt16 = 10, journal: Bool = true, rate: LogRate? = .standard) {
        self.fileBytes = fileBytes
        self.files = files
        self.journal = journal
        self.rate = rate
    }
}

/// What a worker may do on the bus.
public struct WorkerPlan: Hashable, Sendable {
    /// What it may ask of nexusd.
    public var may: [Grant]
    /// Workers it may address.
    public var peers: [ChildID]

    /// One permission.
    public enum Grant: Hashable, Sendable {
        case status
        case start(Command.Target)
        case stop(Command.Target)
        case restart(Command.Target)
        /// May report the health of this child.
        case health(ChildID)
    }

    /// The default of the design: `status`, nobody.
    public init(may: [Grant] = [.status], peers: [ChildID] = []) {
        self.may = may
        self.peers = peers
    }
}

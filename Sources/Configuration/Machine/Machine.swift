/// What nexus-config must know of the machine. A protocol, so that the tests of diagnostics need no particular users,
/// programs or rights.
protocol Machine: Sendable {
    /// Effective user of nexus-config, which is nexusd's.
    var userID: UInt32 { get }
    /// Effective group.
    var groupID: UInt32 { get }
    /// May give a process another uid and gid (CAP_SETUID and CAP_SETGID).
    func may(_ right: Right) -> Bool
    /// The passwd entry of a name.
    func user(named name: String) -> User?
    /// The passwd entry of a uid.
    func user(id: UInt32) -> User?
    /// The gid of a name.
    func group(named name: String) -> UInt32?
    /// Primary and supplementary groups of a user.
    func groups(of user: User) -> [UInt32]
    /// Some user names, to find what a person may have meant.
    var userNames: [String] { get }
    /// Some group names.
    var groupNames: [String] { get }
    /// A variable of nexus-config's own environment.
    func variable(_ name: String) -> String?
    /// Has this capability of capabilities(7) itself.
    func has(capability: UInt8) -> Bool
    /// The lowest port that needs no right (net.ipv4.ip_unprivileged_port_start).
    var firstOpenPort: UInt16 { get }
    /// inet_pton(3): sixteen bytes; nil for anything else.
    func parse(inet6 text: String) -> [UInt8]?
    /// readlink(2); nil for what is no link.
    func readLink(_ path: String) -> String?
    /// realpath(3): the path without links; nil when there is nothing.
    func realPath(_ path: String) -> String?
    /// stat(2); nil when there is nothing.
    func status(_ path: String) -> FileStatus?
    /// Who holds a lock of flock(2) on this file.
    func lock(of path: String) -> FileLock
    /// The file system of a path, or of the nearest directory above it that exists, is tmpfs or ramfs.
    func isInMemory(_ path: String) -> Bool
    /// The status and, if it is a regular file of at most `limit` bytes, the content.
    func read(_ path: String, limit: Int) throws(MachineError) -> (FileStatus, [UInt8])
    /// Soft limit of RLIMIT_`resource`, which children get too; `UInt64.max` is infinity.
    func softLimit(_ resource: UInt8) -> UInt64
    /// Hard limit of RLIMIT_`resource`; `UInt64.max` is infinity.
    func hardLimit(_ resource: UInt8) -> UInt64
    /// Its own oom_score_adj, which an unprivileged process cannot go below.
    var oomScoreAdjust: Int { get }
    /// Seconds since 1970.
    var now: Int64 { get }
    /// Seconds by which the machine's time zone is ahead of UTC at a second since 1970.
    func offset(at second: Int64) -> Int64
}

extension Machine {
    /// A regular file that somebody may execute.
    func isProgram(_ path: String) -> Bool { status(path).map { $0.kind == .regular && $0.mode & 0o111 != 0 } ?? false }

    /// fs.nr_open: open files of a process, whoever it is (proc_sys_fs(5)).
    var mostOpenFiles: UInt64? {
        guard let (_, bytes) = try? read("/proc/sys/fs/nr_open", limit: 64) else { return nil }
        return UInt64(String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace })
    }
}

/// Rights that some keys need.
enum Right: UInt8, Hashable, Sendable {
    /// CAP_CHOWN: give a file away.
    case changeOwner = 0
    /// CAP_SETPCAP: cut down the bounding set.
    case limitCapabilities = 8
    /// CAP_NET_BIND_SERVICE.
    case bindLowPorts = 10
    /// CAP_SETGID and CAP_SETUID (capabilities(7): 6 and 7).
    case changeUser = 7
    /// CAP_SYS_NICE: a nice value below 0.
    case raisePriority = 23
    /// CAP_SYS_RESOURCE: hard limits above its own, a lower oom_score_adj.
    case raiseLimits = 24
}

/// A passwd entry.
struct User: Hashable, Sendable {
    /// Login name.
    var name: String
    /// uid.
    var id: UInt32
    /// Primary gid.
    var group: UInt32
    /// Home directory.
    var home: String
    /// Login shell.
    var shell: String

    /// All of it.
    init(name: String, id: UInt32, group: UInt32, home: String, shell: String) {
        self.name = name
        self.id = id
        self.group = group
        self.home = home
        self.shell = shell
    }
}

/// What stat(2) says.
struct FileStatus: Hashable, Sendable {
    /// Kinds that make a difference here.
    enum Kind: Hashable, Sendable {
        case regular, directory, other
    }
    /// Kind.
    var kind: Kind
    /// Permission bits.
    var mode: UInt32
    /// uid.
    var owner: UInt32
    /// gid.
    var group: UInt32
    /// Bytes.
    var size: Int

    /// All of it.
    init(kind: Kind, mode: UInt32, owner: UInt32, group: UInt32, size: Int = 0) {
        self.kind = kind
        self.mode = mode
        self.owner = owner
        self.group = group
        self.size = size
    }
}

/// A lock of flock(2).
enum FileLock: Hashable, Sendable {
    /// Nobody has it, or there is no file.
    case free
    /// The effective uid of the process that took it; nil where that cannot be told.
    case held(by: UInt32?)
}

/// Why a file was not read.
enum MachineError: Error, Hashable, Sendable {
    /// ENOENT or ENOTDIR.
    case missing
    /// A directory, a pipe, a device: with its article.
    case notRegular(String)
    /// Above the limit; it was not read.
    case tooLarge(bytes: Int)
    /// Another reason, in words.
    case failed(String)
}

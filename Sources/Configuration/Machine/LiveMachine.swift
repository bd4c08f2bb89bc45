import Glibc

/// The real machine. The only file of this module that calls into libc to look something up; `PlanStore` is the
/// only one that changes anything.
struct LiveMachine: Machine {
    /// Stateless but for the capabilities, which are read once.
    init() { capabilities = LiveMachine.readCapabilities() }

    private let capabilities: UInt64

    var userID: UInt32 { geteuid() }
    var groupID: UInt32 { getegid() }

    func may(_ right: Right) -> Bool {
        has(capability: right.rawValue) && (right != .changeUser || has(capability: 6))
    }

    func has(capability: UInt8) -> Bool { capability < 64 && capabilities >> UInt64(capability) & 1 == 1 }

    var firstOpenPort: UInt16 {
        LiveMachine.line(of: "/proc/sys/net/ipv4/ip_unprivileged_port_start", "").flatMap { UInt16($0) } ?? 1024
    }

    func parse(inet6 text: String) -> [UInt8]? {
        var address = in6_addr()
        guard inet_pton(AF_INET6, text, &address) == 1 else { return nil }
        return withUnsafeBytes(of: &address) { Array($0) }
    }

    func readLink(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink(path, &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    func realPath(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }

    func user(named name: String) -> User? { getpwnam(name).map(LiveMachine.convert) }

    func user(id: UInt32) -> User? { getpwuid(id).map(LiveMachine.convert) }

    func group(named name: String) -> UInt32? { getgrnam(name)?.pointee.gr_gid }

    func groups(of user: User) -> [UInt32] {
        // NGROUPS_MAX, so that one call is always enough.
        var count: Int32 = 65_536
        var list = [gid_t](repeating: 0, count: Int(count))
        guard getgrouplist(user.name, user.group, &list, &count) >= 0 else { return [user.group] }
        return list.prefix(Int(count)).sorted()
    }

    /// Databases of networks may have very many entries; a hint needs not all of them.
    private static let nameLimit = 1000

    var userNames: [String] {
        var names: [String] = []
        setpwent()
        while names.count < LiveMachine.nameLimit, let entry = getpwent() {
            names.append(String(cString: entry.pointee.pw_name))
        }
        endpwent()
        return names
    }

    var groupNames: [String] {
        var names: [String] = []
        setgrent()
        while names.count < LiveMachine.nameLimit, let entry = getgrent() {
            names.append(String(cString: entry.pointee.gr_name))
        }
        endgrent()
        return names
    }

    var now: Int64 { Int64(time(nil)) }

    func offset(at second: Int64) -> Int64 {
        var time = time_t(second)
        var parts = tm()
        return localtime_r(&time, &parts) == nil ? 0 : Int64(parts.tm_gmtoff)
    }

    func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    func status(_ path: String) -> FileStatus? {
        var status = stat()
        return stat(path, &status) == 0 ? LiveMachine.convert(status) : nil
    }

    func isInMemory(_ path: String) -> Bool {
        var path = path
        var status = stat()
        while stat(path, &status) != 0, let slash = path.lastIndex(of: "/"), path != "/" {
            path = slash == path.startIndex ? "/" : String(path[..<slash])
        }
        // As makedev(3) packs it. proc_pid_mountinfo(5): the third field is major:minor, the type follows the hyphen.
        let device = UInt64(status.st_dev)
        let major = (device >> 8 & 0xFFF) | (device >> 32 & ~0xFFF)
        let minor = (device & 0xFF) | (device >> 12 & ~0xFF)
        guard let mounts = try? read("/proc/self/mountinfo", limit: 1 << 20).1 else { return false }
        return mounts.split(separator: UInt8(ascii: "\n")).contains { line in
            let words = String(decoding: line, as: UTF8.self).split(separator: " ")
            guard words.count > 3, words[2] == "\(major):\(minor)", let hyphen = words.firstIndex(of: "-") else {
                return false
            }
            return words[hyphen...].dropFirst().first.map { $0 == "tmpfs" || $0 == "ramfs" } ?? false
        }
    }

    func read(_ path: String, limit: Int) throws(MachineError) -> (FileStatus, [UInt8]) {
        // O_NONBLOCK: a named pipe without a writer must not hold us up.
        let file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard file >= 0 else {
            throw errno == ENOENT || errno == ENOTDIR ? .missing : .failed(String(cString: strerror(errno)))
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .failed(String(cString: strerror(errno))) }
        let converted = LiveMachine.convert(status)
        guard converted.kind == .regular else {
            throw .notRegular(converted.kind == .directory ? "a directory" : "a device, pipe or socket")
        }
        guard converted.size <= limit else { throw .tooLarge(bytes: converted.size) }
        // One byte more than allowed: a file may grow while it is read.
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= limit {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .failed(String(cString: strerror(errno))) }
            if count == 0 { return (converted, bytes) }
            bytes.append(contentsOf: chunk[..<count])
        }
        throw .tooLarge(bytes: bytes.count)
    }

    func softLimit(_ resource: UInt8) -> UInt64 { LiveMachine.limit(resource)?.soft ?? .max }

    func hardLimit(_ resource: UInt8) -> UInt64 { LiveMachine.limit(resource)?.hard ?? .max }

    private static func limit(_ resource: UInt8) -> (soft: UInt64, hard: UInt64)? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(resource), &limit) == 0 else { return nil }
        return (UInt64(limit.rlim_cur), UInt64(limit.rlim_max))
    }

    var oomScoreAdjust: Int { LiveMachine.line(of: "/proc/self/oom_score_adj", "").flatMap { Int($0) } ?? 0 }

    // MARK: - Conversions

    private static func convert(_ entry: UnsafeMutablePointer<passwd>) -> User {
        User(
            name: String(cString: entry.pointee.pw_name), id: entry.pointee.pw_uid, group: entry.pointee.pw_gid,
            home: String(cString: entry.pointee.pw_dir), shell: String(cString: entry.pointee.pw_shell))
    }

    private static func convert(_ status: stat) -> FileStatus {
        let kind: FileStatus.Kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case _: .other
            }
        return FileStatus(
            kind: kind, mode: status.st_mode & 0o7777, owner: status.st_uid, group: status.st_gid,
            size: Int(status.st_size))
    }

    /// CapEff of proc(5): the rights themselves, which a root in a container may lack.
    private static func readCapabilities() -> UInt64 {
        line(of: "/proc/self/status", "CapEff:").flatMap { UInt64($0, radix: 16) } ?? (geteuid() == 0 ? .max : 0)
    }

    /// What follows `prefix` in the first line that has it, without blanks around it.
    private static func line(of path: String, _ prefix: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 512)
        while fgets(&buffer, Int32(buffer.count), file) != nil {
            let line = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            guard line.hasPrefix(prefix) else { continue }
            return String(line.dropFirst(prefix.count).filter { !$0.isWhitespace })
        }
        return nil
    }
}

import Plan
import SupervisorCore
import System

/// Who listens where a socket is to be opened, by the kernel's lists (proc(5)). Asked only when bind(2) was refused.
struct SocketHolders {
    /// Of a list of sockets, more is not read.
    private static let listLimit = 8 << 20
    private static let listening: Substring = "0A"  // TCP_LISTEN
    private static let datagrams: Substring = "0002"  // SOCK_DGRAM

    /// Who made each of those in the way; nil: that is not said.
    private let users: [UInt64: UInt32?]
    private let kernel: any Kernel

    init(of plan: SocketPlan, _ kernel: any Kernel) {
        self.kernel = kernel
        let found: [Found] =
            switch plan.address {
            case .inet(let host, let port), .inet6(let host, let port): Self.found(host, port, plan.kind, kernel)
            case .unix(let path): Self.found(path, kernel)
            }
        users = Dictionary(found.map { ($0.inode, $0.user) }) { first, _ in first }
    }

    private struct Found {
        let inode: UInt64
        let user: UInt32?

        init?(_ inode: Substring, _ user: UInt32?) {
            guard let inode = UInt64(inode) else { return nil }
            self.inode = inode
            self.user = user
        }
    }

    /// Those in the way, by inode; none: nobody listens there, as far as can be seen.
    var inodes: Set<UInt64> { Set(users.keys) }

    /// Which of them the process has open; none as well where that cannot be seen.
    func held(by process: ProcessID) -> Set<UInt64> {
        guard !users.isEmpty else { return [] }
        let folder = Self.files(of: process)
        let links = ((try? kernel.list(folder)) ?? []).compactMap { try? kernel.readLink(folder + "/" + $0) }
        let open = links.compactMap { link in
            // `socket:[28523366]`, proc_pid_fd(5)
            link.hasPrefix("socket:[") ? UInt64(link.dropFirst("socket:[".count).dropLast()) : nil
        }
        return inodes.intersection(open)
    }

    /// Which of them a process that is being ended may have, though it shows none: in the middle of its exit it has no files any more
    /// some time before they are closed (exit_files, exit_task_work). And into another user's nexusd cannot look in its unit, which
    /// takes CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH from it: that user's sockets are all that tells.
    func mayBelong(to process: ProcessID) -> Set<UInt64> {
        guard !users.isEmpty else { return [] }
        do throws(Errno) {
            return try kernel.list(Self.files(of: process)).isEmpty ? inodes : []
        } catch {
            guard error == .noAccess || error == .notPermitted,
                let user = try? kernel.status("/proc/\(process)", followingLinks: false).user
            else { return [] }
            return Set(users.filter { $0.value == user }.keys)
        }
    }

    private static func files(of process: ProcessID) -> String { "/proc/\(process)/fd" }

    /// sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode …, the port in hexadecimal.
    private static func found(_ host: [UInt8], _ port: UInt16, _ kind: SocketPlan.Kind, _ kernel: any Kernel) -> [Found]
    {
        let name = kind == .stream ? "tcp" : "udp"
        return ["/proc/net/\(name)", "/proc/net/\(name)6"].flatMap { file in
            lines(file, kernel).compactMap { line -> Found? in
                let fields = line.split(separator: " ")
                guard fields.count > 9, let colon = fields[1].lastIndex(of: ":"),
                    UInt16(fields[1][fields[1].index(after: colon)...], radix: 16) == port,
                    isInTheWay(fields[1][..<colon], of: host),
                    kind == .datagram || fields[3] == listening
                else { return nil }
                return Found(fields[9], UInt32(fields[7]))
            }
        }
    }

    /// Whether a socket of the same port there may keep us from `host`. One of IPv6 may be one of IPv4 too, but never is ours
    /// (IPV6_V6ONLY).
    private static func isInTheWay(_ there: Substring, of host: [UInt8]) -> Bool {
        func isAny(_ address: some StringProtocol) -> Bool { address.allSatisfy { $0 == "0" } }
        let wanted = words(host)
        if there.count == wanted.count { return there == wanted || isAny(there) || isAny(wanted) }
        guard there.count > wanted.count else { return false }
        let mapped = words([UInt8](repeating: 0, count: 10) + [0xFF, 0xFF])  // RFC 4291, 2.5.5.2
        return isAny(there) || there.hasPrefix(mapped) && isInTheWay(there.dropFirst(mapped.count), of: host)
    }

    /// An address as the lists have it: four bytes at a time, a number of this machine.
    private static func words(_ bytes: [UInt8]) -> String {
        stride(from: 0, to: bytes.count, by: 4).map { place in
            let word = bytes[place..<place + 4].enumerated().reduce(UInt32(0)) {
                $0 | UInt32($1.element) << (8 * $1.offset)
            }
            let digits = String(UInt32(littleEndian: word), radix: 16, uppercase: true)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }

    /// Num RefCount Protocol Flags Type St Inode Path; whose it is the file says.
    private static func found(_ path: String, _ kernel: any Kernel) -> [Found] {
        lines("/proc/net/unix", kernel).compactMap { line in
            let fields = line.split(separator: " ", maxSplits: 7)
            guard fields.count == 8, fields[7] == path else { return nil }
            return Found(fields[6], (try? kernel.status(path, followingLinks: false))?.user)
        }
    }

    /// Where a unix socket of datagrams was bound; whose the file is by now, only that file can tell.
    static func path(ofDatagrams inode: UInt64, _ kernel: any Kernel) -> String? {
        for line in lines("/proc/net/unix", kernel) {
            let fields = line.split(separator: " ", maxSplits: 7)
            if fields.count == 8, fields[4] == datagrams, UInt64(fields[6]) == inode { return String(fields[7]) }
        }
        return nil
    }

    private static func lines(_ file: String, _ kernel: any Kernel) -> [Substring] {
        let text = (try? kernel.readFile(file, limit: listLimit)) ?? []
        return String(decoding: text, as: UTF8.self).split(separator: "\n").dropFirst().map { $0 }
    }
}

import Plan
import SupervisorCore
import System

/// Who listens where a socket is to be opened, by the kernel's lists (proc(5)). Asked only when bind(2) was refused.
struct SocketHolders {
    /// Of a list of sockets, more is not read.
    private static let listLimit = 8 << 20
    private static let listening: Substring = "0A"  // TCP_LISTEN
    private static let unconnected: Substring = "01"  // SS_UNCONNECTED: bound, and no connection of a server

    /// As the links in /proc/PID/fd name them.
    private let links: Set<String>
    /// Who made them.
    private let users: Set<UInt32>
    private let kernel: any Kernel

    init(of plan: SocketPlan, _ kernel: any Kernel) {
        self.kernel = kernel
        let found: [Found] =
            switch plan.address {
            case .inet(let host, let port), .inet6(let host, let port): Self.found(host, port, plan.kind, kernel)
            case .unix(let path): Self.found(path, kernel)
            }
        links = Set(found.map { "socket:[\($0.inode)]" })
        users = Set(found.compactMap(\.user))
    }

    private struct Found {
        let inode: Substring
        let user: UInt32?
    }

    /// Nobody listens there, as far as can be seen.
    var isEmpty: Bool { links.isEmpty }

    /// Whether the process has one of them open; false as well where that cannot be seen.
    func include(_ process: ProcessID) -> Bool {
        guard !links.isEmpty else { return false }
        let folder = Self.files(of: process)
        return ((try? kernel.list(folder)) ?? []).contains { name in
            (try? kernel.readLink(folder + "/" + name)).map { links.contains($0) } ?? false
        }
    }

    /// Whether a process that is being ended may have one, though it shows none: in the middle of its exit it has no files any more
    /// some time before they are closed (exit_files, exit_task_work). And into another user's nexusd cannot look in its unit, which
    /// takes CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH from it: that user's sockets are all that tells.
    func mayBelong(to process: ProcessID) -> Bool {
        guard !links.isEmpty else { return false }
        do throws(Errno) {
            return try kernel.list(Self.files(of: process)).isEmpty
        } catch {
            guard error == .noAccess || error == .notPermitted,
                let user = try? kernel.status("/proc/\(process)", followingLinks: false).user
            else { return false }
            return users.contains(user)
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
                return Found(inode: fields[9], user: UInt32(fields[7]))
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
            return Found(inode: fields[6], user: (try? kernel.status(path, followingLinks: false))?.user)
        }
    }

    /// The path of a bound unix socket, unless somebody else is bound there too, whose the file is then.
    static func path(ofBound inode: UInt64, _ kernel: any Kernel) -> String? {
        let bound = lines("/proc/net/unix", kernel).map { $0.split(separator: " ", maxSplits: 7) }
            .filter { $0.count == 8 && $0[5] == unconnected }
        guard let path = bound.first(where: { UInt64($0[6]) == inode })?[7] else { return nil }
        return bound.count { $0[7] == path } == 1 ? String(path) : nil
    }

    private static func lines(_ file: String, _ kernel: any Kernel) -> [Substring] {
        let text = (try? kernel.readFile(file, limit: listLimit)) ?? []
        return String(decoding: text, as: UTF8.self).split(separator: "\n").dropFirst().map { $0 }
    }
}

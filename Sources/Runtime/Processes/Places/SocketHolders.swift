import Plan
import SupervisorCore
import System

/// Who listens where a socket is to be opened, by the kernel's lists (proc(5)). Asked only when bind(2) was refused.
struct SocketHolders {
    /// Of a list of sockets, more is not read.
    private static let listLimit = 8 << 20
    private static let listening: Substring = "0A"  // TCP_LISTEN

    /// As the links in /proc/PID/fd name them.
    private let links: Set<String>
    /// Who made them.
    private let users: Set<UInt32>
    private let kernel: any Kernel

    init(of plan: SocketPlan, _ kernel: any Kernel) {
        self.kernel = kernel
        let found: [Found] =
            switch plan.address {
            case .inet(_, let port), .inet6(_, let port): Self.found(port, plan.kind, kernel)
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
    private static func found(_ port: UInt16, _ kind: SocketPlan.Kind, _ kernel: any Kernel) -> [Found] {
        let name = kind == .stream ? "tcp" : "udp"
        return ["/proc/net/\(name)", "/proc/net/\(name)6"].flatMap { file in
            lines(file, kernel).compactMap { line -> Found? in
                let fields = line.split(separator: " ")
                guard fields.count > 9, let colon = fields[1].lastIndex(of: ":"),
                    UInt16(fields[1][fields[1].index(after: colon)...], radix: 16) == port,
                    kind == .datagram || fields[3] == listening
                else { return nil }
                return Found(inode: fields[9], user: UInt32(fields[7]))
            }
        }
    }

    /// Num RefCount Protocol Flags Type St Inode Path; whose it is the file says.
    private static func found(_ path: String, _ kernel: any Kernel) -> [Found] {
        lines("/proc/net/unix", kernel).compactMap { line in
            let fields = line.split(separator: " ", maxSplits: 7)
            guard fields.count == 8, fields[7] == path else { return nil }
            return Found(inode: fields[6], user: (try? kernel.status(path, followingLinks: false))?.user)
        }
    }

    private static func lines(_ file: String, _ kernel: any Kernel) -> [Substring] {
        let text = (try? kernel.readFile(file, limit: listLimit)) ?? []
        return String(decoding: text, as: UTF8.self).split(separator: "\n").dropFirst().map { $0 }
    }
}

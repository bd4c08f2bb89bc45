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
    private let kernel: any Kernel

    init(of plan: SocketPlan, _ kernel: any Kernel) {
        self.kernel = kernel
        let inodes: [Substring] =
            switch plan.address {
            case .inet(_, let port), .inet6(_, let port): Self.inodes(port, plan.kind, kernel)
            case .unix(let path): Self.inodes(path, kernel)
            }
        links = Set(inodes.map { "socket:[\($0)]" })
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

    /// Whether a process that is there has none open; false as well where that cannot be seen.
    static func showsNoFiles(_ process: ProcessID, _ kernel: any Kernel) -> Bool {
        (try? kernel.list(files(of: process)))?.isEmpty ?? false
    }

    private static func files(of process: ProcessID) -> String { "/proc/\(process)/fd" }

    /// sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode …, the port in hexadecimal.
    private static func inodes(_ port: UInt16, _ kind: SocketPlan.Kind, _ kernel: any Kernel) -> [Substring] {
        let name = kind == .stream ? "tcp" : "udp"
        return ["/proc/net/\(name)", "/proc/net/\(name)6"].flatMap { file in
            lines(file, kernel).compactMap { line -> Substring? in
                let fields = line.split(separator: " ")
                guard fields.count > 9, let colon = fields[1].lastIndex(of: ":"),
                    UInt16(fields[1][fields[1].index(after: colon)...], radix: 16) == port,
                    kind == .datagram || fields[3] == listening
                else { return nil }
                return fields[9]
            }
        }
    }

    /// Num RefCount Protocol Flags Type St Inode Path.
    private static func inodes(_ path: String, _ kernel: any Kernel) -> [Substring] {
        lines("/proc/net/unix", kernel).compactMap { line in
            let fields = line.split(separator: " ", maxSplits: 7)
            return fields.count == 8 && fields[7] == path ? fields[6] : nil
        }
    }

    private static func lines(_ file: String, _ kernel: any Kernel) -> [Substring] {
        let text = (try? kernel.readFile(file, limit: listLimit)) ?? []
        return String(decoding: text, as: UTF8.self).split(separator: "\n").dropFirst().map { $0 }
    }
}

import Glibc
import SupervisorCore
import System

/// What a living run uses now: of its whole cgroup where it has one, else of its main process.
struct UsageNow: Hashable {
    /// Processor time so far.
    var cpuMicroseconds: UInt64?
    /// Memory now.
    var memoryBytes: UInt64?
    /// Processes in its cgroup; nil without the pids controller.
    var processes: UInt64?
    /// The processor time, and the memory, are those of everything in the run.
    var cpuIsWhole = false
    var memoryIsWhole = false

    /// Asks the kernel: a few small files, read only when somebody asked for them.
    init(_ run: LivingRun, _ kernel: any Kernel) {
        if let cgroup = run.scope.cgroupPath {
            cpuMicroseconds = Self.field("usage_usec ", of: cgroup + "/cpu.stat", kernel)
            cpuIsWhole = cpuMicroseconds != nil
            memoryBytes = Self.number(cgroup + "/memory.current", kernel)
            memoryIsWhole = memoryBytes != nil
            processes = Self.number(cgroup + "/pids.current", kernel)
        }
        guard cpuMicroseconds == nil || memoryBytes == nil, !run.hasExited else { return }
        let main = UsageNow(process: run.process.description, kernel)
        cpuMicroseconds = cpuMicroseconds ?? main.cpuMicroseconds
        memoryBytes = memoryBytes ?? main.memoryBytes
    }

    /// One process and, unless it is looked at `alone`, the descendants it has waited for; `self` is nexusd.
    init(process: String, alone: Bool = false, _ kernel: any Kernel) {
        guard let stat = try? kernel.readFile("/proc/\(process)/stat", limit: 4096),
            let close = stat.lastIndex(of: UInt8(ascii: ")"))
        else { return }
        // proc(5), counted from the state behind the name: 11 to 14 are utime, stime, cutime, cstime; 21 is rss.
        let fields = stat[(close + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 21 else { return }
        let ticks = fields[11...(alone ? 12 : 14)].compactMap { decimal($0) }.reduce(0, &+)
        cpuMicroseconds = ticks * 1_000_000 / UInt64(max(1, sysconf(Int32(_SC_CLK_TCK))))
        memoryBytes = decimal(fields[21]).map { $0 * UInt64(max(1, sysconf(Int32(_SC_PAGESIZE)))) }
    }

    private static func number(_ path: String, _ kernel: any Kernel) -> UInt64? {
        guard let text = try? kernel.readFile(path, limit: 64) else { return nil }
        return decimal(text.prefix { $0 != UInt8(ascii: "\n") })
    }

    private static func field(_ name: String, of path: String, _ kernel: any Kernel) -> UInt64? {
        guard let text = try? kernel.readFile(path, limit: 4096) else { return nil }
        return text.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: name.utf8) }
            .flatMap { decimal($0.dropFirst(name.utf8.count)) }
    }
}

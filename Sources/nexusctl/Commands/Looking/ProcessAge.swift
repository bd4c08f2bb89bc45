import Glibc
import System

/// How long processes have been there, as the kernel counts it: proc_pid_stat(5), field 22, of the clock that goes on in sleep.
enum ProcessAge {
    // A name of 64 bytes and 52 numbers.
    private static let limitBytes = 4096

    /// nil: it is gone, or hidden from the caller.
    static func of(_ pid: Int64) -> Duration? {
        guard let bytes = try? LiveKernel().readFile("/proc/\(pid)/stat", limit: limitBytes) else { return nil }
        // The name, in brackets, may hold anything.
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        let ticksPerSecond = Int64(sysconf(Int32(_SC_CLK_TCK)))
        guard fields.count > 19, let ticks = Int64(fields[19]), ticksPerSecond > 0 else { return nil }
        var now = timespec()
        guard clock_gettime(CLOCK_BOOTTIME, &now) == 0 else { return nil }
        let started = Duration.milliseconds(ticks * 1000 / ticksPerSecond)
        return max(.zero, .seconds(now.tv_sec) + .nanoseconds(now.tv_nsec) - started)
    }
}

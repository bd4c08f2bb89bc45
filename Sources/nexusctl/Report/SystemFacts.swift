import ControlClient
import Glibc
import System

/// What a helper asks first about a machine.
struct SystemFacts {
    /// nexusd's process id; nil when it does not run.
    let pid: Int64?

    /// Some files of /proc and /etc, each under its name; none of them names more than the machine.
    var text: String {
        var paths = [
            "/etc/os-release", "/proc/version", "/proc/uptime", "/proc/loadavg", "/proc/meminfo", "/proc/pressure/cpu",
            "/proc/pressure/memory", "/proc/pressure/io", "/proc/self/cgroup", "/proc/sys/fs/file-nr",
            "/proc/sys/fs/pipe-user-pages-soft",
        ]
        if let pid { paths += ["status", "limits", "cgroup"].map { "/proc/\(pid)/\($0)" } }
        return paths.map { path in
            let content = try? LiveKernel().readFile(path, limit: Self.limitBytes)
            return "== \(path)\n" + (content.map { String(decoding: $0, as: UTF8.self) } ?? "(cannot be read)\n")
        }.joined(separator: "\n")
    }

    private static let limitBytes = 64 * 1024
}

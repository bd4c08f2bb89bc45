/// What the kernel says of a process that does not answer.
public enum ProcessState {
    /// It is stopped, as by SIGSTOP, and does nothing until SIGCONT.
    public static func isStopped(_ pid: Int32) -> Bool { isStopped(stat: NetworkRoutes.contents("/proc/\(pid)/stat")) }

    /// proc(5): `PID (name) STATE …`, where the name may hold anything.
    static func isStopped(stat: String) -> Bool {
        guard let close = stat.lastIndex(of: ")") else { return false }
        return stat[stat.index(after: close)...].split(separator: " ").first == "T"
    }
}

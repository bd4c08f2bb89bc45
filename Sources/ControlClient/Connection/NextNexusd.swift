import Glibc

/// The next nexusd of the unit: where one is killed, systemd starts it within 0.1 to 0.3 s, in which nobody listens. A command
/// that came just then would say that there is no supervisor, and an update would take its program for one that does not run.
enum NextNexusd {
    /// How long a command waits for it.
    private static let patienceMilliseconds: Int64 = 5000
    private static let pauseMilliseconds: Int32 = 20
    private static let unitSocket = "/run/nexus/control.sock"
    /// There from a unit's start to its end; for a moment not between two tries of one that is started again.
    private static let invocation = "/run/systemd/units/invocation:nexus.service"
    /// There as long as a process of the unit lives: the children of one that was killed do.
    private static let cgroups = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map { $0 + "/system.slice/nexus.service" }

    /// Connects, as soon as somebody listens where that is to be expected.
    static func connect(_ path: String, interrupt: Int32?) throws(ControlError) -> UnixSocket {
        let deadline = UnixSocket.milliseconds() + patienceMilliseconds
        while true {
            do throws(ControlError) {
                return try UnixSocket(connectingTo: path, interrupt: interrupt)
            } catch {
                guard error.code == .notRunning, isExpected(path), UnixSocket.milliseconds() < deadline else {
                    throw error
                }
            }
            try pause(interrupt)
        }
    }

    private static func isExpected(_ path: String) -> Bool {
        guard path == unitSocket, AbsentNexusd(socket: path)?.stage != "ending" else { return false }
        var status = stat()
        return lstat(invocation, &status) == 0 || cgroups.contains { stat($0, &status) == 0 }
    }

    private static func pause(_ interrupt: Int32?) throws(ControlError) {
        // poll(2) passes over a negative number.
        var entry = pollfd(fd: interrupt ?? -1, events: Int16(POLLIN), revents: 0)
        if poll(&entry, 1, pauseMilliseconds) > 0 { throw ControlError(.interrupted, "interrupted") }
    }
}

import SupervisorCore
import System

extension Kernel {
    /// Signals a process found in /proc without ever trusting its number: the pidfd is opened, then the process is
    /// looked up again. If it is the same one (start time) and still meant, so is the pidfd, for the number cannot have
    /// passed on and back in between. False: it is gone or is something else now.
    func signal(_ entry: ProcessEntry, _ signal: Signal, ifStill meant: (ProcessEntry) -> Bool) -> Bool {
        do {
            let pidfd = try openProcess(entry.process)
            guard let now = ProcessTable.entry(entry.process, self), now.started == entry.started, meant(now) else {
                return false
            }
            try self.signal(pidfd, signal)
            return true
        } catch {
            return false
        }
    }
}

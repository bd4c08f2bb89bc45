import SupervisorCore
import System

extension Kernel {
    /// A signal by which something is to end. What was stopped (SIGSTOP, SIGTSTP) does not hear it before it goes on, so
    /// SIGCONT follows, to the same process: it takes effect while the other is pending, which is then what it wakes to. Not
    /// behind SIGKILL, which ends what is stopped too.
    func signalEnd(_ pidfd: borrowing OwnedFD, _ signal: Signal) throws(Errno) {
        try self.signal(pidfd, signal)
        // ESRCH: it has heard the first.
        if signal != .kill { try? self.signal(pidfd, .continue) }
    }

    /// Ends a process found in /proc by this signal without ever trusting its number: the pidfd is opened, then the process
    /// is looked up again. If it is the same one (start time) and still meant, so is the pidfd, for the number cannot have
    /// passed on and back in between. False: it is gone or is something else now.
    func signal(_ entry: ProcessEntry, _ signal: Signal, ifStill meant: (ProcessEntry) -> Bool) -> Bool {
        do {
            let pidfd = try openProcess(entry.process)
            guard let now = ProcessTable.entry(entry.process, self), now.started == entry.started, meant(now) else {
                return false
            }
            try signalEnd(pidfd, signal)
            return true
        } catch {
            return false
        }
    }
}

import CNexus
import ControlClient
import Glibc

/// Ctrl-C as something that can be waited for, beside a connection or the keyboard: a handler could come between a look
/// and a wait.
struct Interrupts: ~Copyable {
    private let descriptor: Int32

    /// From here on SIGINT does nothing else.
    init() throws(ControlError) {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGINT)
        sigprocmask(SIG_BLOCK, &set, nil)
        descriptor = signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
        guard descriptor >= 0 else { throw ControlError(.failed, "no signalfd: \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }

    /// What came first.
    enum Arrival {
        case interrupt
        case ready
        case timeout
    }

    /// Waits until the other descriptor can be read or Ctrl-C came; at most so many milliseconds, nil: for ever.
    func wait(orReadable other: Int32, milliseconds: Int32? = nil) -> Arrival {
        var entries = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: other, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            let count = poll(&entries, 2, milliseconds ?? -1)
            if count < 0, errno == EINTR { continue }
            if entries[0].revents != 0 {
                var info = signalfd_siginfo()
                _ = read(descriptor, &info, MemoryLayout<signalfd_siginfo>.size)
                return .interrupt
            }
            return count == 0 ? .timeout : .ready
        }
    }
}

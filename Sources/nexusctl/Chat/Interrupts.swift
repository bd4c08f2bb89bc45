import CNexus
import ControlClient
import Glibc

/// Ctrl-C as something that can be waited for, beside a connection or the keyboard: a handler could come between a look
/// and a wait.
struct Interrupts: ~Copyable {
    /// Can be read when Ctrl-C came, until `wait` says so.
    let descriptor: Int32

    /// From here on SIGINT, or whichever are given, do nothing else.
    init(_ signals: [Int32] = [SIGINT]) throws(ControlError) {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        sigprocmask(SIG_BLOCK, &set, nil)
        descriptor = signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
        guard descriptor >= 0 else { throw ControlError(.failed, "no signalfd: \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }

    /// What came first.
    enum Arrival {
        case interrupt
        /// This descriptor can be read.
        case ready(Int32)
        case timeout
    }

    /// Waits until one of the others can be read or Ctrl-C came; at most so many milliseconds, nil: for ever.
    func wait(orReadable others: [Int32], milliseconds: Int32? = nil) -> Arrival {
        var entries = ([descriptor] + others).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while true {
            let count = poll(&entries, nfds_t(entries.count), milliseconds ?? -1)
            if count < 0, errno == EINTR { continue }
            if entries[0].revents != 0 {
                var info = signalfd_siginfo()
                _ = read(descriptor, &info, MemoryLayout<signalfd_siginfo>.size)
                return .interrupt
            }
            return entries.first { $0.revents != 0 }.map { .ready($0.fd) } ?? .timeout
        }
    }
}

import CNexus
import ControlClient
import Glibc

/// Everything that a live command waits for at once: keys, signals, and one descriptor more.
struct Arrivals: ~Copyable {
    private let signals: Int32
    private let readsKeys: Bool

    /// What came.
    enum Arrival {
        case keys([Key])
        /// SIGWINCH.
        case resized
        /// SIGINT, SIGTERM, SIGHUP, or the end of the keyboard.
        case end
        /// The other descriptor can be read.
        case other
        case timeout
    }

    /// From here on these signals do nothing by themselves.
    init(readsKeys: Bool) throws(ControlError) {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in [SIGWINCH, SIGINT, SIGTERM, SIGHUP] { sigaddset(&set, signal) }
        sigprocmask(SIG_BLOCK, &set, nil)
        signals = signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
        self.readsKeys = readsKeys
        guard signals >= 0 else { throw ControlError(.failed, "no signalfd: \(String(cString: strerror(errno)))") }
    }

    deinit { close(signals) }

    /// Waits for the first of them; at most so many milliseconds.
    func wait(for other: Int32, milliseconds: Int64) -> Arrival {
        var entries = [
            pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
            pollfd(fd: readsKeys ? STDIN_FILENO : -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: other, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            let count = poll(&entries, 3, Int32(clamping: max(0, milliseconds)))
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return .timeout }
            if entries[0].revents != 0, let arrival = takeSignal() { return arrival }
            if entries[1].revents != 0 { return takeKeys() }
            if entries[2].revents != 0 { return .other }
        }
    }

    private func takeSignal() -> Arrival? {
        var info = signalfd_siginfo()
        guard read(signals, &info, MemoryLayout<signalfd_siginfo>.size) == MemoryLayout<signalfd_siginfo>.size else {
            return nil
        }
        return Int32(info.ssi_signo) == SIGWINCH ? .resized : .end
    }

    private func takeKeys() -> Arrival {
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(STDIN_FILENO, &bytes, bytes.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return .keys([]) }
        return count > 0 ? .keys(Key.keys(in: bytes.prefix(count))) : .end
    }
}

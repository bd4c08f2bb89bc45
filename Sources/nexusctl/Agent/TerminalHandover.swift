import CNexus
import Glibc
import SupervisorCore
import System

/// Lends this terminal to a program of another user, through one of its own (pty(7)): what holds the real one could type into the
/// shell that it belongs to (TIOCSTI), and read what is typed there afterwards. Keys, Ctrl-C among them, go to it as they are
/// typed; its size follows; what is sent to this process to end it ends the program.
struct TerminalHandover: ~Copyable {
    private let terminal: OwnedFD
    private static let forwarded = [SIGTERM, SIGHUP, SIGINT, SIGQUIT]
    /// What does not end by a signal within this time is killed.
    private static let graceMilliseconds: Int32 = 5000
    /// More of what it wrote last than a terminal holds.
    private static let lastReads = 64

    /// Nil when there is no terminal to lend.
    init?() {
        guard isatty(STDIN_FILENO) == 1,
            let opened = try? LiveKernel().open("/dev/tty", OpenFlags(rawValue: O_RDWR | O_NOCTTY), mode: 0)
        else { return nil }
        terminal = opened
    }

    /// Runs it to its end: exit status, or minus the signal.
    func run(_ image: SpawnImage) throws(SpawnFailure) -> Int32 {
        let kernel = LiveKernel()
        let master = OwnedFD(owning: posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK))
        guard master.raw >= 0, grantpt(master.raw) == 0, unlockpt(master.raw) == 0, let name = ptsname(master.raw)
        else {
            throw SpawnFailure(stage: .session, error: .current)
        }
        // Blocked before there is a child, so that no end of it is missed.
        let signals = Signals(Self.forwarded + [SIGWINCH])
        let spawned = try spawn(image, at: String(cString: name), master, kernel)
        let keys = Raw(terminal.raw)
        relay(master, spawned, signals)
        var status: Int32 = 0
        while waitpid(spawned.process.rawValue, &status, 0) < 0, errno == EINTR {}
        _ = consume keys
        if let failure = kernel.failure(in: spawned.report) { throw failure }
        return status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
    }

    private func spawn(
        _ image: SpawnImage, at name: String, _ master: borrowing OwnedFD, _ kernel: LiveKernel
    ) throws(SpawnFailure) -> Spawned {
        var image = image
        let number = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard number >= 0 else { throw SpawnFailure(stage: .session, error: .current) }
        let slave = OwnedFD(owning: number)
        var settings = termios()
        if tcgetattr(terminal.raw, &settings) == 0 { tcsetattr(slave.raw, TCSANOW, &settings) }
        follow(master)
        // So that it can open it by its name, as programs do that ask for a password.
        if let identity = image.identity { fchown(slave.raw, identity.user, gid_t.max) }
        image.descriptors = (0...2).map { DescriptorMapping(source: slave.raw, target: $0) }
        image.newSession = true
        image.takesTerminal = true
        return try kernel.spawn(image)
    }

    /// The size of the one is that of the other.
    private func follow(_ master: borrowing OwnedFD) {
        var size = winsize()
        if ioctl(terminal.raw, UInt(TIOCGWINSZ), &size) == 0 { _ = ioctl(master.raw, UInt(TIOCSWINSZ), &size) }
    }

    private func relay(_ master: borrowing OwnedFD, _ child: borrowing Spawned, _ signals: borrowing Signals) {
        var typed: [UInt8] = []
        var (isTyping, isShowing, isEnding) = (true, true, false)
        while true {
            var entries = [
                pollfd(fd: child.pidfd.raw, events: Int16(POLLIN), revents: 0),
                pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(
                    fd: isShowing ? master.raw : -1, events: Int16(typed.isEmpty ? POLLIN : POLLIN | POLLOUT),
                    revents: 0),
                pollfd(fd: isTyping && typed.isEmpty ? terminal.raw : -1, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&entries, nfds_t(entries.count), isEnding ? Self.graceMilliseconds : -1)
            if count < 0, errno == EINTR { continue }
            if count <= 0 {
                nexus_pidfd_send_signal(child.pidfd.raw, SIGKILL)
                continue
            }
            if entries[1].revents != 0, let number = signals.next() {
                if number == SIGWINCH {
                    follow(master)
                } else {
                    nexus_pidfd_send_signal(child.pidfd.raw, isEnding ? SIGKILL : number)
                    isEnding = true
                }
            }
            if entries[2].revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 {
                isShowing = show(master) != .never
            }
            if entries[2].revents & Int16(POLLOUT) != 0 {
                let count = write(master.raw, typed, typed.count)
                if count > 0 { typed.removeFirst(count) }
            }
            if entries[3].revents != 0 {
                var bytes = [UInt8](repeating: 0, count: 1024)
                let count = read(terminal.raw, &bytes, bytes.count)
                if count > 0 { typed += bytes[..<count] }
                isTyping = count > 0
                // The terminal is gone: so is what runs in it.
                if count <= 0 { nexus_pidfd_send_signal(child.pidfd.raw, SIGHUP) }
            }
            if entries[0].revents != 0 {
                // What it left running may go on writing.
                for _ in 0..<Self.lastReads where isShowing { isShowing = show(master) == .more }
                return
            }
        }
    }

    /// What there is to show of it.
    private enum Showing { case more, later, never }

    private func show(_ master: borrowing OwnedFD) -> Showing {
        var bytes = [UInt8](repeating: 0, count: 8192)
        let count = read(master.raw, &bytes, bytes.count)
        // EIO: nobody has the other end any more.
        guard count > 0 else { return count < 0 && [EINTR, EAGAIN].contains(errno) ? .later : .never }
        var shown = 0
        while shown < count {
            let wrote = bytes.withUnsafeBytes { write(terminal.raw, $0.baseAddress.map { $0 + shown }, count - shown) }
            if wrote < 0, errno == EINTR { continue }
            guard wrote > 0 else { return .never }
            shown += wrote
        }
        return .more
    }
}

/// Signals as something to wait for; as before with the end of the value.
private struct Signals: ~Copyable {
    let descriptor: Int32
    private let before: sigset_t

    init(_ numbers: [Int32]) {
        var (set, before) = (sigset_t(), sigset_t())
        sigemptyset(&set)
        for number in numbers { sigaddset(&set, number) }
        sigprocmask(SIG_BLOCK, &set, &before)
        descriptor = signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
        self.before = before
    }

    deinit {
        // What came and was handed on is over.
        while next() != nil {}
        close(descriptor)
        var before = before
        sigprocmask(SIG_SETMASK, &before, nil)
    }

    borrowing func next() -> Int32? {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        return read(descriptor, &info, size) == size ? Int32(info.ssi_signo) : nil
    }
}

/// The terminal hands keys on as they are typed, all of them; as before with the end of the value.
private struct Raw: ~Copyable {
    private let terminal: Int32
    private let before: termios?

    init(_ terminal: Int32) {
        self.terminal = terminal
        var settings = termios()
        before = tcgetattr(terminal, &settings) == 0 ? settings : nil
        guard before != nil else { return }
        cfmakeraw(&settings)
        tcsetattr(terminal, TCSADRAIN, &settings)
    }

    deinit {
        guard var before else { return }
        tcsetattr(terminal, TCSADRAIN, &before)
    }
}

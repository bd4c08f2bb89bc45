import CNexus
import ControlClient
import Glibc

/// The terminal while a line is edited: keys come as they are typed and are not echoed; pastes are marked.
///
/// Ends with the value, on every way out. Signals that would end or stop this process wait meanwhile: `leaving` becomes
/// readable, whoever edits lets go of this value, and then they do what they always do.
struct RawMode: ~Copyable {
    private static let endings = [SIGTERM, SIGHUP, SIGQUIT, SIGTSTP]

    /// Readable when one of those signals came. Not to be read: the signal itself is still to be delivered.
    let leaving: Int32
    private let before: termios
    private let held: sigset_t

    /// Nil when standard input is no terminal.
    init?() {
        var before = termios()
        guard tcgetattr(STDIN_FILENO, &before) == 0 else { return nil }
        var set = sigset_t()
        sigemptyset(&set)
        for signal in Self.endings { sigaddset(&set, signal) }
        let number = signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
        guard number >= 0 else { return nil }
        sigprocmask(SIG_BLOCK, &set, nil)
        leaving = number
        self.before = before
        held = set
        // Ctrl-C, Ctrl-Z and Ctrl-\ stay signals (ISIG), and Return a newline (ICRNL); termios(3).
        var raw = before
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO | IEXTEN)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &raw)
        // Bracketed paste, as xterm has it; terminals that do not know it leave it out.
        Output.write("\u{1B}[?2004h")
    }

    /// The terminal as it was, given back where a signal ends this process: not every shell does that (dash, zsh). Nothing does
    /// after SIGKILL.
    private struct EndOfTyping {
        // A place, not a variable: the handler asks nothing of the runtime.
        nonisolated(unsafe) private static let before = UnsafeMutablePointer<termios>.allocate(capacity: 1)
        private let handled: [Int32]

        init(_ settings: termios) {
            Self.before.initialize(to: settings)
            // One that is ignored (nohup) stays so.
            handled = [SIGTERM, SIGHUP, SIGQUIT].filter { number in
                var old = sigaction()
                return sigaction(number, nil, &old) == 0 && old.sa_flags & SA_SIGINFO == 0
                    && old.__sigaction_handler.sa_handler == nil
            }
            for number in handled {
                // Only what may be called in a handler (signal-safety(7)).
                signal(number) { number in
                    tcsetattr(STDIN_FILENO, TCSANOW, EndOfTyping.before)
                    signal(number, SIG_DFL)
                    raise(number)
                }
            }
        }

        func forget() { for number in handled { signal(number, SIG_DFL) } }
    }

    /// Meanwhile Ctrl-C takes nothing of what was typed at the terminal, which the kernel throws away otherwise (NOFLSH,
    /// termios(3)): whoever stops an answer did not take back what he wrote during it.
    static func keepingTyping(_ act: () throws(ControlError) -> Int32) throws(ControlError) -> Int32 {
        var before = termios()
        guard tcgetattr(STDIN_FILENO, &before) == 0 else { return try act() }
        let ended = EndOfTyping(before)
        defer {
            tcsetattr(STDIN_FILENO, TCSANOW, &before)
            ended.forget()
        }
        var settings = before
        settings.c_lflag |= tcflag_t(NOFLSH)
        tcsetattr(STDIN_FILENO, TCSANOW, &settings)
        return try act()
    }

    deinit {
        Output.write("\u{1B}[?2004l")
        var before = before
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before)
        close(leaving)
        // Not as they were before: whoever started us may have held them back, and a signal that stays would be met here
        // again and again.
        var held = held
        sigprocmask(SIG_UNBLOCK, &held, nil)
    }
}

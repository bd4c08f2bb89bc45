import ControlClient
import Glibc

/// The terminal as a canvas: its other screen, keys one by one and unseen, no cursor. What it was comes back when this
/// value goes, whatever the reason; a shell with a dead terminal is worse than a status that was not shown.
struct LiveTerminal: ~Copyable {
    private let saved: termios

    /// Takes the terminal over; nil when standard input and output are no terminal.
    init?() {
        var now = termios()
        guard isatty(STDOUT_FILENO) == 1, tcgetattr(STDIN_FILENO, &now) == 0 else { return nil }
        saved = now
        enter()
    }

    deinit { leave() }

    private func enter() {
        var raw = saved
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        raw.c_iflag &= ~tcflag_t(IXON)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw)
        // DEC private modes: the other screen, no cursor, no wrapping.
        Output.write("\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l\u{1B}[2J")
    }

    private func leave() {
        Output.write("\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l")
        var saved = saved
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved)
    }

    /// Ctrl-Z: the shell gets its terminal back until `fg`.
    func suspend() {
        leave()
        raise(SIGSTOP)
        enter()
    }

    /// Its size now; what a serial line does not know is taken as 80 by 24.
    var size: (columns: Int, rows: Int) { Terminal.size }
}

import CNexus
import Foundation

/// A program at a terminal of its own (pty(7)); the test types and reads what is written.
final class Typist {
    let pid: pid_t
    private let master: Int32
    // Held open, so that the settings can be read after the program's end.
    private let slave: Int32
    private let pidfd: Int32
    private(set) var seen = ""
    /// POSIX_SPAWN_SETSID of spawn.h, which Glibc's module leaves out.
    private static let newSession: Int16 = 0x80

    init(_ path: String, _ arguments: [String], environment: [String: String], columns: UInt16 = 80) throws {
        master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard master >= 0, grantpt(master) == 0, unlockpt(master) == 0, let name = ptsname(master) else {
            throw Trouble("no terminal: \(String(cString: strerror(errno)))")
        }
        slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)
        var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(master, UInt(TIOCSWINSZ), &size)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Opened by the leader of a new session it becomes that session's terminal.
        posix_spawn_file_actions_addopen(&actions, 0, name, O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, 0, 1)
        posix_spawn_file_actions_adddup2(&actions, 0, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A test run in the background inherits SIGINT, SIGQUIT or SIGHUP ignored, and so would the program.
        var defaults = sigset_t()
        sigemptyset(&defaults)
        for signal in [SIGINT, SIGQUIT, SIGHUP] { sigaddset(&defaults, signal) }
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setflags(&attributes, Self.newSession | Int16(POSIX_SPAWN_SETSIGDEF))
        var started: pid_t = 0
        let error = withCStrings([path] + arguments) { argv in
            withCStrings(environment.map { $0 + "=" + $1 }) { envp in
                posix_spawn(&started, path, &actions, &attributes, argv, envp)
            }
        }
        guard error == 0 else { throw Trouble("\(path): \(String(cString: strerror(error)))") }
        pid = started
        pidfd = nexus_pidfd_open(started)
    }

    deinit {
        kill(pid, SIGKILL)
        for descriptor in [master, slave, pidfd] { close(descriptor) }
    }

    func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(master, bytes, bytes.count)
    }

    /// Reads until what came since `type` was last followed by this holds.
    func until(_ what: String, limit: Duration = .seconds(20), _ condition: (Typist) -> Bool) throws {
        let deadline = ContinuousClock.now + limit
        while !condition(self) {
            var look = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
            let left = deadline - ContinuousClock.now
            guard left > .zero else { throw Trouble("waited in vain for: \(what); on the screen:\n\(seen)") }
            // What has no output to wait for (the terminal's settings) is looked at again after a moment.
            guard poll(&look, 1, 50) > 0 else { continue }
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = read(master, &bytes, bytes.count)
            if count > 0 { seen += String(decoding: bytes[..<count], as: UTF8.self) }
        }
    }

    /// Forgets what was seen.
    func forget() { seen = "" }

    /// The terminal's name, as tty(1) says it.
    var terminalName: String { ptsname(master).map { String(cString: $0) } ?? "" }

    /// As when a window is made wider or narrower.
    func resize(columns: UInt16) {
        var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(master, UInt(TIOCSWINSZ), &size)
    }

    /// Keys reach the program one by one, without an echo.
    var isRaw: Bool {
        var settings = termios()
        tcgetattr(slave, &settings)
        return settings.c_lflag & tcflag_t(ICANON | ECHO) == 0
    }

    /// Ctrl-C takes nothing of what was typed.
    var keepsTyping: Bool {
        var settings = termios()
        tcgetattr(slave, &settings)
        return settings.c_lflag & tcflag_t(NOFLSH) != 0
    }

    /// The end: exit status, or minus the signal; nil after the limit.
    func wait(_ limit: Duration = .seconds(20)) -> Int32? {
        var look = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        guard poll(&look, 1, Int32(limit / .milliseconds(1))) == 1 else { return nil }
        var status: Int32 = 0
        guard waitpid(pid, &status, 0) == pid else { return nil }
        return status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
    }
}

import CNexus
import Foundation

/// A program under way. Its output goes to files, so that no pipe can fill up; its end is known through a pidfd, so
/// that waiting needs neither a run loop nor a thread.
final class Running {
    let pid: pid_t
    private let pidfd: Int32
    private let folder: String
    private var ended: Int32?

    /// Starts it; `errors` and `output` name files of the caller's own.
    init(
        _ path: String, _ arguments: [String], environment: [String: String]? = nil, input: String? = nil,
        output: String? = nil
    ) throws {
        folder = "/tmp/nexus-run-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data((input ?? "").utf8).write(to: URL(fileURLWithPath: folder + "/in"))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, folder + "/in", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output ?? folder + "/out", O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_addopen(&actions, 2, output ?? folder + "/err", O_WRONLY | O_CREAT | O_APPEND, 0o644)
        let variables = environment ?? ProcessInfo.processInfo.environment
        var started: pid_t = 0
        let error = withCStrings([path] + arguments) { argv in
            withCStrings(variables.map { $0 + "=" + $1 }) { envp in
                posix_spawn(&started, path, &actions, nil, argv, envp)
            }
        }
        guard error == 0 else { throw Trouble("\(path): \(String(cString: strerror(error)))") }
        pid = started
        pidfd = nexus_pidfd_open(started)
    }

    deinit {
        if ended == nil {
            kill(pid, SIGKILL)
            _ = waitForEnd(.seconds(5))
        }
        close(pidfd)
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Exit status, or minus the signal; nil when it goes on after the limit.
    func waitForEnd(_ limit: Duration) -> Int32? {
        if let ended { return ended }
        var look = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        guard poll(&look, 1, Int32(limit / .milliseconds(1))) == 1 else { return nil }
        var status: Int32 = 0
        guard waitpid(pid, &status, 0) == pid else { return nil }
        ended = status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
        return ended
    }

    /// Its end and what it said; killed after the limit.
    func wait(_ limit: Duration = .seconds(60)) throws -> Finished {
        var status = waitForEnd(limit)
        if status == nil {
            kill(pid, SIGKILL)
            status = waitForEnd(.seconds(5))
        }
        return Finished(
            status: status ?? -SIGKILL, output: text("out"), errors: text("err"))
    }

    private func text(_ name: String) -> String {
        (try? Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))).map { String(decoding: $0, as: UTF8.self) }
            ?? ""
    }

    /// What it wrote to stdout so far.
    var output: String { text("out") }
    /// What it wrote to stderr so far.
    var errors: String { text("err") }
}

/// A NULL-ended array of C strings for the time of a call.
func withCStrings<Result>(_ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result) -> Result {
    let pointers = texts.map { strdup($0) }
    defer { pointers.forEach { free($0) } }
    return body(pointers + [nil])
}

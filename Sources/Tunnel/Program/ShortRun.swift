import Foundation
import Glibc

/// A run of a program that ends by itself in a moment, in a clean environment; killed when it does not.
struct ShortRun: Sendable {
    var program: String
    var arguments: [String]
    var limit: Duration = .seconds(10)

    /// How it ended and what it said.
    struct End: Hashable, Sendable {
        var status: Int32
        var output: String
        var errors: String
    }

    /// Longest output that is kept, in bytes, of stdout and stderr each.
    static let outputLimitBytes = 65_536

    /// Carries it out.
    func end() async throws(TunnelError) -> End {
        let result: Result<End, TunnelError> = await withCheckedContinuation { continuation in
            // A thread of Dispatch's may block; the cooperative pool may not.
            DispatchQueue.global().async { continuation.resume(returning: perform()) }
        }
        return try result.get()
    }

    // posix_spawn(3), not Foundation's Process: its wait depends on run loops, and one that never ends holds up everything.
    private func perform() -> Result<End, TunnelError> {
        var (output, errors): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
        guard pipe(&output) == 0 else { return .failure(TunnelError("no pipe for \(program)")) }
        guard pipe(&errors) == 0 else {
            output.forEach { close($0) }
            return .failure(TunnelError("no pipe for \(program)"))
        }
        // Glibc's module has no pipe2; one run at a time, so nobody else is spawned in between.
        for descriptor in output + errors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        defer { for descriptor in [output[0], errors[0]] { close(descriptor) } }
        let spawned = spawn(output: output[1], errors: errors[1])
        for descriptor in [output[1], errors[1]] { close(descriptor) }
        guard case .success(let pid) = spawned else {
            return spawned.map { _ in End(status: 0, output: "", errors: "") }
        }
        let deadline = ContinuousClock.now + limit
        let said = Self.readBoth(output[0], errors[0], until: deadline)
        let status = Self.status(of: pid, by: deadline)
        guard status & 0x7F == 0 else {
            return .failure(
                TunnelError("\(program) \(arguments.joined(separator: " ")) did not end within \(limit), or crashed"))
        }
        return .success(End(status: status >> 8 & 0xFF, output: said.output, errors: said.errors))
    }

    /// Waits for the end, and brings it about at the deadline.
    private static func status(of pid: pid_t, by deadline: ContinuousClock.Instant) -> Int32 {
        // What is done to the process happens on one queue, so that a number which may be somebody else's is not killed.
        let queue = DispatchQueue(label: "short-run")
        let killing = DispatchWorkItem { kill(pid, SIGKILL) }
        queue.asyncAfter(deadline: .now() + max(0, (deadline - ContinuousClock.now) / .seconds(1)), execute: killing)
        var info = siginfo_t()
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) < 0, errno == EINTR {}
        queue.sync { killing.cancel() }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status
    }

    private func spawn(output: Int32, errors: Int32) -> Result<pid_t, TunnelError> {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A worker ignores these; what it runs does not.
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGPIPE, SIGTERM, SIGINT] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
        var argv = ([program] + arguments).map { strdup($0) } + [nil]
        var environment = [strdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), nil]
        defer { for text in argv + environment { free(text) } }
        var pid: pid_t = 0
        let error = posix_spawn(&pid, program, &actions, &attributes, &argv, &environment)
        guard error == 0 else {
            return .failure(TunnelError("cannot start \(program): \(String(cString: strerror(error)))"))
        }
        return .success(pid)
    }

    /// Both at once: one that fills while the other is read would never end.
    private static func readBoth(
        _ output: Int32, _ errors: Int32, until deadline: ContinuousClock.Instant
    ) -> (output: String, errors: String) {
        var texts: [Int32: [UInt8]] = [:]
        var open = [output, errors]
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while !open.isEmpty {
            let left = (deadline - ContinuousClock.now) / .milliseconds(1)
            guard left > 0 else { break }
            var looks = open.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&looks, nfds_t(looks.count), Int32(left)) > 0 || errno == EINTR else { break }
            for look in looks where look.revents != 0 {
                let count = read(look.fd, &buffer, buffer.count)
                if count > 0 {
                    let kept = min(count, outputLimitBytes - (texts[look.fd]?.count ?? 0))
                    texts[look.fd, default: []] += buffer.prefix(kept)
                } else if count == 0 || errno != EINTR {
                    open.removeAll { $0 == look.fd }
                }
            }
        }
        func text(_ descriptor: Int32) -> String { String(decoding: texts[descriptor] ?? [], as: UTF8.self) }
        return (text(output), text(errors))
    }
}

import CNexus
import Glibc

/// A program run to its end, with what it said. Bounded in time and in bytes.
struct Capture {
    /// Exit status, or minus the signal.
    let status: Int32
    let output: String
    let errors: String
    /// More was said than is kept.
    let isCut: Bool

    /// How long it may take.
    static let limitMilliseconds: Int64 = 20_000
    /// Bytes of each output that are kept.
    static let limitBytes = 2 * 1024 * 1024

    /// Runs it with an empty standard input; nil when it cannot be run or takes too long.
    static func run(
        _ program: String, _ arguments: [String], milliseconds: Int64 = limitMilliseconds, bytes: Int = limitBytes
    ) -> Capture? {
        var pipes: (out: [Int32], errors: [Int32]) = ([-1, -1], [-1, -1])
        guard pipe2(&pipes.out, Int32(O_CLOEXEC)) == 0, pipe2(&pipes.errors, Int32(O_CLOEXEC)) == 0 else { return nil }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, pipes.out[1], 1)
        posix_spawn_file_actions_adddup2(&actions, pipes.errors[1], 2)
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        let error = posix_spawn(&child, program, &actions, nil, &words, Glibc.environ)
        close(pipes.out[1])
        close(pipes.errors[1])
        defer {
            close(pipes.out[0])
            close(pipes.errors[0])
        }
        guard error == 0 else { return nil }
        var said = Said(limit: bytes)
        let isDone = said.read(pipes.out[0], pipes.errors[0], milliseconds: milliseconds)
        if !isDone { kill(child, SIGKILL) }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        guard isDone else { return nil }
        return Capture(
            status: status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F),
            output: String(decoding: said.kept[0], as: UTF8.self),
            errors: String(decoding: said.kept[1], as: UTF8.self), isCut: said.isCut)
    }

    /// Both outputs, read together so that neither can fill up.
    private struct Said {
        let limit: Int
        var kept: [[UInt8]] = [[], []]
        var isCut = false

        /// Reads until both end; false after the limit.
        mutating func read(_ first: Int32, _ second: Int32, milliseconds: Int64) -> Bool {
            let deadline = Self.now() + milliseconds
            var entries = [first, second].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while entries.contains(where: { $0.fd >= 0 }) {
                let left = deadline - Self.now()
                guard left > 0 else { return false }
                if poll(&entries, 2, Int32(clamping: left)) < 0, errno != EINTR { return false }
                for place in entries.indices where entries[place].revents != 0 {
                    let count = Glibc.read(entries[place].fd, &buffer, buffer.count)
                    if count <= 0 { entries[place].fd = -1 } else { keep(buffer.prefix(count), place) }
                }
            }
            return true
        }

        private mutating func keep(_ bytes: ArraySlice<UInt8>, _ place: Int) {
            let room = max(0, limit - kept[place].count)
            kept[place] += bytes.prefix(room)
            if bytes.count > room { isCut = true }
        }

        private static func now() -> Int64 {
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
        }
    }
}

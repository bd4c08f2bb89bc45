import CNexus
import Glibc
import SupervisorCore
import System

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
    /// - Parameter file: what its output goes to in place of `output`.
    static func run(
        _ program: String, _ arguments: [String], milliseconds: Int64 = limitMilliseconds, bytes: Int = limitBytes,
        into file: Int32? = nil
    ) -> Capture? {
        var pipes: (out: [Int32], errors: [Int32]) = ([-1, -1], [-1, -1])
        guard pipe2(&pipes.out, Int32(O_CLOEXEC)) == 0, pipe2(&pipes.errors, Int32(O_CLOEXEC)) == 0 else { return nil }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, file ?? pipes.out[1], 1)
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
        return Capture(status, said)
    }

    /// Runs an image, in a session of its own, with an empty standard input; nil when it takes too long. Nothing of its session
    /// is left.
    static func run(
        _ image: SpawnImage, milliseconds: Int64 = limitMilliseconds, bytes: Int = limitBytes
    ) throws(SpawnFailure) -> Capture? {
        let kernel = LiveKernel()
        var (image, ends) = (image, [Int32](repeating: -1, count: 5))
        defer { for end in ends where end >= 0 { close(end) } }
        ends[4] = open("/dev/null", O_RDWR | O_CLOEXEC)
        let pipes = ends.withUnsafeMutableBufferPointer { ends in
            guard let base = ends.baseAddress else { return false }
            return pipe2(base, Int32(O_CLOEXEC)) == 0 && pipe2(base + 2, Int32(O_CLOEXEC)) == 0
        }
        guard pipes, ends[4] >= 0 else { throw SpawnFailure(stage: .prepare, error: .current) }
        image.descriptors = [
            DescriptorMapping(source: ends[4], target: 0), DescriptorMapping(source: ends[1], target: 1),
            DescriptorMapping(source: ends[3], target: 2),
        ]
        image.newSession = true
        // Nobody would end it when this process is killed.
        image.deathSignal = .kill
        let spawned = try kernel.spawn(image)
        for writer in [1, 3] {
            close(ends[writer])
            ends[writer] = -1
        }
        let deadline = Said.now() + milliseconds
        var said = Said(limit: bytes)
        var isDone = said.read(ends[0], ends[2], milliseconds: milliseconds)
        // It may have closed its outputs and go on.
        var end = pollfd(fd: spawned.pidfd.raw, events: Int16(POLLIN), revents: 0)
        if isDone { isDone = poll(&end, 1, Int32(clamping: max(0, deadline - Said.now()))) == 1 }
        // Not reaped yet, so the number of its group is nobody else's.
        kill(-spawned.process.rawValue, SIGKILL)
        var status: Int32 = 0
        while waitpid(spawned.process.rawValue, &status, 0) < 0, errno == EINTR {}
        if let failure = kernel.failure(in: spawned.report) { throw failure }
        return isDone ? Capture(status, said) : nil
    }

    private init(_ status: Int32, _ said: Said) {
        self.status = status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
        output = String(decoding: said.kept[0], as: UTF8.self)
        errors = String(decoding: said.kept[1], as: UTF8.self)
        isCut = said.isCut
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

        static func now() -> Int64 {
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
        }
    }
}

import Foundation
import Glibc
import Testing
import Wire

@testable import WorkerKit

/// examples/worker.py, which shares nothing with the code here but docs/bus-protocol.md.
@Suite(.timeLimit(.minutes(1))) struct ExampleWorkerTests {
    private static let python = ["/usr/bin/python3", "/usr/local/bin/python3"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// The example as worker 2 beside `asker`.
    private struct Stage {
        let shell: BusShell
        let asker: Bus
        let pid: pid_t

        init(_ python: String) async throws {
            shell = try BusShell([.init(1, "asker", peers: [2]), .init(2, "python", peers: [])])
            asker = try await Pair.join(shell, 1, "asker")
            pid = try Stage.spawn(python, try shell.connect(PeerID(rawValue: 2)))
        }

        private static func spawn(_ python: String, _ ends: (read: Int32, write: Int32)) throws -> pid_t {
            let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("../../examples/worker.py").path
            // Moved out of the way first: one of them may be 3 or 4 already.
            let (read, write) = (fcntl(ends.read, F_DUPFD_CLOEXEC, 100), fcntl(ends.write, F_DUPFD_CLOEXEC, 100))
            close(ends.read)
            close(ends.write)
            defer {
                close(read)
                close(write)
            }
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            defer { posix_spawn_file_actions_destroy(&actions) }
            posix_spawn_file_actions_adddup2(&actions, read, 3)
            posix_spawn_file_actions_adddup2(&actions, write, 4)
            var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(python), strdup(script), nil]
            defer { for argument in arguments { free(argument) } }
            var pid = pid_t()
            let result = BusShell.descriptors.withLock { posix_spawn(&pid, python, &actions, nil, &arguments, environ) }
            try #require(result == 0)
            return pid
        }

        /// Waits on a thread of its own: a task that blocks would hold up the tests beside it.
        func exitStatus() async -> Int32 {
            await withCheckedContinuation { continuation in
                Thread.detachNewThread {
                    var status: Int32 = 0
                    waitpid(pid, &status, 0)
                    continuation.resume(returning: status)
                }
            }
        }
    }

    @Test(.enabled(if: python != nil)) func example_answersStreamsAndDrains() async throws {
        let stage = try await Stage(try #require(Self.python))
        defer { stage.shell.stop() }
        let answer = try await stage.asker.request("python", Array("echo hello bus".utf8))
        #expect(answer == Array("HELLO BUS".utf8))
        await #expect(throws: BusError(.badRequest, "say: echo TEXT, or: count N")) {
            try await stage.asker.request("python", Array("dance".utf8))
        }
        // 20,000 frames cost five windows of credit.
        var count = 0
        for try await payload in try await stage.asker.stream("python", Array("count 20000".utf8)) {
            count += 1
            #expect(payload == Array("\(count)".utf8))
        }
        #expect(count == 20_000)
        stage.shell.drain(PeerID(rawValue: 2))
        for await case .drained in stage.shell.decisions { break }
        #expect(await stage.exitStatus() == 0)
    }

    @Test(.enabled(if: python != nil)) func example_endsAtTheEndOfTheBus() async throws {
        let stage = try await Stage(try #require(Self.python))
        defer { stage.shell.stop() }
        for await case .ready in stage.shell.decisions { break }
        stage.shell.disconnect(PeerID(rawValue: 2))
        #expect(await stage.exitStatus() == 0)
    }

    @Test(.enabled(if: python != nil)) func example_stopsAStreamThatIsCancelled() async throws {
        let stage = try await Stage(try #require(Self.python))
        defer { stage.shell.stop() }
        let stream = try await stage.asker.stream("python", Array("count 900000".utf8))
        var iterator = stream.makeAsyncIterator()
        #expect(try await iterator.next() == Array("1".utf8))
        stream.cancel()
        #expect(try await stage.asker.request("python", Array("echo a".utf8)) == Array("A".utf8))
        #expect(stage.shell.openRequests == 0)
        stage.shell.drain(PeerID(rawValue: 2))
        #expect(await stage.exitStatus() == 0)
    }
}

import Foundation
import Synchronization
import Testing

/// A socket of nexusd's outlives whoever serves on it.
@Suite(.timeLimit(.minutes(3))) struct SocketScenarios {
    /// 25 restarts by SIGKILL and 25 by command, while four callers call without a pause.
    @Test func fiftyRestarts_refuseNoneOfFourCallersInALoop() throws {
        let port = try LoopbackPort.free()
        let box = try Box(
            """
            [child.web]
            command = ["FIXTURE", "inherited", "0"]
            sockets = [{ name = "web", listen = "127.0.0.1:\(port)" }]
            delay = { first = "0s", cap = "1ms", park-after = 1000 }
            """)
        try box.start()
        try box.waitReady()
        let callers = Callers(port, count: 4)
        defer { callers.end() }
        var pid = try callers.run(0)
        for round in 0..<50 {
            if round.isMultiple(of: 2) {
                Foundation.kill(pid, SIGKILL)
            } else {
                let answer = try box.ctl("restart", "web")
                #expect(answer.status == 0, "\(answer.errors)")
            }
            // Whoever called meanwhile waits in the kernel's queue for the next run.
            pid = try callers.run(round + 1)
        }
        let calls = callers.end()
        #expect(calls.refusals == [], "of \(calls.answered) calls")
        // A run that is killed takes along the one call that it had accepted, and no other.
        #expect(calls.unanswered <= 50 && calls.pids.count == 51, "\(calls)")
        let web = try box.status().child("web")
        #expect(web?.restarts == 25 && web?.state == "ready")
        #expect(box.stop() == 0)
    }
}

/// Threads that connect, read to the end and connect again.
private final class Callers: Sendable {
    struct Calls {
        var answered = 0
        /// Accepted or queued, and closed without a word.
        var unanswered = 0
        /// errno of each connect(2) that failed.
        var refusals: [Int32] = []
        /// Every run that answered, by its first answer.
        var pids: [Int32] = []
        var isEnding = false
        var running = 0
    }

    private let calls = Mutex(Calls())
    private let port: UInt16
    private let changed = DispatchSemaphore(value: 0)

    init(_ port: UInt16, count: Int) {
        self.port = port
        calls.withLock { $0.running = count }
        for _ in 0..<count { Thread.detachNewThread { self.call() } }
    }

    private func call() {
        while !calls.withLock({ $0.isEnding }) {
            let answer = LoopbackPort.call(port)
            calls.withLock { calls in
                switch answer {
                case .failure(let refusal): calls.refusals.append(refusal.number)
                case .success(let text):
                    guard let pid = Int32(text.prefix { $0 != " " }) else {
                        calls.unanswered += 1
                        return
                    }
                    calls.answered += 1
                    if !calls.pids.contains(pid) { calls.pids.append(pid) }
                }
            }
            changed.signal()
            // Leaves the processors to those who restart.
            usleep(500)
        }
        calls.withLock { $0.running -= 1 }
        changed.signal()
    }

    /// Waits until so many runs and one more have answered: the pid of that one.
    func run(_ number: Int, limit: Duration = .seconds(30)) throws -> Int32 {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            let pids = calls.withLock { $0.pids }
            if pids.count > number { return pids[number] }
            _ = changed.wait(timeout: .now() + 1)
        }
        throw Trouble("run \(number) answered nobody for \(limit): \(calls.withLock { $0 })")
    }

    /// Ends them and waits until they are gone.
    @discardableResult
    func end() -> Calls {
        calls.withLock { $0.isEnding = true }
        while calls.withLock({ $0.running }) > 0 { _ = changed.wait(timeout: .now() + 1) }
        return calls.withLock { $0 }
    }
}

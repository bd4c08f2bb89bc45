import Foundation
import Testing

/// No line is lost, whoever dies.
@Suite(.timeLimit(.minutes(5))) struct LogScenarios {
    private func numbers(in box: Box, _ child: String) throws -> Set<Int> {
        let log = try box.ctl("logs", child, "-n", "1000000")
        var found: Set<Int> = []
        for line in log.output.split(separator: "\n") {
            guard let range = line.range(of: "line ", options: .backwards), let number = Int(line[range.upperBound...])
            else { continue }
            found.insert(number)
        }
        return found
    }

    @Test func logWriterKilledFiftyTimes_noNumberedLineMissing() throws {
        let count = 20_000
        let box = try Box(
            """
            [child.writer]
            command = ["FIXTURE", "lines-exit", "\(count)", "150"]
            restart = "never"
            """)
        try box.start()
        var kills = 0
        while kills < 50 {
            let status = try box.status()
            guard let pid = status.pid("log-writer"), status.child("log-writer")?.state == "ready" else { continue }
            kill(pid, SIGKILL)
            kills += 1
            try box.waitReplaced("log-writer", pid)
        }
        try box.wait("the writer to be done", limit: .seconds(60)) { $0.child("writer")?.state == "done" }
        #expect(box.stop() == 0)
        let found = try numbers(in: box, "writer")
        #expect(found.count == count, "missing: \((0..<count).filter { !found.contains($0) }.prefix(10))")
    }

    @Test func writerKilledFiftyTimes_everyRunsLinesAreThereUpToItsDeath() throws {
        let box = try Box(
            """
            [child.writer]
            command = ["FIXTURE", "lines", "1000000", "100"]
            delay = { first = "1ms", cap = "5ms", stable-after = "1ms" }
            """)
        try box.start()
        try box.waitReady()
        var pid = try box.status().pid("writer")!
        for _ in 0..<50 {
            kill(pid, SIGKILL)
            pid = try box.waitReplaced("writer", pid)
        }
        #expect(box.stop() == 0)
        let log = try box.ctl("logs", "writer", "-n", "1000000", "--json")
        var last: [String: Int] = [:]
        for line in log.output.split(separator: "\n") {
            let entry = try JSONDecoder().decode(Entry.self, from: Data(line.utf8))
            guard entry.message.hasPrefix("line "), let number = Int(entry.message.dropFirst(5)) else { continue }
            // Repeats are allowed, gaps are not.
            let expected = last[entry.run].map { $0 + 1 } ?? 0
            #expect(number <= expected, "run \(entry.run): \(number) came where \(expected) was due")
            last[entry.run] = max(number, expected - 1)
        }
        #expect(last.count >= 10)  // a run may be killed before its first line
    }

    /// Whoever ends it ends log-writer too, and that one has to hear all of them first.
    @Test func nexusdKilled_whatItsChildrenSayAtTheirEndIsLogged() throws {
        let box = try Box(
            """
            [child.talker]
            command = ["/bin/sh", "-c", "trap 'for n in 1 2 3 4 5 6 7 8 9; do sleep 0.05; echo bye $n; done; exit' TERM; echo up; while :; do sleep 0.02; done"]
            """)
        try box.start()
        try box.waitReady()
        try box.wait("its first word") { _ in try box.ctl("logs", "talker").output.contains("up") }
        kill(box.pid, SIGKILL)
        #expect(box.waitForEnd() == -SIGKILL)
        try box.start()
        try box.waitReady()
        let log = try box.ctl("logs", "talker", "-n", "1000").output
        for number in 1...9 { #expect(log.contains("bye \(number)\n"), "\(log)") }
        #expect(box.stop() == 0)
    }

    private struct Entry: Decodable {
        var run: String
        var message: String
    }

    @Test func promptWithoutNewline_isSeen() throws {
        let box = try Box("[child.p]\ncommand = [\"FIXTURE\", \"prompt\"]\n")
        try box.start()
        try box.waitReady()
        try box.wait("the prompt in the log") { _ in try box.ctl("logs", "p").output.contains("password: ") }
        #expect(box.stop() == 0)
    }

    @Test func longLines_areWholeWhenReadBack() throws {
        let box = try Box(
            "[child.w]\ncommand = [\"FIXTURE\", \"2049-byte-writes\", \"200\"]\n[child.b]\ncommand = [\"FIXTURE\", \"one-byte-writes\", \"50\"]\n"
        )
        try box.start()
        try box.waitReady()
        try box.wait("the last lines") { _ in
            try box.ctl("logs", "w").output.contains("line 199 ") && box.ctl("logs", "b").output.contains("line 49")
        }
        #expect(box.stop() == 0)
        let wide = try box.ctl("logs", "w", "-n", "1000").output.split(separator: "\n")
        #expect(wide.filter { $0.contains(String(repeating: "z", count: 2030)) }.count == 200)
    }

    @Test func pipeHeldByAStray_delaysNothing() throws {
        let box = try Box(
            """
            [child.h]
            command = ["FIXTURE", "hold-pipe", "1"]
            delay = { first = "10ms", cap = "10ms", park-after = 6, slow-retry = "never" }
            PIDS
            """)
        try box.start()
        try box.wait("six runs in spite of held pipes") { $0.child("h")?.state == "parked" }
        #expect(box.stop() == 0)
        for (_, pid) in box.registered() { #expect(!isAlive(pid)) }
    }
}

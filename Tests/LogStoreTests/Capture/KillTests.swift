import Chance
import Glibc
import LogStore
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

/// Whoever kills log-writer at any instant loses no line; some may come twice.
@Suite("Killing log-writer", .serialized, .timeLimit(.minutes(5)))
struct KillTests {
    @Test func fiftyKills_noNumberedLineIsMissing() throws {
        let seed = Chance.seed()
        var random = SplitMix(seed: seed)
        let count = 60_000
        let box = LogBox()
        try box.start()
        let (number, end) = try box.stream(fileBytes: 300_000, files: 1000)
        let child = try box.fixture(["lines-exit", String(count), "20"], into: end)
        for _ in 0..<50 {
            // Nothing is waited for: the instant of the kill is what is random.
            usleep(UInt32.random(in: 0...20_000, using: &random))
            try box.kill()
            try box.start()
        }
        try box.waitForEnd(of: number)
        _ = try waitForExit(child.spawned)
        let texts = try box.entries(["web"]).map(\.text)
        let found = Set(texts)
        let missing = (0..<count).filter { !found.contains("line \($0)") }
        #expect(missing.isEmpty, "missing: \(missing.prefix(10))")
        // Whole lines only: nothing torn, nothing glued together.
        #expect(found.count == count, "odd: \(found.filter { !$0.hasPrefix("line ") }.prefix(5))")
        print("\(texts.count - count) of \(count) lines were repeated")
    }

    @Test func thirtyKills_noEventOfNexusdIsMissing() throws {
        let seed = Chance.seed()
        var random = SplitMix(seed: seed)
        let box = LogBox()
        try box.start()
        var sent = 0
        for kills in 0...30 {
            for _ in 0..<Int.random(in: 1...60, using: &random) {
                let run = RunID(second: 7, count: UInt32(sent + 1))
                try box.send(
                    .event(
                        LogEvent(
                            priority: 6, messageID: "", message: "event \(sent)", child: "web", run: run,
                            book: .starting)))
                sent += 1
            }
            guard kills < 30 else { break }
            // As above.
            usleep(UInt32.random(in: 0...3000, using: &random))
            try box.kill()
            try box.start()
        }
        #expect(try box.drain() == .code(0))
        let found = Set(try box.entries(["nexusd"]).map(\.text))
        #expect((0..<sent).filter { !found.contains("event \($0)") }.isEmpty)
        let book = String(decoding: try box.kernel.readFile(box.directory + "/runs", limit: 1 << 20), as: UTF8.self)
        #expect((0..<sent).filter { !book.contains(" 7-\($0 + 1) starting web\n") }.isEmpty)
    }

    @Test func linesWrittenWhileNobodyReads_areThereAfterwards() throws {
        let box = LogBox()
        try box.start()
        let (number, end) = try box.stream()
        try end.write("before\n")
        _ = try box.entries("web") { !$0.isEmpty }
        try box.kill()
        try end.write("meanwhile\n")
        try box.start()
        try end.write("after\n")
        end.close()
        try box.waitForEnd(of: number)
        var texts = try box.entries(["web"]).map(\.text)
        texts.removeAll { $0 == "before" }
        #expect(texts == ["meanwhile", "after"])
    }

    @Test func nexusdDied_pipesAreReadOnAndTheLockIsFreedInTime() throws {
        let box = LogBox()
        try box.start()
        let (_, end) = try box.stream()
        box.loseLink()
        try end.write("last words\n")
        end.close()
        let process = try #require(box.writer)
        // Every pipe is at its end: it does not wait for its 4 s.
        #expect(try waitForExit(process.spawned, within: .seconds(3)) == .code(0))
        #expect(try box.entries(["web"]).map(\.text) == ["last words"])
    }

    @Test func secondLogWriter_waitsForTheLockOfTheFirst() throws {
        let first = LogBox()
        try first.start()
        let second = LogBox(directory: first.directory)
        let before = first.kernel.monotonic()
        try NativeThread.start("drain") { [first = Handed(first)] in
            // How long the first holds the lock: the second has to have waited as long.
            usleep(300_000)
            _ = try? first.value.drain()
        }
        try second.start()
        #expect(second.kernel.monotonic() - before >= .milliseconds(250))
    }

    /// Carries a box to another thread; only one thread uses it at a time.
    private struct Handed: @unchecked Sendable {
        let value: LogBox

        init(_ value: LogBox) { self.value = value }
    }
}

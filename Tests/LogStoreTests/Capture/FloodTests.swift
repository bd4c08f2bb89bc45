import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import LogStore

@Suite("Floods", .serialized, .timeLimit(.minutes(1))) struct FloodTests {
    private let rate = LogRate(lines: 10, window: .seconds(1))

    private func instant(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    @Test func window_keepsItsLinesAndCountsTheRest() {
        var flood = FloodLimit(rate, at: instant(0))
        func allowance(_ milliseconds: Int64) -> Int { flood.allowance(at: instant(milliseconds)) }
        func count(_ kept: Int, _ beyond: Int) -> Bool { flood.count(kept: kept, suppressed: beyond) }
        func taken(_ milliseconds: Int64, all: Bool = false) -> Int {
            flood.takeSuppressed(at: instant(milliseconds), all: all)
        }
        #expect(allowance(0) == 10)
        #expect(!count(8, 0))
        #expect(flood.endsAt == nil)
        #expect(allowance(500) == 2)
        #expect(count(2, 5), "the first ones of a window are to be said")
        #expect(!count(0, 7))
        #expect(allowance(999) == 0)
        #expect(flood.endsAt == instant(1000))
        #expect(taken(999) == 0)
        #expect(taken(1000) == 12)
        #expect(flood.endsAt == nil)
        #expect(allowance(5000) == 10, "a window begins with its first line")
        #expect(allowance(5999) == 10)
        #expect(allowance(6000) == 10)
        #expect(count(0, 1))
        #expect(taken(6001, all: true) == 1)
    }

    @Test func flood_isCutAtItsRateAndTheLogSaysHowManyAreMissing() throws {
        let box = LogBox()
        try box.start()
        let (_, out) = try box.stream("web", .stdout, rate: rate)
        let (_, err) = try box.stream("web", .stderr, rate: rate)
        let (_, calm) = try box.stream("db", rate: nil)
        try out.write((0..<700).map { "line \($0)\n" }.joined())
        _ = try box.entries("web") { $0.count >= 11 }
        try err.write((0..<300).map { "more \($0)\n" }.joined())
        try calm.write((0..<100).map { "line \($0)\n" }.joined())
        let report = try box.wait { if case .counted(_, let counts) = $0 { counts.suppressed > 0 } else { false } }
        guard case .counted("web", let counts) = report else { throw LogBox.Missing() }
        #expect(counts.suppressed == 990 && counts.lines == 10)
        let entries = try box.entries("web") { $0.count == 12 }
        #expect(entries.prefix(10).map(\.text) == (0..<10).map { "line \($0)" })
        #expect(entries[10].source == .logWriter && entries[10].text.hasPrefix("more than 10 lines in 1 s: "))
        #expect(entries[11].text == "990 lines were suppressed here" && entries[11].level == .warning)
        // The window is over: it may speak again.
        try out.write("calm again\n")
        #expect(try box.entries("web") { $0.count == 13 }.last?.text == "calm again")
        #expect(try box.entries("db") { $0.count == 100 }.count == 100, "whoever has no rate is not counted")
        #expect(try box.drain() == .code(0))
    }

    @Test func flood_keepsTheReadyPatternAndTellsItsCountBeforeTheEnd() throws {
        let box = LogBox()
        try box.start()
        let pattern = LinePattern(pieces: [.literal("port "), .integer(name: "port")])
        let long = LogRate(lines: 3, window: .seconds(3600))
        let (number, end) = try box.stream("web", rate: long, pattern: pattern)
        try end.write((0..<200).map { "line \($0)\n" }.joined() + "listening on port 4096\n")
        end.close()
        let match = try box.wait { if case .matched = $0 { true } else { false } }
        #expect(match == .matched(stream: number, captures: [.init(name: "port", value: "4096")]))
        try box.waitForEnd(of: number)
        try box.send(.drain)
        let report = try box.wait { if case .counted("web", let counts) = $0 { counts.suppressed > 0 } else { false } }
        guard case .counted(_, let counts) = report else { return }
        #expect(counts.suppressed == 198)
        _ = try box.wait { $0 == .drained }
        #expect(try box.entries(["web"]).last?.text == "198 lines were suppressed here")
    }

    @Test func endlessLine_isSuppressedToo() throws {
        let box = LogBox()
        try box.start()
        let (number, end) = try box.stream("web", rate: LogRate(lines: 4, window: .seconds(3600)))
        let child = try box.fixture(["flood-no-newline", "2"], into: end)
        // 2 MiB in parts of 16 KiB: the fixture stays when it is through.
        _ = try box.entries("web") { $0.contains { $0.source == .logWriter } }
        try box.kernel.signal(child.spawned.pidfd, .kill)
        _ = try waitForExit(child.spawned)
        try box.waitForEnd(of: number)
        #expect(try box.drain() == .code(0))
        let entries = try box.entries(["web"])
        #expect(entries.first?.bytes.count == 4 * 16 * 1024 && entries.first?.isPartial == false)
        #expect(entries.last?.text.hasSuffix("lines were suppressed here") == true)
    }

    @Test func endlessLine_isKeptWholeInBoundedParts() throws {
        let box = LogBox()
        try box.start()
        let (number, end) = try box.stream("web", fileBytes: 64 << 20)
        let child = try box.fixture(["flood-no-newline", "8"], into: end)
        let bytes = 8 * 1024 * 1024
        _ = try box.entries("web") { $0.reduce(0) { $0 + $1.bytes.count } == bytes }
        try box.kernel.signal(child.spawned.pidfd, .kill)
        _ = try waitForExit(child.spawned)
        try box.waitForEnd(of: number)
        let file = try box.kernel.readFile(box.directory + "/web/current", limit: 64 << 20)
        let parts = file.split(separator: 0x0A)
        #expect(parts.allSatisfy { $0.count <= 16 * 1024 + 64 } && parts.count >= bytes / (16 * 1024))
    }
}

import Glibc
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import LogStore

@Suite("The book of runs", .timeLimit(.minutes(1))) struct RunBookTests {
    private let kernel = LiveKernel()
    private let home = TemporaryDirectory()
    private let stamp = WallStamp(microseconds: 1_795_406_706_123_456)

    private var lines: [String] {
        let bytes = (try? kernel.readFile(home.path + "/runs", limit: 1 << 24)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test func startsAndEnds_areALineEach() throws {
        let book = RunBook(kernel, directory: home.path)
        let run = RunID(second: 0x6743_f2a1, count: 17)
        book.record(stamp, run, .starting, child: "web")
        #expect(book.open == [run: "web"])
        book.record(stamp, run, .ended, child: "web", text: "web ended:\nexit 3")
        #expect(book.open.isEmpty && book.child(of: run) == "web")
        #expect(
            lines == [
                "2026-11-23T04:05:06.123456Z 6743f2a1-17 starting web",
                "2026-11-23T04:05:06.123456Z 6743f2a1-17 ended web web ended: exit 3",
            ])
    }

    @Test func newNexusd_endsTheRunsThatNobodySawEnd() throws {
        let (old, adopted, own) = (RunID(second: 5, count: 1), RunID(second: 5, count: 2), RunID(second: 9, count: 1))
        let book = RunBook(kernel, directory: home.path)
        for run in [old, adopted, own] { book.record(stamp, run, .starting, child: "c\(run)") }
        let again = RunBook(kernel, directory: home.path)
        #expect(again.closeStale(second: 9, alive: [adopted], at: stamp).map(\.run) == [old])
        #expect(Set(again.open.keys) == [adopted, own], "its own runs it will end itself")
        #expect(lines.last == "\(stamp) 5-1 ended c5-1 unknown, supervisor died")
        #expect(again.closeStale(second: 9, alive: [adopted], at: stamp).isEmpty)
    }

    @Test func tornLine_isPassedOver() throws {
        try kernel.replaceFile(
            home.path + "/runs", with: Array("\(stamp) 5-1 starting web\ngarbage\n\(stamp) 5-2 star".utf8), mode: 0o600)
        let book = RunBook(kernel, directory: home.path)
        #expect(book.open == [RunID(second: 5, count: 1): "web"])
        #expect(lines.count == 1)
    }

    @Test func longBook_isWrittenAnewWithTheRunsThatHaveNoEnd() throws {
        let book = RunBook(kernel, directory: home.path)
        let first = RunID(second: 1, count: 1)
        book.record(stamp, first, .starting, child: "first")
        for count in 2..<9000 {
            let run = RunID(second: 1, count: UInt32(count))
            book.record(stamp, run, .starting, child: "web")
            book.record(stamp, run, .ended, child: "web", text: "done")
        }
        let size = try kernel.status(home.path + "/runs", followingLinks: false).size
        #expect(size <= RunBook.sizeLimit && size >= RunBook.latestKept)
        #expect(RunBook(kernel, directory: home.path).open == [first: "first"])
        #expect(lines.first == "\(stamp) 1-1 starting first")
    }

    @Test(arguments: [Call.write, .open]) func diskWithoutRoom_keepsNobodyFromOpeningTheBook(
        call: Call
    ) throws {
        let run = RunID(second: 5, count: 2)
        try kernel.replaceFile(
            home.path + "/runs", with: Array("\(stamp) 5-1 starting web\n\(stamp) 5-2 star".utf8), mode: 0o600)
        let faulty = FaultyKernel()
        // Reading it is the first call to open; what is written anew comes behind it.
        faulty.fault = .init(call, nth: call == .open ? 2 : 1, forEver: true, error: .noSpace)
        let book = RunBook(faulty, directory: home.path)
        #expect(book.open == [RunID(second: 5, count: 1): "web"] && book.trouble == nil)
        book.record(stamp, run, .starting, child: "db")
        faulty.fault = nil
        book.record(stamp, run, .ended, child: "db", text: "done")
        #expect(
            lines.suffix(2) == ["\(stamp) 5-2 starting db", "\(stamp) 5-2 ended db done"], "no torn line before them")
    }

    @Test func whatIsNoFile_isReplaced_andNeverWaitedFor() throws {
        #expect(mkfifo(home.path + "/runs", 0o600) == 0)
        #expect(RunBook(kernel, directory: home.path).trouble == .invalid)
        try kernel.removeFile(home.path + "/runs")
        symlink("/etc/passwd", home.path + "/runs")
        let book = RunBook(kernel, directory: home.path)
        #expect(book.trouble == .symbolicLink)
        book.record(stamp, RunID(second: 5, count: 1), .starting, child: "web")
        #expect(try kernel.status(home.path + "/runs", followingLinks: false).kind == .regular)
        #expect(lines == ["\(stamp) 5-1 starting web"])
    }

    @Test func endThatIsSaidAgain_isShownOnce_asItWasSaidLast() throws {
        let book = RunBook(kernel, directory: home.path)
        let run = RunID(second: 5, count: 1)
        book.record(stamp, run, .starting, child: "log-writer")
        book.record(stamp, run, .ended, child: "log-writer", text: LogEvent.drained(run, child: "log-writer").bookText)
        book.record(stamp, run, .ended, child: "log-writer", text: "log-writer ended: exit 0.\t{\"CAUSE\":\"asked\"}")
        let ends = try BookReader(directory: home.path).ends()
        #expect(ends.map(\.words) == ["log-writer ended: exit 0."])
        #expect(ends.first?.started == stamp && ends.first?.facts == "{\"CAUSE\":\"asked\"}")
    }

    @Test func diskThatTakesNothing_isCaughtUpWith() throws {
        let faulty = FaultyKernel()
        let book = RunBook(faulty, directory: home.path)
        faulty.fault = FaultyKernel.Fault(.open, nth: 1, forEver: true, error: Errno(rawValue: 28))
        let run = RunID(second: 1, count: 1)
        book.record(stamp, run, .starting, child: "web")
        #expect(lines.isEmpty)
        faulty.fault = nil
        book.record(stamp, run, .ended, child: "web", text: "done")
        #expect(lines.count == 2)
    }
}

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

    /// Whoever was killed may have said it, and the next one says it again.
    @Test func endThatIsToldTwice_standsOnce_alsoForTheNextLogWriter() throws {
        let run = RunID(second: 5, count: 1)
        let book = RunBook(kernel, directory: home.path)
        book.record(stamp, run, .starting, child: "web")
        book.record(stamp, run, .ended, child: "web", text: "exit 3")
        book.record(stamp, run, .ended, child: "web", text: "unknown")
        RunBook(kernel, directory: home.path).record(stamp, run, .ended, child: "web", text: "unknown")
        #expect(lines == ["\(stamp) 5-1 starting web", "\(stamp) 5-1 ended web exit 3"])
    }

    /// It was in the book, and not confirmed yet.
    @Test func runThatIsToldAgain_startAndEnd_standsOnce() throws {
        let runs = [RunID(second: 5, count: 1), RunID(second: 5, count: 2)]
        for _ in 0..<2 {
            let book = RunBook(kernel, directory: home.path)
            for run in runs { book.record(stamp, run, .starting, child: "web") }
            book.record(stamp, runs[0], .ended, child: "web", text: "exit 3")
            #expect(book.open == [runs[1]: "web"])
        }
        #expect(
            lines == ["\(stamp) 5-1 starting web", "\(stamp) 5-2 starting web", "\(stamp) 5-1 ended web exit 3"])
    }

    /// Its start was on a link that went with both of its ends.
    @Test func endWithoutAStart_getsOne() throws {
        let run = RunID(second: 5, count: 1)
        let book = RunBook(kernel, directory: home.path)
        book.record(stamp, run, .ended, child: "web", text: "exit 3")
        #expect(
            lines == ["\(stamp) 5-1 starting web \(RunBook.startUnheard)", "\(stamp) 5-1 ended web exit 3"])
        #expect(book.open.isEmpty)
        let end = try BookReader(directory: home.path).read().ends.first
        #expect(end?.words == "exit 3" && end?.started == nil)
    }

    /// Its numbers are below those of the nexusd before it.
    @Test func startsOfANexusdWhoseClockWasSetBack_areNew_andNothingIsReadForThem() throws {
        let faulty = FaultyKernel()
        let book = RunBook(faulty, directory: home.path)
        book.record(stamp, RunID(second: 9, count: 7), .starting, child: "web")
        let before = faulty.counts[.open, default: 0]
        for count: UInt32 in [1, 2] { book.record(stamp, RunID(second: 5, count: count), .starting, child: "web") }
        #expect(faulty.counts[.open, default: 0] == before + 2)
        book.record(stamp, RunID(second: 5, count: 1), .starting, child: "web")
        #expect(lines.map { $0.split(separator: " ")[1] } == ["9-7", "5-1", "5-2"])
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
            home.path + "/runs", with: Array("\(stamp) 5-1 starting web\n2026-1\n\(stamp) 5-2 star".utf8), mode: 0o600)
        let book = RunBook(kernel, directory: home.path)
        #expect(book.open == [RunID(second: 5, count: 1): "web"])
        #expect(lines.count == 1)
        #expect(book.note == nil && LogEvent.ofBook(book) == nil && book.keptAside.isEmpty)
    }

    /// A torn write leaves the beginning of a line; whatever else is no line was not written by a log-writer.
    @Test(arguments: [
        "garbage", "2026-11-23T04:05:06.123456Z 5-3 paused web", "2026-11-23T04:05:06.123456Z x/y", "\0\0\0\0",
    ]) func damagedBook_isKeptAsideAsItWas_saidAndGoneOnWith(_ line: String) throws {
        let bytes = Array("\(stamp) 5-1 starting web\n\(line)\n\(stamp) 5-2 starting db\n".utf8)
        try kernel.replaceFile(home.path + "/runs", with: bytes, mode: 0o600)
        let book = RunBook(kernel, directory: home.path)
        #expect(Set(book.open.values) == ["web", "db"] && lines.count == 2)
        #expect(try kernel.readFile(home.path + "/runs.damaged", limit: 4096) == bytes)
        let words = "he book of runs \(home.path)/runs was damaged (1 line): ends of runs may be missing"
        #expect(book.note?.hasPrefix("t" + words) == true && book.note?.contains("/runs.damaged") == true)
        #expect(LogEvent.ofBook(book)?.message.hasPrefix("T" + words) == true)
        let again = RunBook(kernel, directory: home.path)
        #expect(again.note?.contains("was damaged at an earlier start") == true && LogEvent.ofBook(again) == nil)
        try kernel.removeFile(home.path + "/runs.damaged")
        #expect(RunBook(kernel, directory: home.path).note == nil)
    }

    @Test func everyDamagedBook_isKept_andAboveTheBoundTheOldestIsDroppedAloud() throws {
        func damage(_ word: String) throws -> RunBook {
            try kernel.replaceFile(home.path + "/runs", with: Array("\(word)\n".utf8), mode: 0o600)
            return RunBook(kernel, directory: home.path)
        }
        func kept(_ name: String) -> String? {
            (try? kernel.readFile(home.path + "/" + name, limit: 4096)).map { String(decoding: $0, as: UTF8.self) }
        }
        _ = try damage("first")
        let second = try damage("second")
        #expect(kept("runs.damaged") == "second\n" && kept("runs.damaged.2") == "first\n")
        let path = home.path + "/runs.damaged"
        #expect(
            second.note?.hasSuffix(
                "kept as \(path), those of earlier times as \(path).2: look at them and move them away")
                == true, "\(second.note ?? "")")
        for word in ["third", "fourth"] { #expect(try damage(word).note?.contains("dropped") == false) }
        let fifth = try damage("fifth")
        #expect(fifth.note?.contains("; 4 are kept, and the oldest was dropped: ") == true, "\(fifth.note ?? "")")
        #expect(
            ["", ".2", ".3", ".4", ".5"].map { kept("runs.damaged" + $0) }
                == ["fifth\n", "fourth\n", "third\n", "second\n", nil])
        // A gap that somebody made is filled, and nothing is dropped for it.
        try kernel.removeFile(path + ".3")
        #expect(try damage("sixth").note?.contains("dropped") == false)
        #expect(kept("runs.damaged.3") == "fourth\n" && kept("runs.damaged.4") == "second\n")
    }

    @Test func damagedBookOnAFullDisk_staysWhereItIs() throws {
        let bytes = Array("\(stamp) 5-1 starting web\ngarbage\n".utf8)
        try kernel.replaceFile(home.path + "/runs", with: bytes, mode: 0o600)
        let faulty = FaultyKernel()
        faulty.fault = .init(.write, nth: 1, forEver: true, error: .noSpace)
        let book = RunBook(faulty, directory: home.path)
        #expect(book.open.count == 1 && book.keptAside.isEmpty && book.note?.contains("cannot be moved aside") == true)
        #expect(try kernel.readFile(home.path + "/runs", limit: 4096) == bytes)
    }

    @Test func directoryInItsPlace_isNamedWithTheRemedy_andWrittenOnceItIsGone() throws {
        try kernel.makeDirectory(home.path + "/runs", mode: 0o700)
        let book = RunBook(kernel, directory: home.path)
        let note = try #require(book.note)
        #expect(
            note.contains("/runs cannot be used (Is a directory (EISDIR)): how runs ended is not kept until it can be"))
        #expect(note.hasSuffix("a directory is in the place of a file: move it away"))
        #expect(LogEvent.ofBook(book)?.message == "T" + note.dropFirst() + ".")
        book.record(stamp, RunID(second: 5, count: 1), .starting, child: "web")
        #expect(book.note == note)
        try #require(rmdir(home.path + "/runs") == 0)
        book.record(stamp, RunID(second: 5, count: 1), .ended, child: "web", text: "done")
        #expect(book.note == nil && lines.count == 2)
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

    /// What is in the way of log-writer is named, for the owner has to move it away.
    @Test func whatIsInThePlaceOfTheLock_isNamed() throws {
        let lock = home.path + "/lock"
        try kernel.makeDirectory(lock, mode: 0o700)
        #expect(throws: Errno.isDirectory) { try DirectoryLock(kernel, directory: home.path) }
        let error = LogWriterError(
            directory: home.path, error: .isDirectory, displaced: DirectoryLock.displaced(kernel, home.path))
        #expect(
            error.description
                == "log-writer cannot keep logs in \(home.path): \(lock): Is a directory (EISDIR);"
                + " a directory is in the place of a file: move it away")
    }

    @Test func whatIsNoFile_isReplaced_andNeverWaitedFor() throws {
        #expect(mkfifo(home.path + "/runs", 0o600) == 0)
        #expect(RunBook(kernel, directory: home.path).trouble == .invalid)
        try kernel.removeFile(home.path + "/runs")
        symlink("/etc/passwd", home.path + "/runs")
        let book = RunBook(kernel, directory: home.path)
        #expect(book.trouble == .symbolicLink && book.note == nil)
        #expect(
            LogEvent.ofBook(book)?.message.hasSuffix("what is there, and is no file, is replaced by a new one.") == true
        )
        book.record(stamp, RunID(second: 5, count: 1), .starting, child: "web")
        #expect(try kernel.status(home.path + "/runs", followingLinks: false).kind == .regular)
        #expect(lines == ["\(stamp) 5-1 starting web"])
    }

    @Test func damagedLines_areCountedByTheReader_andTheBeginningOfOneIsNot() throws {
        let book = RunBook(kernel, directory: home.path)
        let run = RunID(second: 5, count: 1)
        book.record(stamp, run, .starting, child: "web")
        book.record(stamp, run, .ended, child: "web", text: "web ended: exit 0.")
        let whole = try kernel.readFile(home.path + "/runs", limit: 65_536)
        #expect(try BookReader(directory: home.path).read().damagedLines == 0)
        try kernel.replaceFile(
            home.path + "/runs", with: Array("rubbish\n\u{FFFD}\n\(stamp) 5-2 sta\n".utf8) + whole, mode: 0o640)
        let content = try BookReader(directory: home.path).read()
        #expect(content.damagedLines == 2 && content.ends.map(\.run) == [run])
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

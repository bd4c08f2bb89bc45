import Glibc
import LogStore
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@Suite(
    "A full disk", .serialized, .timeLimit(.minutes(1)),
    .enabled(if: SmallDisk.isPossible, "a full disk needs the right to mount a tmpfs"))
struct FullDiskTests {
    private let kernel = LiveKernel()

    @Test func fullDisk_holdsTheChildForFiveSecondsThenCountsAndGoesOn() throws {
        let disk = try SmallDisk()
        defer { withExtendedLifetime(disk) {} }
        let box = LogBox(directory: disk.path + "/logs")
        try box.start()
        try disk.fill()
        let (number, end) = try box.stream(fileBytes: 10_000_000, files: 1)
        let began = kernel.monotonic()
        try end.writeInBackground((0..<50_000).flatMap { Array("line \($0)\n".utf8) })
        let report = try box.wait { if case .counted(_, let counts) = $0 { counts.dropped > 0 } else { false } }
        #expect(kernel.monotonic() - began >= .seconds(5))
        guard case .counted("web", _) = report else { throw LogBox.Missing() }
        try box.waitForEnd(of: number)
        try disk.empty()
        let (_, again) = try box.stream()
        try again.write("room again\n")
        let entries = try box.entries("web") { $0.contains { $0.text == "room again" } }
        #expect(entries.contains { $0.source == .logWriter && $0.text.contains("lines are missing here") })
        #expect(try box.drain() == .code(0))
    }

    /// A disk that is full but for what somebody else sets free now and then: each remark fits in, and some lines behind it.
    @Test func diskThatTakesALittleNowAndThen_isNotWell_andHoldsTheChildOnce() throws {
        let disk = try SmallDisk()
        defer { withExtendedLifetime(disk) {} }
        let box = LogBox(directory: disk.path + "/logs")
        try box.start()
        try disk.fill()
        let (_, end) = try box.stream(fileBytes: 10_000_000, files: 1)
        var counts = LogCounts()
        var remarks = 0
        var troubles: [String] = []
        /// Takes reports up to one that is wanted.
        func read(until isEnough: (LogReport) -> Bool) throws {
            _ = try box.wait { report in
                switch report {
                case .counted("web", let more): counts += more
                case .remarked("web"): remarks += 1
                case .filing("web", let trouble): troubles.append(trouble)
                case .eof, .counted, .ready, .matched, .last, .drained, .journal, .filing, .remarked, .book, .alive:
                    break
                }
                return isEnough(report)
            }
        }
        try end.write((0..<300).map { "line \($0)\n" }.joined())
        try read { if case .filing = $0 { true } else { false } }
        // From now on it gets a page before each of more lines than go into one.
        while remarks < 10 {
            try disk.give(4096)
            try end.write((0..<300).map { "line \($0)\n" }.joined())
            try read { if case .counted(_, let counts) = $0 { counts.dropped > 0 } else { false } }
        }
        // Something was taken and something refused all the time; it was not called well, so nobody was held up anew.
        #expect(troubles.count == 1 && troubles.first?.contains("ENOSPC") == true, "\(troubles)")
        try disk.empty()
        try read { $0 == .filing(child: "web", trouble: "") }
        let entries = try box.entries(["web"])
        let missing = entries.filter { $0.source == .logWriter }.compactMap { Int($0.text.prefix { $0.isNumber }) }
        #expect(missing.reduce(0, +) == Int(counts.dropped), "each remark speaks of what was lost since the one before")
        #expect(entries.count - missing.count == Int(counts.lines))
        #expect(try box.drain() == .code(0))
    }

    @Test func diskFullForASecond_losesNothing() throws {
        let disk = try SmallDisk()
        defer { withExtendedLifetime(disk) {} }
        let box = LogBox(directory: disk.path + "/logs")
        try box.start()
        try disk.fill()
        let (number, end) = try box.stream()
        try end.writeInBackground((0..<3000).flatMap { Array("line \($0)\n".utf8) })
        usleep(1_000_000)  // within the patience of 5 s
        try disk.empty()
        try box.waitForEnd(of: number)
        #expect(try box.entries(["web"]).map(\.text) == (0..<3000).map { "line \($0)" })
        #expect(try box.drain() == .code(0))
    }
}

/// Something in the place of a child's directory. Its writer notices nothing of it.
@Suite("A directory that cannot be made", .serialized, .timeLimit(.minutes(1))) struct NoDirectoryTests {
    @Test func childWithoutADirectory_isReadOnAndCounted_andFiledAgain() throws {
        let kernel = LiveKernel()
        let box = LogBox()
        try box.start()
        let place = box.directory + "/web"
        try kernel.replaceFile(place, with: [], mode: 0o600)
        let (number, end) = try box.stream()
        try end.writeInBackground((0..<50_000).flatMap { Array("line \($0)\n".utf8) })
        let said = try box.wait { if case .filing = $0 { true } else { false } }
        let why = "\(place) takes nothing: Not a directory (ENOTDIR); something else is in the place of a directory"
        #expect(said == .filing(child: "web", trouble: why + ": move it away"))
        var dropped: UInt64 = 0
        var filed: UInt64 = 0
        var isOver = false
        while !isOver || dropped < 50_000 {
            switch try box.report() {
            case .eof(number): isOver = true
            case .counted("web", let counts):
                dropped += counts.dropped
                filed += counts.lines + counts.bytes
            case nil: throw LogBox.Missing()
            case .eof, .counted, .ready, .matched, .last, .drained, .journal, .filing, .remarked, .book, .alive: break
            }
        }
        #expect(filed == 0, "what was dropped is not counted as filed")
        // A line of which a part was taken out before its newline came counts twice.
        #expect((50_000...50_020).contains(dropped))
        try kernel.removeFile(place)
        let (_, again) = try box.stream()
        try again.write("room again\n")
        _ = try box.wait { $0 == .filing(child: "web", trouble: "") }
        let entries = try box.entries("web") { $0.contains { $0.text == "room again" } }
        #expect(entries.contains { $0.text == "\(dropped) lines are missing here: Not a directory (ENOTDIR)" })
        #expect(try box.drain() == .code(0))
    }
}

/// log-writer was killed, or asked for a sign of life, while a disk was in the way.
@Suite("What the next log-writer is told", .serialized, .timeLimit(.minutes(1))) struct HandedOverLossTests {
    @Test func linesThatAnEarlierOneDropped_areSaidBeforeWhatComes() throws {
        let box = LogBox()
        try box.start()
        try box.send(.missing(child: "web", lines: 12))
        _ = try box.wait { $0 == .filing(child: "web", trouble: "") }
        let (_, end) = try box.stream()
        try end.write("after\n")
        let entries = try box.entries("web") { $0.count >= 2 }
        let remark = "12 lines are missing here: the files took nothing, and log-writer was ended meanwhile"
        #expect(entries.map(\.text) == [remark, "after"])
        #expect(try box.drain() == .code(0))
    }

    @Test func remarkThatCannotBeWritten_waitsForTheDisk_alsoWhenNobodySpeaks() throws {
        let kernel = LiveKernel()
        let box = LogBox()
        try box.start()
        let place = box.directory + "/web"
        try kernel.replaceFile(place, with: [], mode: 0o600)
        try box.send(.missing(child: "web", lines: 3))
        // nexusd itself had discarded some: that word does not get lost on such a disk either.
        let lost = [LogEvent.Field(name: "BYTES", value: "40"), LogEvent.Field(name: "LINES", value: "4")]
        try box.send(
            .event(
                LogEvent(
                    priority: 3, messageID: "092462c0e9cc4e579ff7979b397c2492", message: "discarded", child: "web",
                    fields: lost)))
        _ = try box.entries("nexusd") { !$0.isEmpty }
        try kernel.removeFile(place)
        _ = try box.wait { $0 == .filing(child: "web", trouble: "") }
        let entries = try box.entries("web") { !$0.isEmpty }
        // One remark for both, or each by itself when the disk was back in between.
        let texts = try box.entries("web") { $0.first?.text.hasPrefix("7 ") == true || $0.count > 1 }.map(\.text)
        let isTold =
            texts[0].hasPrefix("7 lines are missing here: ")
            || (texts[0].hasPrefix("3 lines") && texts[1] == "discarded")
        #expect(isTold && !entries.isEmpty, "\(texts)")
        #expect(try box.drain() == .code(0))
    }

    @Test func signOfLife_isGivenAlsoWhileTheDiskHangs() throws {
        let kernel = LiveKernel()
        let box = LogBox()
        try kernel.makeDirectory(box.directory, mode: 0o750)
        try kernel.makeDirectory(box.directory + "/web", mode: 0o750)
        #expect(mkfifo(box.directory + "/web/current", 0o640) == 0)
        try box.start()
        let writer = try #require(box.writer)
        try kernel.signal(writer.spawned.pidfd, .user1)
        #expect(try box.wait { if case .alive = $0 { true } else { false } } == .alive(isBehind: false))
        let (_, end) = try box.stream("web")
        try end.writeInBackground((0..<100_000).flatMap { Array("line \($0)\n".utf8) })
        // As soon as its pipe is looked at something is not written, and stays so.
        var answer = LogReport.alive(isBehind: false)
        while answer == .alive(isBehind: false) {
            try kernel.signal(writer.spawned.pidfd, .user1)
            answer = try box.wait { if case .alive = $0 { true } else { false } }
        }
        #expect(answer == .alive(isBehind: true))
    }
}

/// A disk whose write(2) never returns. A FIFO that nobody reads plays it: it takes 64 KiB and then blocks for good.
@Suite("A disk that hangs", .serialized, .timeLimit(.minutes(1))) struct HangingDiskTests {
    @Test func hangingDisk_holdsNobodyUpForLongerThanItsPatience() throws {
        let kernel = LiveKernel()
        let box = LogBox()
        try kernel.makeDirectory(box.directory, mode: 0o750)
        try kernel.makeDirectory(box.directory + "/web", mode: 0o750)
        #expect(mkfifo(box.directory + "/web/current", 0o640) == 0)
        try box.start()
        let (number, end) = try box.stream("web")
        let (other, otherEnd) = try box.stream("db")
        try end.writeInBackground((0..<100_000).flatMap { Array("line \($0)\n".utf8) })
        try otherEnd.writeInBackground((0..<100_000).flatMap { Array("line \($0)\n".utf8) })
        var ended: Set<UInt32> = []
        var dropped: UInt64 = 0
        while ended != [number, other] {
            switch try box.report() {
            case .eof(let stream): ended.insert(stream)
            case .counted(_, let counts): dropped += counts.dropped
            case nil: throw LogBox.Missing()
            case .ready, .matched, .last, .drained, .journal, .filing, .remarked, .book, .alive: break
            }
        }
        while dropped < 50_000, case .counted(_, let counts) = try box.report(within: .seconds(3)) {
            dropped += counts.dropped
        }
        #expect(dropped > 50_000)
        // Somebody reads the FIFO: the disk is back, and the next line goes where it should.
        let fifo = try kernel.open(box.directory + "/web/current", [.readWrite, .nonBlocking], mode: 0)
        try NativeThread.start("reader") { [raw = fifo.release()] in
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                // A reader that stays at work: a FIFO opened for both has no end to wait for.
                if read(raw, &buffer, buffer.count) <= 0 { usleep(1000) }
            }
        }
        let (_, again) = try box.stream("db")
        // It takes a moment until the thread is out of its call.
        var entries: [LogEntry] = []
        for _ in 0..<200 where !entries.contains(where: { $0.text == "again" }) {
            try again.write("again\n")
            entries = try box.entries("db", within: .milliseconds(50)) { $0.contains { $0.text == "again" } }
        }
        #expect(entries.contains { $0.text == "again" })
        entries = try box.entries("db") { $0.contains { $0.source == .logWriter } }
        #expect(entries.contains { $0.text.hasSuffix("lines are missing here: the disk took nothing for 5 s") })
    }
}

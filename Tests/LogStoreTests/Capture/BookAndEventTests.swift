import Glibc
import LogStore
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

/// What comes over the log link beside streams.
@Suite("Events, the book and last words", .serialized, .timeLimit(.minutes(1)))
struct BookAndEventTests {
    @Test func event_isAnEntryWithItsFactsAndALineInTheBook() throws {
        let box = LogBox()
        try box.start()
        try box.send(
            .event(
                LogEvent(
                    priority: 4, messageID: "1c657580dcbb4e52bd2e5ff3959019e0", message: "web ended:\texit 3",
                    child: "web",
                    run: box.run, book: .starting, fields: [.init(name: "CAUSE", value: "a \"crash\"\nwith lines")])))
        let entries = try box.entries("nexusd") { !$0.isEmpty }
        let event = try #require(entries.first)
        #expect(event.source == .supervisor && event.level == .warning && event.run == box.run)
        #expect(event.text == "web ended: exit 3")
        #expect(
            event.fields
                == #"{"MESSAGE_ID":"1c657580dcbb4e52bd2e5ff3959019e0","CHILD":"web","CAUSE":"a \"crash\"\nwith lines"}"#
        )
        #expect(try box.drain() == .code(0))
        let book = String(decoding: try box.kernel.readFile(box.directory + "/runs", limit: 1 << 20), as: UTF8.self)
        #expect(book.hasSuffix(" 6743f2a1-17 starting web\n"))
    }

    @Test func lossThatNexusdTellsOf_isSaidInTheChildsOwnFile() throws {
        let box = LogBox()
        try box.start()
        let told = "90 bytes (3 lines) of web were discarded: more than 4 runs of it wait for log-writer."
        for fields in [[LogEvent.Field(name: "BYTES", value: "90")], []] {
            try box.send(
                .event(
                    LogEvent(
                        priority: 3, messageID: "092462c0e9cc4e579ff7979b397c2492", message: told, child: "web",
                        run: box.run, fields: fields)))
        }
        // Without the bytes it is log-writer's own count, and in the file already.
        #expect(try box.drain() == .code(0))
        let remarks = try box.entries(["web"])
        #expect(remarks.map(\.text) == [told])
        #expect(remarks.first?.source == .logWriter && remarks.first?.run == box.run)
    }

    @Test func greetingOfANewNexusd_endsStaleRunsAloud() throws {
        let box = LogBox()
        try box.start()
        try box.send(
            .event(
                LogEvent(priority: 6, messageID: "", message: "Starting.", child: "web", run: box.run, book: .starting))
        )
        _ = try box.entries("nexusd") { !$0.isEmpty }
        try box.kill()
        try box.start()
        try box.send(.greeting(second: 0x6743_f2ff, alive: []))
        // A line that is read while it is written is not whole yet.
        let ended = "unknown, supervisor died"
        let entries = try box.entries("nexusd") { $0.last?.text.contains(ended) == true }
        // The start may stand there twice: it was killed where it may have written it and not yet taken it from the link.
        #expect(entries.filter { $0.text.contains(ended) }.map(\.run) == [box.run], "\(entries)")
        #expect(entries.first?.text.contains("Starting.") == true, "\(entries)")
    }

    @Test func drainedLogWriter_writesItsOwnEnd() throws {
        let box = LogBox()
        try box.start()
        try box.send(
            .event(
                LogEvent(
                    priority: 6, messageID: "", message: "x", child: "log-writer", run: box.ownRun, book: .starting)))
        #expect(try box.drain() == .code(0))
        let book = String(decoding: try box.kernel.readFile(box.directory + "/runs", limit: 1 << 20), as: UTF8.self)
        let end = try BookReader(directory: box.directory).read().ends.last
        #expect(end?.run == box.ownRun && end?.words == "log-writer ended when it had written everything (asked).")
        #expect(end?.facts?.contains(#""CAUSE":"asked""#) == true, "\(book)")
    }

    @Test func lastLines_areThoseOfTheRun() throws {
        let box = LogBox()
        try box.start()
        let other = RunID(second: 0x6743_f2a1, count: 18)
        let (number, end) = try box.stream(fileBytes: 65_536, files: 9)
        let (otherNumber, otherEnd) = try box.stream(run: other)
        try end.write((0..<3000).map { "line \($0)\n" }.joined())
        end.close()
        try box.waitForEnd(of: number)
        try otherEnd.write("of the other run\n")
        otherEnd.close()
        try box.waitForEnd(of: otherNumber)
        try box.send(
            .event(LogEvent(priority: 6, messageID: "", message: "x", child: "web", run: box.run, book: .starting)))
        try box.send(.last(box.run, lines: 3, tag: 7))
        #expect(try box.report() == .last(tag: 7, lines: ["line 2997", "line 2998", "line 2999"]))
        try box.send(.last(other, lines: 10, tag: 8))
        #expect(try box.report() == .last(tag: 8, lines: []), "the book does not know this run")
        try box.send(.event(LogEvent(priority: 6, messageID: "", message: "x", child: "web", run: other, book: .ended)))
        try box.send(.last(other, lines: 10, tag: 9))
        #expect(try box.report() == .last(tag: 9, lines: ["of the other run"]))
    }

    @Test func lastLines_areBounded() throws {
        let box = LogBox()
        try box.start()
        let (number, end) = try box.stream()
        try end.write((0..<200).map { "\($0)\n" }.joined() + String(repeating: "y", count: 60_000) + "\nlast\n")
        try box.send(.last(box.run, lines: 500, tag: 1))
        let report = try box.wait { if case .last = $0 { true } else { false } }
        guard case .last(1, let lines) = report else { return }
        #expect(lines.count <= 100 && lines.reduce(0) { $0 + $1.utf8.count } <= 16 * 1024)
        end.close()
        try box.waitForEnd(of: number)
        try box.send(.last(box.run, lines: 500, tag: 2))
        guard case .last(2, let all) = try box.wait(for: { if case .last = $0 { true } else { false } }) else { return }
        #expect(all.isEmpty || all.last == "last")
    }

    @Test func badPackets_changeNothing() throws {
        let box = LogBox()
        try box.start()
        try box.sendRaw([1, 2, 3])
        try box.sendRaw(LogOrder.drain.packet().map { $0 ^ 0x80 })
        // No pipe with it, no pipe at all, and a name that would leave the directory.
        let order = LogStream(
            number: 5, child: "web", run: box.run, kind: .stdout, fileBytes: 0, files: 0, journal: false)
        try box.send(.stream(order))
        #expect(try box.report() == .eof(stream: 5))
        let null = try box.kernel.open("/dev/null", .readOnly, mode: 0)
        try box.send(.stream(order), passing: null.raw)
        #expect(try box.report() == .eof(stream: 5))
        let (number, end) = try box.stream("../web")
        #expect(try box.report() == .eof(stream: number))
        let (good, goodEnd) = try box.stream("web")
        try goodEnd.write("still here\n")
        end.close()
        goodEnd.close()
        try box.waitForEnd(of: good)
        #expect(try box.entries(["web"]).map(\.text) == ["still here"])
        #expect(try box.entries(["nexusd"]).count == 5)
        #expect(try box.drain() == .code(0))
    }

    @Test func terminate_drainsAsWell() throws {
        let box = LogBox()
        try box.start()
        let (_, end) = try box.stream()
        try end.write("whole\nhalf")
        let process = try #require(box.writer)
        try box.kernel.signal(process.spawned.pidfd, .terminate)
        #expect(try waitForExit(process.spawned) == .code(0))
        let entries = try box.entries(["web"])
        #expect(entries.map(\.text) == ["whole", "half"] && entries[1].isPartial)
    }

    /// At the end of everything the signal overtakes what nexusd has said before: it is in the socket still.
    @Test func terminate_readsTheLinkEmptyFirst_andWritesItsOwnEnd() throws {
        let box = LogBox()
        try box.start()
        let process = try #require(box.writer)
        try box.kernel.signal(process.spawned.pidfd, Signal(rawValue: SIGSTOP))
        let runs = (0..<100).map { RunID(second: 0x6743_f2a1, count: 100 + UInt32($0)) }
        func say(_ child: String, _ run: RunID, _ book: LogEvent.Book) throws {
            try box.send(
                .event(LogEvent(priority: 6, messageID: "", message: "x", child: child, run: run, book: book)))
        }
        try say("log-writer", box.ownRun, .starting)
        for run in runs { try say("web", run, .ended) }
        try box.kernel.signal(process.spawned.pidfd, .terminate)
        try box.kernel.signal(process.spawned.pidfd, Signal(rawValue: SIGCONT))
        #expect(try waitForExit(process.spawned) == .code(0))
        let ends = try BookReader(directory: box.directory).read().ends
        #expect(ends.map(\.run) == runs + [box.ownRun])
        #expect(ends.last?.words == "log-writer ended when it had written everything (asked).")
    }

    @Test(arguments: [[], ["--directory"], ["--directory", "/x", "--what"]])
    func wrongWords_areRefusedWithTheUsage(words: [String]) throws {
        let kernel = LiveKernel()
        let errors = try kernel.makePipe(blocking: .write)
        var image = SpawnImage(
            executable: LogBox.programs + "/log-writer", arguments: ["log-writer"] + words, environment: [])
        image.descriptors = [DescriptorMapping(source: errors.write.raw, target: 2)]
        let spawned = try kernel.spawn(image)
        #expect(try waitForExit(spawned) == .code(64))
    }
}

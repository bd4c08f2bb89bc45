import CNexus
import Glibc
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import LogStore

/// A socket that stands in for journald.
@Suite("The journal", .serialized, .timeLimit(.minutes(1))) struct JournalTests {
    private let kernel = LiveKernel()
    private let home = TemporaryDirectory()
    private var path: String { home.path + "/journal.sock" }

    /// Reads the entries of one datagram: fields by name.
    private func entries(_ socket: borrowing OwnedFD) throws -> [[String: String]] {
        guard try waitUntil(socket) else { return [] }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 300_000, alignment: 16)
        defer { buffer.deallocate() }
        let count = try kernel.receive(socket, into: buffer).count
        var rest = Array(buffer[..<count])[...]
        var entries: [[String: String]] = [[:]]
        while let newline = rest.firstIndex(of: 0x0A) {
            let line = rest[..<newline]
            rest = rest[(newline + 1)...]
            if line.isEmpty {
                entries.append([:])
            } else if let equals = line.firstIndex(of: UInt8(ascii: "=")) {
                entries[entries.count - 1][String(decoding: line[..<equals], as: UTF8.self)] =
                    String(decoding: line[(equals + 1)...], as: UTF8.self)
            } else {
                let length = rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
                entries[entries.count - 1][String(decoding: line, as: UTF8.self)] =
                    String(decoding: rest.dropFirst(8).prefix(length), as: UTF8.self)
                rest = rest.dropFirst(8 + length + 1)
            }
        }
        return entries
    }

    private func listen(buffer: Int32? = nil) throws -> OwnedFD {
        try? kernel.removeFile(path)
        let socket = try kernel.makeSocket(.unix, .datagram)
        try kernel.bind(socket, to: .path(path))
        return socket
    }

    /// A log-writer in this process, with the stand-in for its journal. It ends with the drain.
    private func start(_ box: LogBox) throws -> LogBox.Held {
        let pair = try kernel.makeSocketPair(.seqpacket, blocking: [])
        let (directory, journal, raw) = (box.directory, path, dup(pair.second.raw))
        try NativeThread.start("log-writer") {
            try? LogWriter(LiveKernel(), directory: directory, journal: journal, link: OwnedFD(owning: raw)).run()
        }
        let held = LogBox.Held(OwnedFD(owning: dup(pair.first.raw)))
        box.useLink(held)
        #expect(try box.report() == .ready)
        return held
    }

    @Test func linesAndEvents_haveTheirFields() throws {
        let socket = try listen()
        let box = LogBox()
        _ = try start(box)
        let (number, end) = try box.stream("web", .stderr, journal: true)
        try end.write("<4>careful\nsecond\n")
        let lines = try entries(socket)
        #expect(
            lines == [
                [
                    "MESSAGE": "careful", "PRIORITY": "4", "NEXUS_CHILD": "web", "NEXUS_RUN_ID": "6743f2a1-17",
                    "NEXUS_STREAM": "stderr", "SYSLOG_IDENTIFIER": "web",
                ],
                [
                    "MESSAGE": "second", "PRIORITY": "6", "NEXUS_CHILD": "web", "NEXUS_RUN_ID": "6743f2a1-17",
                    "NEXUS_STREAM": "stderr", "SYSLOG_IDENTIFIER": "web",
                ],
            ])
        try box.send(
            .event(
                LogEvent(
                    priority: 3, messageID: "1c657580dcbb4e52bd2e5ff3959019e0", message: "two\nlines", child: "web",
                    run: box.run, fields: [.init(name: "CAUSE", value: "crash"), .init(name: "bad name", value: "x")])))
        let event = try entries(socket)
        #expect(
            event == [
                [
                    "MESSAGE": "two\nlines", "PRIORITY": "3", "SYSLOG_IDENTIFIER": "nexusd", "NEXUS_CHILD": "web",
                    "MESSAGE_ID": "1c657580dcbb4e52bd2e5ff3959019e0", "NEXUS_RUN_ID": "6743f2a1-17",
                    "NEXUS_CAUSE": "crash",
                ]
            ])
        end.close()
        try box.waitForEnd(of: number)
        try box.send(.drain)
        _ = try box.wait { $0 == .drained }
    }

    @Test func longestLine_fitsIntoADatagram() throws {
        let socket = try listen()
        let box = LogBox()
        _ = try start(box)
        // What is redacted grows: 6 bytes become 10.
        let (number, end) = try box.stream("web", journal: true, redactions: ["geheim"])
        let line = String(repeating: "geheim", count: 16 * 1024 / 6) + "1234"
        try end.writeInBackground(Array((line + "\n" + line + " and more\nnext\n").utf8))
        var messages: [[String: String]] = []
        while messages.last?["MESSAGE"] != "next" { messages += try entries(socket) }
        let clean = String(repeating: "[redacted]", count: 16 * 1024 / 6)
        #expect(messages.first?["MESSAGE"] == clean + "1234" && messages.first?["NEXUS_PARTIAL"] == nil)
        #expect(messages.count == 4 && messages[1]["NEXUS_PARTIAL"] == "1")
        #expect((messages[1]["MESSAGE"] ?? "") + (messages[2]["MESSAGE"] ?? "") == clean + "1234 and more")
        try box.waitForEnd(of: number)
        try box.send(.drain)
        _ = try box.wait { $0 == .drained }
    }

    @Test func socketThatNobodyReads_isAJournalThatIsAway() throws {
        do { _ = try listen() }  // bound, and closed: as after a journald that was killed
        let box = LogBox()
        _ = try start(box)
        let (number, end) = try box.stream("web", journal: true)
        try end.write("one\n")
        _ = try box.wait { $0 == .journal(isThere: false) }
        let socket = try listen()
        var count = 0
        // It is looked for once a second, when there is a line.
        while try !waitUntil(socket, within: .milliseconds(100)), count < 100 {
            count += 1
            try end.write("try \(count)\n")
        }
        _ = try box.wait { $0 == .journal(isThere: true) }
        end.close()
        try box.waitForEnd(of: number)
        let events = try box.entries("nexusd") { $0.count == 2 }
        #expect(events.map(\.level) == [.warning, .warning])
        try box.send(.drain)
        _ = try box.wait { $0 == .drained }
    }

    @Test func journalThatComesBack_isUsedAgain() throws {
        let box = LogBox()
        _ = try start(box)
        let (number, end) = try box.stream("web", journal: true)
        try end.write("nobody listens\n")
        _ = try box.entries("web") { $0.count == 1 }
        let first = try listen()
        var found: [String] = []
        var count = 0
        // It is looked for once a second.
        while found.isEmpty, count < 100 {
            count += 1
            try end.write("try \(count)\n")
            if try waitUntil(first, within: .milliseconds(50)) {
                found = try entries(first).compactMap { $0["MESSAGE"] }
            }
        }
        #expect(found.first?.hasPrefix("try ") == true)
        end.close()
        try box.waitForEnd(of: number)
        try box.send(.drain)
        _ = try box.wait { $0 == .drained }
    }

    @Test func journalThatTakesNothing_costsLinesThereAfterFiveSecondsAndNoneInTheFile() throws {
        let socket = try listen()
        let box = LogBox()
        _ = try start(box)
        let (number, end) = try box.stream("web", journal: true)
        let began = kernel.monotonic()
        // More datagrams than a socket's queue takes, and more bytes than log-writer keeps for it.
        try end.writeInBackground(
            (0..<40_000).flatMap { Array("line \($0) \(String(repeating: "z", count: 60))\n".utf8) })
        var missing: UInt64 = 0
        var away = 0
        var hasEnded = false
        while !hasEnded || missing == 0 {
            switch try box.report(within: .seconds(30)) {
            case .counted("web", let counts): missing += counts.missingInJournal
            case .journal(let isThere): away += isThere ? 100 : 1
            case .eof(let stream): hasEnded = stream == number
            case nil: throw LogBox.Missing()
            case .ready, .matched, .counted, .last, .drained, .filing, .remarked, .book, .alive: break
            }
        }
        #expect(kernel.monotonic() - began >= .seconds(5) && away == 1, "said once: \(away)")
        #expect(try box.entries(["web"]).count == 40_000)
        // Its queue is read: the next line tells that it is back, and how many are missing.
        while try waitUntil(socket, within: .milliseconds(100)) { _ = try entries(socket) }
        let (_, again) = try box.stream("web", journal: true)
        try again.write("again\n")
        _ = try box.wait { $0 == .journal(isThere: true) }
        let events = try box.entries("nexusd") { $0.count == 2 }
        #expect(events.first?.text.contains("files only, until it is back") == true)
        #expect(events.last?.text.contains("are missing there; the files have them") == true)
        #expect(events.last?.level == .warning)
        try box.send(.drain)
        _ = try box.wait { $0 == .drained }
    }
}

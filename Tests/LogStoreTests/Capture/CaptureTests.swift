import Foundation
import Glibc
import LogStore
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

/// Real pipes, the real log-writer.
@Suite("Taking lines out of pipes", .serialized, .timeLimit(.minutes(10)))
struct CaptureTests {
    @Test func line_isWrittenStampedAndTagged() throws {
        let box = LogBox()
        try box.start()
        let (number, out) = try box.stream("web", .stdout)
        let (_, err) = try box.stream("web", .stderr)
        try out.write("hello\n")
        try err.write("<3>broken\n")
        let entries = try box.entries("web") { $0.count == 2 }
        #expect(entries.map(\.text).sorted() == ["broken", "hello"])
        let hello = try #require(entries.first { $0.text == "hello" })
        #expect(hello.run == box.run && hello.source == .child(.stdout) && hello.level == .info && !hello.isPartial)
        let broken = try #require(entries.first { $0.text == "broken" })
        #expect(broken.source == .child(.stderr) && broken.level == .error)
        let age = WallStamp(nanoseconds: box.kernel.wallClock()).microseconds - hello.stamp.microseconds
        #expect((0..<20_000_000).contains(age))
        out.close()
        try box.waitForEnd(of: number)
        #expect(try box.drain() == .code(0))
    }

    @Test func endOfWriters_isReportedAfterEverythingIsWritten() throws {
        let box = LogBox()
        try box.start()
        let (number, end) = try box.stream()
        try end.write((0..<2000).map { "line \($0)\n" }.joined() + "no newline at the end")
        end.close()
        try box.waitForEnd(of: number)
        let entries = try box.entries(["web"])
        #expect(entries.count == 2001)
        #expect(entries.last?.text == "no newline at the end" && entries.last?.isPartial == false)
    }

    @Test func prompt_isTakenAsPartialAndJoinedWhenItsLineEnds() throws {
        let box = LogBox()
        try box.start()
        let (number, end) = try box.stream()
        try end.write("password: ")
        let prompt = try box.entries("web") { !$0.isEmpty }
        #expect(prompt.map(\.text) == ["password: "] && prompt[0].isPartial)
        try end.write("accepted\nnext\n")
        end.close()
        try box.waitForEnd(of: number)
        #expect(try box.entries(["web"]).map(\.text) == ["password: accepted", "next"])
    }

    /// By the stamp of the entry, which is the instant of the look that took it: however late this test is, or log-writer.
    @Test func prompt_isLeftInThePipeForTwoHundredMilliseconds() throws {
        let box = LogBox()
        try box.start()
        let (_, end) = try box.stream()
        let writer = try #require(box.writer)
        // Its first look at the pipe is over then: it waits for what comes.
        for _ in 0..<2 {
            try box.kernel.signal(writer.spawned.pidfd, .user1)
            _ = try box.wait { if case .alive = $0 { true } else { false } }
        }
        let before = WallStamp(nanoseconds: box.kernel.wallClock())
        try end.write("pass")
        try end.write("word: ")
        let prompt = try #require(try box.entries("web") { !$0.isEmpty }.first)
        #expect(prompt.isPartial && "password: ".hasPrefix(prompt.text))
        #expect(prompt.stamp.microseconds - before.microseconds >= 200_000)
    }

    @Test(arguments: [["one-byte-writes", "200"], ["2049-byte-writes", "300"], ["lines", "3000"]])
    func fixtureThatWritesOddly_linesAreWhole(words: [String]) throws {
        let box = LogBox()
        try box.start()
        let (_, end) = try box.stream()
        let child = try box.fixture(words, into: end)
        let count = try #require(Int(words[1]))
        let entries = try box.entries("web") { $0.filter { !$0.isPartial }.count >= count }
        try box.kernel.signal(child.spawned.pidfd, .kill)
        _ = try waitForExit(child.spawned)
        #expect(entries.count == count)
        for (index, entry) in entries.enumerated() {
            #expect(entry.text == "line \(index)" || entry.text.hasPrefix("line \(index) zzz"))
        }
        if words[0].hasPrefix("2049") { #expect(entries.allSatisfy { $0.bytes.count == 2048 }) }
    }

    @Test func smallPipeFilledWithoutNewline_neverBlocks() throws {
        let box = LogBox()
        try box.start()
        let pipe = try box.kernel.makePipe(blocking: .write)
        _ = try box.kernel.setPipeSize(pipe.write, to: 4096)
        let order = LogStream(
            number: 99, child: "small", run: box.run, kind: .stdout, fileBytes: 1 << 20, files: 1, journal: false)
        try box.send(.stream(order), passing: pipe.read.raw)
        // Far more than the pipe holds, in writes that fill its slots and never end a line.
        for _ in 0..<40 { try box.kernel.writeAll(pipe.write, [UInt8](repeating: 0x78, count: 2049)) }
        try box.kernel.writeAll(pipe.write, [0x0A])
        let entries = try box.entries("small") { $0.contains { !$0.isPartial } }
        #expect(entries.map(\.bytes.count) == [40 * 2049])
    }

    @Test func streamDescribedAnew_goesByTheNewOptions() throws {
        let box = LogBox()
        try box.start()
        let (number, end) = try box.stream(fileBytes: 64 << 20)
        let line = String(repeating: "x", count: 1023) + "\n"
        try end.write((0..<150).map { _ in line }.joined())
        _ = try box.entries("web") { $0.count == 150 }
        let directory = box.directory + "/web"
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["current"])
        let order = LogStream(
            number: number, child: "web", run: box.run, kind: .stdout, fileBytes: 65_536, files: 5, journal: false)
        try box.send(.stream(order))
        try end.write(line)
        end.close()
        try box.waitForEnd(of: number)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory).count == 2)
        #expect(try box.entries(["web"]).count == 151)
    }

    @Test func longLine_isJoinedWhenReadBack() throws {
        let box = LogBox()
        try box.start()
        let (number, end) = try box.stream(fileBytes: 64 << 20)
        // Every scalar has three bytes, so that cuts at 16 KiB would fall inside one.
        let line = Array(String(repeating: "€", count: 3_500_000).utf8)
        try end.writeInBackground(line + [0x0A])
        try box.waitForEnd(of: number)
        let entries = try box.entries(["web"])
        // Readers put 256 KiB of a line together, and cut it there.
        #expect(entries.dropLast().allSatisfy { $0.isCut && $0.bytes.count < 256 * 1024 + 16 * 1024 + 1 })
        #expect(entries.dropFirst().allSatisfy(\.isContinuation) && entries.last?.isPartial == false)
        #expect(entries.flatMap(\.bytes) == line)
        let file = try box.kernel.readFile(box.directory + "/web/current", limit: 64 << 20)
        #expect(file.split(separator: 0x0A).allSatisfy { String(validating: $0, as: UTF8.self) != nil })
    }

    @Test func anyBytes_areKeptAsTheyAre() throws {
        let box = LogBox()
        try box.start()
        let (number, end) = try box.stream()
        let line: [UInt8] = (0...255).filter { $0 != 0x0A }.map { UInt8($0) }
        try end.write([0x61, 0x00, 0xC3, 0x0A, 0xE2, 0x82, 0x0A] + line + [0x0A, 0x0A])
        end.close()
        try box.waitForEnd(of: number)
        let entries = try box.entries(["web"])
        #expect(entries.map(\.bytes) == [[0x61, 0x00, 0xC3], [0xE2, 0x82], line, []])
        #expect(entries[0].text == "a␀\u{FFFD}")
        #expect(!entries[2].text.unicodeScalars.contains { $0.value < 0x20 && $0.value != 9 })
    }

    @Test func readyPattern_firstMatchIsReportedOnce() throws {
        let box = LogBox()
        try box.start()
        let pattern = LinePattern(pieces: [.literal("listening on http://127.0.0.1:"), .integer(name: "port")])
        let (number, end) = try box.stream(pattern: pattern)
        try end.write("noise\nserver listening on http://127.0.")
        // Old enough to be taken out as partial: the pattern has to see the joined line.
        _ = try box.entries("web") { $0.contains { $0.isPartial } }
        try end.write("0.1:4096\nserver listening on http://127.0.0.1:5000\n")
        #expect(
            try box.reportOfStream()
                == .matched(stream: number, captures: [LogReport.Capture(name: "port", value: "4096")]))
        end.close()
        #expect(try box.reportOfStream() == .eof(stream: number))
    }

    @Test func secret_neverReachesTheFile() throws {
        let box = LogBox()
        try box.start()
        let (number, end) = try box.stream(redactions: ["hunter2hunter2"])
        try end.write("password=hunter2hunter2;\nsplit hunter2")
        // What is old is taken out as partial, but not what may be the beginning of a secret.
        let old = try box.entries("web") { $0.contains { $0.isPartial } }
        #expect(old.last?.text == "split ")
        try end.write("hunter2 end\n" + String(repeating: "x", count: 16 * 1024 - 5) + "hunter2hunter2\n")
        end.close()
        try box.waitForEnd(of: number)
        let texts = try box.entries(["web"]).map(\.text)
        #expect(texts.prefix(2) == ["password=[redacted];", "split [redacted] end"])
        #expect(texts[2].hasSuffix("x[redacted]"))
        let file = try box.kernel.readFile(box.directory + "/web/current", limit: 1 << 20)
        #expect(!String(decoding: file, as: UTF8.self).contains("hunter2"))
    }

    @Test func flood_isRotatedAndComplete() throws {
        let box = LogBox()
        try box.start()
        let (number, end) = try box.stream(fileBytes: 1_000_000, files: 100)
        let child = try box.fixture(["lines-exit", "200000"], into: end)
        try box.waitForEnd(of: number)
        _ = try waitForExit(child.spawned)
        let entries = try box.entries(["web"])
        #expect(entries.map(\.text) == (0..<200_000).map { "line \($0)" })
        let names = try box.kernel.list(box.directory + "/web")
        #expect(names.count > 5 && names.contains("current"))
        for name in names {
            #expect(try box.kernel.status(box.directory + "/web/" + name, followingLinks: false).size <= 1_000_000)
        }
    }
}

/// Idle is idle: nothing of log-writer runs while nothing is said.
@Suite("Idle log-writer", .serialized, .timeLimit(.minutes(1))) struct IdleTests {
    /// Context switches of every thread so far.
    private func switches(_ box: LogBox) throws -> Int {
        let process = try #require(box.writer).spawned.process
        return try box.kernel.list("/proc/\(process)/task").reduce(0) { sum, task in
            let status = try box.kernel.readFile("/proc/\(process)/task/\(task)/status", limit: 1 << 16)
            return sum
                + String(decoding: status, as: UTF8.self).split(separator: "\n").reduce(0) { sum, line in
                    guard line.contains("ctxt_switches:") else { return sum }
                    return sum + (Int(line.split { !$0.isNumber }.last ?? "") ?? 0)
                }
        }
    }

    @Test func idleLogWriter_neverWakes() throws {
        let box = LogBox()
        try box.start()
        let pipes = try (0..<20).map { try box.stream("child\($0)").end }
        try box.send(.event(LogEvent(priority: 6, messageID: "", message: "begun")))
        _ = try box.entries("nexusd") { !$0.isEmpty }
        var before = -1
        // What it was doing is over when two looks in a row see the same; then the time itself is what is looked at.
        // One that never comes to rest is seen below.
        for _ in 0..<100 where try before != switches(box) {
            before = try switches(box)
            _ = try box.report(within: .milliseconds(100))
        }
        _ = try box.report(within: .seconds(3))
        #expect(try switches(box) == before)
        withExtendedLifetime(pipes) {}
    }
}

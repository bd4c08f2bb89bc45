import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import LogStore

@Suite("Reading back") struct ReaderTests {
    private let kernel = LiveKernel()
    private let home = TemporaryDirectory()
    private let run = RunID(second: 1, count: 1)

    private func entry(
        _ second: Int64, _ text: String, _ level: LogLevel = .info, run: RunID? = nil, partial: Bool = false
    ) -> [UInt8] {
        var bytes = EntryFormat.entry(
            WallStamp(microseconds: second * 1_000_000), run ?? self.run, .child(.stdout), level, text: text)
        if partial { bytes[bytes.count - text.utf8.count - 1 - EntryFormat.flagFromEnd] = EntryFormat.partial }
        return bytes
    }

    private func file(_ child: String, rotation: Rotation = Rotation(fileBytes: 65_536, files: 100)) -> LogFile {
        LogFile(kernel, directory: home.path + "/" + child, rotation: rotation)
    }

    private func append(_ file: LogFile, _ bytes: [UInt8]) throws {
        var offset = 0
        try bytes.withUnsafeBytes { try file.append($0, from: &offset) }
    }

    private func texts(_ children: [String]? = nil, _ query: LogQuery = LogQuery()) throws -> [String] {
        let session = try LogReader(directory: home.path).open(children, query)
        return texts(of: session) + session.unfinished().map(\.text)
    }

    private func texts(of session: LogSession) -> [String] {
        var texts: [String] = []
        session.read {
            texts.append($0.text)
            return true
        }
        return texts
    }

    @Test func severalChildren_areMergedByTime() throws {
        let (web, db) = (file("web"), file("db"))
        for second in 0..<1000 { try append(second % 3 == 0 ? db : web, entry(Int64(second), "\(second)")) }
        #expect(try texts() == (0..<1000).map(String.init))
        #expect(try texts(["db"]) == stride(from: 0, to: 1000, by: 3).map(String.init))
        #expect(try LogReader(directory: home.path).children() == ["db", "web"])
    }

    @Test func lineWithoutABound_isCutForItsReader() throws {
        let web = file("web", rotation: Rotation(fileBytes: 10_000_000, files: 10))
        let part = String(repeating: "x", count: 16_384)
        for second in 0..<100 { try append(web, entry(Int64(second), part, partial: true)) }
        let session = try LogReader(directory: home.path).open(["web"], LogQuery(last: 1))
        var shown: [LogEntry] = []
        session.read(showingUnfinished: true) {
            shown.append($0)
            return true
        }
        #expect(shown.count == 1 && shown[0].bytes.count <= EntryJoiner.lineLimit)
        var all: [LogEntry] = []
        try LogReader(directory: home.path).open(["web"]).read(showingUnfinished: true) {
            all.append($0)
            return true
        }
        #expect(all.reduce(0) { $0 + $1.bytes.count } == 100 * part.utf8.count)
        #expect(all.dropLast().allSatisfy { $0.isCut && $0.bytes.count == EntryJoiner.lineLimit })
        #expect(all.dropFirst().allSatisfy(\.isContinuation) && all.last?.isCut == false)
    }

    @Test func lastLines_areReadFromTheEndOverRotatedFiles() throws {
        let web = file("web")
        for second in 0..<20_000 {
            try append(web, entry(Int64(second), "line \(second)", second % 100 == 0 ? .error : .info))
        }
        #expect(try kernel.list(home.path + "/web").count > 5)
        for count in [0, 1, 2, 999, 5000] {
            #expect(try texts(["web"], LogQuery(last: count)) == (20_000 - count..<20_000).map { "line \($0)" })
        }
        #expect(try texts(["web"], LogQuery(last: 3, level: .warning)) == ["line 19700", "line 19800", "line 19900"])
        #expect(try texts(["web"], LogQuery(last: 1_000_000)).count == 20_000)
        #expect(
            try texts(["web"], LogQuery(last: 10, since: WallStamp(microseconds: 19_998_000_000))) == [
                "line 19998", "line 19999",
            ])
        #expect(try texts(["web"], LogQuery(since: WallStamp(microseconds: 15_000_000_000))).count == 5000)
        #expect(try texts(["web"], LogQuery(run: RunID(second: 1, count: 2))) == [])
    }

    @Test func lastOfSeveralChildren_isCountedTogether() throws {
        let (web, db) = (file("web"), file("db"))
        for second in 0..<100 { try append(second % 2 == 0 ? db : web, entry(Int64(second), "\(second)")) }
        #expect(try texts(nil, LogQuery(last: 5)) == ["95", "96", "97", "98", "99"])
    }

    @Test func lineWithoutAnEnd_standsInItsPlace_andTakesNoneOfANewerOne() throws {
        let (web, db) = (file("web"), file("db"))
        try append(web, entry(1, "begun") + entry(2, "password: ", partial: true))
        try append(web, entry(3, "beside it", run: RunID(second: 1, count: 2)))
        for second in 4..<7 { try append(db, entry(Int64(second), "\(second)")) }
        func shown(_ query: LogQuery) throws -> [String] {
            var texts: [String] = []
            try LogReader(directory: home.path).open(nil, query).read(showingUnfinished: true) {
                texts.append($0.text)
                return true
            }
            return texts
        }
        #expect(try shown(LogQuery(last: 3)) == ["4", "5", "6"])
        #expect(try shown(LogQuery(last: 5)) == ["password: ", "beside it", "4", "5", "6"])
        #expect(try shown(LogQuery(last: 100)) == ["begun", "password: ", "beside it", "4", "5", "6"])
        #expect(try shown(LogQuery()) == ["begun", "beside it", "password: ", "4", "5", "6"])
    }

    @Test func partialEntries_areJoinedByRunAndStream() throws {
        let web = file("web")
        let other = RunID(second: 1, count: 2)
        try append(web, entry(1, "one ", partial: true) + entry(2, "other ", run: other, partial: true))
        try append(web, entry(3, "whole of another stream", run: RunID(second: 1, count: 3)))
        try append(web, entry(4, "two ", partial: true) + entry(5, "three") + entry(6, "end", run: other))
        try append(web, entry(7, "no end", partial: true))
        #expect(try texts() == ["whole of another stream", "one two three", "other end", "no end"])
        #expect(try texts(nil, LogQuery(last: 1)) == ["other end", "no end"])
    }

    @Test func query_narrowsByTimeSourceAndText() throws {
        let web = file("web")
        for second in 0..<100 {
            try append(web, entry(Int64(second), "Line \(second)", second % 2 == 0 ? .info : .error))
        }
        try append(
            web, EntryFormat.entry(WallStamp(microseconds: 200_000_000), run, .child(.stderr), .info, text: "err"))
        func stamp(_ second: Int64) -> WallStamp { WallStamp(microseconds: second * 1_000_000) }
        #expect(try texts(nil, LogQuery(since: stamp(10), until: stamp(12))) == ["Line 10", "Line 11", "Line 12"])
        #expect(try texts(nil, LogQuery(last: 2, until: stamp(50))) == ["Line 49", "Line 50"])
        #expect(try texts(nil, LogQuery(source: .child(.stderr))) == ["err"])
        #expect(try texts(nil, LogQuery(pattern: LogPattern(text: "line 9"))) == [])
        #expect(try texts(nil, LogQuery(level: .error, pattern: LogPattern(text: "line 9", caseless: true))).count == 6)
        #expect(try texts(nil, LogQuery(last: 1, pattern: LogPattern(text: "Line 3"))) == ["Line 39"])
        #expect(try texts(nil, LogQuery(pattern: LogPattern(expression: "e [0-9]$"))).count == 10)
    }

    @Test func pattern_looksAtTheWholeLine() throws {
        let web = file("web")
        try append(web, entry(1, "one two", partial: true) + entry(2, "three four", partial: true) + entry(3, " five"))
        #expect(try texts(nil, LogQuery(pattern: LogPattern(text: "twothree"))) == ["one twothree four five"])
        #expect(try texts(nil, LogQuery(last: 1, pattern: LogPattern(text: "one"))) == ["one twothree four five"])
    }

    @Test func pattern_isByBytesAndBounded() throws {
        #expect(LogPattern(text: "").matches([]) && LogPattern(text: "ä").matches(Array("xäy".utf8)))
        #expect(!LogPattern(text: "a.c").matches(Array("abc".utf8)))
        let expression = try LogPattern(expression: "a.c|^$", caseless: true)
        #expect(
            expression.matches(Array("xABCx".utf8)) && expression.matches([]) && !expression.matches(Array("x".utf8)))
        #expect(expression.matches([0x00, 0x61, 0x78, 0x63]), "a NUL does not end the line")
        #expect(throws: LogPattern.Refusal.self) { try LogPattern(expression: "(a") }
        #expect(throws: LogPattern.Refusal.self) { try LogPattern(expression: #"(a)\1"#) }
        #expect(throws: LogPattern.Refusal.self) { try LogPattern(expression: String(repeating: "a", count: 1025)) }
        #expect(try LogPattern(expression: #"\\1"#).matches(Array(#"\1"#.utf8)))
    }

    @Test func directionMarksAndControls_cannotActOnATerminal() throws {
        try append(file("web"), entry(1, "a\u{202E}b\u{1B}[2Jc\u{85}d\u{2066}e\tf"))
        #expect(try texts() == ["a\u{FFFD}bc\u{FFFD}d\u{FFFD}e\tf"])
    }

    @Test func linesThatAreNoEntries_arePassedOver() throws {
        try append(file("web"), entry(1, "a"))
        let torn = Array(entry(3, "torn").dropLast())
        let content = try kernel.readFile(home.path + "/web/current", limit: 1 << 20)
        try kernel.replaceFile(
            home.path + "/web/current", with: Array("garbage\n\n".utf8) + content + entry(2, "b") + torn, mode: 0o600)
        #expect(try texts() == ["a", "b"])
    }

    /// In bounded memory: whatever is longer than any line is passed over as it is read.
    @Test func whatNeverEnds_isPassedOver_andLinesAroundItAreRead() throws {
        try append(file("web"), entry(1, "a"))
        let content = try kernel.readFile(home.path + "/web/current", limit: 1 << 20)
        let endless = [UInt8](repeating: 0, count: 3 * BackwardLines.lineLimit + 5) + [0x0A]
        try kernel.replaceFile(
            home.path + "/web/current", with: content + endless + entry(2, "b") + entry(3, "c"), mode: 0o600)
        #expect(try texts() == ["a", "b", "c"])
        #expect(try texts(nil, LogQuery(last: 1)) == ["c"])
        #expect(try texts(nil, LogQuery(last: 9)) == ["b", "c"], "from the end nothing is looked for beyond it")
    }

    @Test func follower_seesEveryLineOverRotations() throws {
        let web = file("web")
        try append(web, entry(0, "old"))
        let session = try LogReader(directory: home.path).open(nil, LogQuery(last: 0))
        #expect(texts(of: session) == [])
        var expected: [String] = []
        var seen: [String] = []
        for second in 1..<6000 {
            try append(web, entry(Int64(second), "\(second)"))
            expected.append("\(second)")
            // Often within a file, and sometimes only after several rotations.
            if second % 7 == 0, second < 2000 || second > 5500 { seen += texts(of: session) }
        }
        // A child that begins later is followed too.
        try append(file("late"), entry(7000, "late"))
        seen += texts(of: session)
        #expect(seen == expected + ["late"])
        #expect(texts(of: session) == [])
    }

    @Test func follower_readsATornLineOnlyWhenItIsWhole() throws {
        try append(file("web"), entry(0, "old"))
        let session = try LogReader(directory: home.path).open(["web"])
        #expect(texts(of: session) == ["old"])
        let bytes = entry(1, "new")
        let fd = try kernel.open(home.path + "/web/current", [.writeOnly, .append], mode: 0)
        for byte in bytes.dropLast() {
            try kernel.writeAll(fd, [byte])
            #expect(texts(of: session) == [])
        }
        try kernel.writeAll(fd, [0x0A])
        #expect(texts(of: session) == ["new"])
    }

    @Test func stoppedReading_goesOnWhereItWas() throws {
        let web = file("web")
        for second in 0..<10 { try append(web, entry(Int64(second), "\(second)")) }
        let session = try LogReader(directory: home.path).open()
        var first: [String] = []
        session.read {
            first.append($0.text)
            return first.count < 4
        }
        #expect(first == ["0", "1", "2", "3"] && texts(of: session) == ["4", "5", "6", "7", "8", "9"])
    }

    @Test func missingLogs_areAnErrorOrEmpty() throws {
        #expect(throws: Errno.noEntry) { try LogReader(directory: home.path + "/none").open() }
        #expect(try texts(["none"]) == [])
    }
}

import ControlClient
import Testing
import Wire

@Suite(.timeLimit(.minutes(1)))
struct ScreenTests {
    private func frame(_ columns: Int, _ rows: Int, body: Int, offset: Int = 0) -> ScreenFrame {
        var frame = ScreenFrame(columns: columns, rows: rows)
        frame.head = ["head", "", "NAME"]
        frame.body = (0..<body).map { "line \($0)" }
        frame.footer = "q quits"
        frame.offset = offset
        frame.settle()
        return frame
    }

    @Test func everySize_isFilledAndNeverLeft() {
        for columns in 1...30 {
            for rows in 1...30 {
                for body in [0, 1, 5, 100] {
                    let frame = frame(columns, rows, body: body)
                    #expect(frame.lines.count == rows, "\(columns)x\(rows), \(body) lines")
                    #expect(frame.lines.allSatisfy { $0.count <= columns })
                    #expect(frame.drawing.split(separator: "\r\n", omittingEmptySubsequences: false).count == rows)
                }
            }
        }
    }

    @Test func body_scrollsAsFarAsThereIsSomething() {
        var frame = frame(40, 10, body: 20)
        #expect(frame.bodyRows == 6 && frame.isCut)
        frame.scroll(by: -5)
        #expect(frame.offset == 0)
        frame.scroll(by: 1000)
        #expect(frame.offset == 14 && frame.lines[3...8] == (14...19).map { "line \($0)" }[...])
        #expect(frame.lines.last == "q quits")
    }

    @Test func lowTerminal_keepsTheBodyAndTheFooter() {
        #expect(frame(40, 4, body: 9).lines == ["line 0", "line 1", "line 2", "q quits"])
        #expect(frame(40, 1, body: 9).lines == ["q quits"])
    }

    @Test(arguments: [
        ("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("abcdef", 1, "…"), ("", 3, ""), ("abc", 0, ""),
        ("\u{1B}[31mabc\u{1B}[0m", 3, "\u{1B}[31mabc\u{1B}[0m"),
        ("\u{1B}[31mabcd\u{1B}[0m", 3, "\u{1B}[31mab…\u{1B}[0m"),
    ])
    func line_isCutAtTheEdge_andItsStyleClosed(line: String, columns: Int, cut: String) {
        #expect(Terminal.cut(line, to: columns) == cut)
    }

    /// Behind the last column a terminal's cursor stands on it still: erasing from there would take the last character.
    @Test func lineAsWideAsTheTerminal_isNotErasedBehindIt() {
        var frame = frame(10, 6, body: 3)
        frame.body[1] = "exactly ten and more"
        let lines = frame.drawing.dropFirst("\u{1B}[H".count).split(
            separator: "\r\n", omittingEmptySubsequences: false)
        #expect(lines.contains("\u{1B}[Kexactly t…"))
        for line in lines { #expect(line.hasPrefix("\u{1B}[K") && !line.dropFirst(3).contains("\u{1B}[K")) }
        #expect(!frame.drawing.contains("\u{1B}[J"))
    }

    @Test func parts_areWrappedBetweenThem() {
        #expect(
            Terminal.wrapped(["nexus 1", "pid 7", "running"], separator: " · ", columns: 16)
                == ["nexus 1 · pid 7", "running"])
        #expect(Terminal.wrapped(["far too long"], separator: " · ", columns: 4) == ["far too long"])
    }
}

@Suite(.timeLimit(.minutes(1)))
struct EndedRunTests {
    private func end(_ run: String, _ ended: Int64, exit: String = "exit 1") throws -> EndedRun {
        let json = #"{"run":"\#(run)","ended_ms":\#(ended),"exit":"\#(exit)"}"#
        return try #require(EndedRun(child: "web", try JSONParser.parse(Array(json.utf8))))
    }

    @Test func sources_areMergedByRun_theFirstCounts_sortedByTheirEnd() throws {
        let merged = [EndedRun](merging: [
            [try end("1-3", 30), try end("1-2", 20, exit: "exit 2")], [try end("1-2", 21), try end("1-1", 10)],
        ])
        #expect(merged.map(\.run) == ["1-1", "1-2", "1-3"])
        #expect(merged[1].exit == "exit 2")
    }

    @Test func detailOfAnEnd_isShown_whoeverKnowsIt() throws {
        let facts = #"{"CAUSE":"probe","EXIT":"signal 15 (TERM)","DETAIL":"not ready within 2 s"}"#
        let written = EndedRun(
            child: "web", run: "1-1", started: nil, ended: WallTime(rfc3339: "2026-11-23T04:20:55Z")!, words: "",
            facts: try JSONParser.parse(Array(facts.utf8)))
        let merged = [EndedRun](merging: [[try end("1-1", 30)], [written]])
        #expect(merged.count == 1 && merged[0].json["detail"]?.text == "not ready within 2 s")
        #expect(merged.table(for: .plain).contains("exit 1: not ready within 2 s"))
        let json = #"{"run":"1-2","ended_ms":1,"exit":"exit 1","detail":"3 misses in a row"}"#
        let told = try #require(EndedRun(child: "web", try JSONParser.parse(Array(json.utf8))))
        #expect([told].table(for: .plain).contains("exit 1: 3 misses in a row"))
        #expect(try end("1-3", 1).json["detail"] == .null)
    }

    /// How it ended says most: what else there is gives way, and a name only in its own row.
    @Test(arguments: [80, 100, 120]) func narrowTerminal_saysOfEveryRunHowItEnded(columns: Int) throws {
        let long = String(repeating: "n", count: 32)
        let exits = ["exit 1", "signal 15 (TERM)", "exec: No such file or directory (ENOENT)"]
        let ends = try ["a", "middling", long].enumerated().map { number, name in
            let json =
                #"{"run":"6743f2a1-\#(number)","ended_ms":1,"cause":"dependency","exit":"\#(exits[number])","ran_ms":119000}"#
            return try #require(EndedRun(child: name, try JSONParser.parse(Array(json.utf8))))
        }
        let rows = ends.table(for: Terminal(colour: false, columns: columns)).split(separator: "\n").dropFirst()
        #expect(rows.count == 3 && rows.allSatisfy { $0.count <= columns })
        for (row, how) in zip(rows, ["exit 1", "signal 15 (TERM)", "exec: No such file or d"]) {
            #expect(row.contains(how), "\(row)")
        }
        for (row, name) in zip(rows, ["  a ", "  middling ", "  nnnnnnnn"]) { #expect(row.contains(name), "\(row)") }
        #expect(ends.table(for: .plain).contains(long), "a file has room")
    }

    @Test func endOfLogWriterItself_hasTheTimeFromTheBook() throws {
        let facts = try JSONParser.parse(Array(#"{"CAUSE":"asked","EXIT":"drained"}"#.utf8))
        let end = EndedRun(
            child: "log-writer", run: "1-1", started: WallTime(rfc3339: "2026-11-23T04:20:53Z"),
            ended: WallTime(rfc3339: "2026-11-23T04:20:55Z")!, words: "…", facts: facts)
        #expect(end.ran == .seconds(2) && end.cause == "asked" && end.exit == "drained")
    }

    /// Its end was written down by the next nexusd, which cannot know when it was.
    @Test func endThatNobodySaw_hasItsWords_andNoTime() {
        let end = EndedRun(
            child: "web", run: "1-1", started: WallTime(rfc3339: "2026-11-23T04:20:53Z"),
            ended: WallTime(rfc3339: "2026-11-23T04:20:55Z")!, words: "unknown, supervisor died", facts: nil)
        #expect(end.ran == nil && end.cause == "unknown" && end.exit == "unknown, supervisor died")
    }

    @Test(
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (10_240, "10 KiB"), (44_040_192, "42 MiB"),
            (Int64.max, "8388607 TiB"),
        ] as [(Int64, String)])
    func bytes_areSpoken(bytes: Int64, words: String) { #expect(ByteText.spoken(bytes) == words) }
}

import Chance
import SupervisorCore
import Testing
import Wire

@testable import LogStore

@Suite("Cutting bytes into entries") struct LineFormatterTests {
    private let prefix = EntryFormat.prefix(
        WallStamp(microseconds: 0), RunID(second: 1, count: 2), .child(.stdout))

    /// What a formatter makes of bytes: texts, which are partial, and how many bytes it took.
    private func format(
        _ formatter: inout LineFormatter, _ bytes: [UInt8], _ remainder: LineFormatter.Remainder = .stays,
        room: Int = 1 << 20
    ) -> (lines: [String], consumed: Int) {
        let target = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 16)
        defer { target.deallocate() }
        let result = bytes.withUnsafeBytes {
            formatter.format($0, remainder: remainder, prefix: prefix, into: target) { _, _ in }
        }
        let lines = target[..<result.written].split(separator: 0x0A).map { line -> String in
            let entry = LogEntry(line: UnsafeRawBufferPointer(rebasing: line), child: "c")
            return entry.map { String(decoding: $0.bytes, as: UTF8.self) + ($0.isPartial ? "+" : "") } ?? "?"
        }
        #expect(lines.count == result.lines)
        return (lines, result.consumed)
    }

    private func formatter(pipe: Int = 65_536, _ secrets: [String] = []) -> LineFormatter {
        LineFormatter(pipeBytes: pipe, redaction: Redaction(secrets))
    }

    @Test func wholeLines_areTakenAndTheRestStays() {
        var lines = formatter()
        #expect(format(&lines, Array("a\n\nb\nhalf".utf8)) == (["a", "", "b"], 5))
        #expect(format(&lines, Array("half".utf8), .isOld) == (["half+"], 4))
        #expect(
            format(&lines, Array(" line\nnew half".utf8), .isOld) == ([" line"], 6),
            "what is behind a new newline is new")
        #expect(format(&lines, Array("new half".utf8), .isLast) == (["new half"], 8))
    }

    @Test func lineAboveTheBound_isCutBetweenScalars() {
        var lines = formatter(pipe: 4096)
        #expect(lines.bound == 1024)
        let line = Array(String(repeating: "€", count: 500).utf8)
        let (parts, consumed) = format(&lines, line + [0x0A])
        #expect(consumed == line.count + 1 && parts.count == 2)
        #expect(parts[0] == String(repeating: "€", count: 341) + "+" && parts[1] == String(repeating: "€", count: 159))
    }

    @Test func restBehindACut_isTakenWithIt() {
        var lines = formatter(pipe: 4096)
        #expect(format(&lines, [UInt8](repeating: 0x61, count: 1025)).consumed == 1025)
    }

    @Test func halfScalar_waitsForItsRest() {
        var lines = formatter()
        #expect(format(&lines, [0x61, 0xE2, 0x82], .isOld) == (["a+"], 1))
        #expect(format(&lines, [0xE2, 0x82], .isOld).consumed == 0)
        #expect(format(&lines, [0xE2, 0x82, 0xAC, 0x0A]) == (["€"], 4))
        #expect(format(&lines, [0xFF, 0xFF], .isOld).consumed == 2, "bytes that are no UTF-8 wait for nothing")
    }

    @Test func fullTarget_leavesTheRestInThePipe() {
        var lines = formatter()
        let entry = prefix.count + 2
        #expect(format(&lines, Array("a\nb\nc\n".utf8), room: 2 * entry) == (["a", "b"], 4))
    }

    @Test func beyondItsAllowance_linesAreCountedAndTaken() {
        var lines = formatter(pipe: 4096)
        let long = [UInt8](repeating: 0x61, count: 1030)
        let (texts, result) = format(&lines, Array("a\nb\n".utf8) + long + Array("\nc\nhalf".utf8), allowance: 3)
        #expect(
            texts == ["a", "b", String(repeating: "a", count: 1024) + "+", ""], "a line cut in its middle ends there")
        #expect(result.lines == 3 && result.suppressed == 2 && result.consumed == 4 + 1031 + 2)
        let again = format(&lines, Array("half\nnext\n".utf8), allowance: 1)
        #expect(again.0 == ["half"] && again.1.suppressed == 1 && again.1.consumed == 10)
        #expect(format(&lines, Array("x\ny\n".utf8), allowance: 0).1.written == 0)
    }

    private func format(
        _ formatter: inout LineFormatter, _ bytes: [UInt8], allowance: Int
    ) -> ([String], LineFormatter.Result) {
        let target = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { target.deallocate() }
        let result = bytes.withUnsafeBytes {
            formatter.format($0, remainder: .stays, prefix: prefix, into: target, allowance: allowance) { _, _ in }
        }
        let texts = target[..<result.written].split(separator: 0x0A).map { line -> String in
            let entry = LogEntry(line: UnsafeRawBufferPointer(rebasing: line), child: "c")
            return entry.map { String(decoding: $0.bytes, as: UTF8.self) + ($0.isPartial ? "+" : "") } ?? "?"
        }
        return (texts, result)
    }

    @Test func lastLineThatBreaksOffInASecret_tellsNothingOfIt() {
        var lines = formatter(["hunter2hunter2"])
        #expect(format(&lines, Array("say hunter2h".utf8), .isLast).lines == ["say [redacted]"])
        #expect(format(&lines, Array("say hunt".utf8), .isLast).lines == ["say hunt"], "as short as any word")
    }

    @Test func levelOfALine_isThatOfItsParts() {
        var lines = formatter()
        let target = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
        defer { target.deallocate() }
        for (text, remainder) in [
            ("<3>part ", LineFormatter.Remainder.isOld), ("<5>rest\n", .stays), ("plain\n", .stays),
        ] {
            let result = Array(text.utf8).withUnsafeBytes {
                lines.format($0, remainder: remainder, prefix: prefix, into: target) { _, _ in }
            }
            let entry = LogEntry(line: UnsafeRawBufferPointer(rebasing: target[..<(result.written - 1)]), child: "c")
            #expect(entry?.level == (text == "plain\n" ? .info : .error))
            #expect(entry?.message == (text == "<3>part " ? "part " : text == "plain\n" ? "plain" : "<5>rest"))
        }
    }

    @Test func anySplitOfAnyBytes_losesNothing() {
        let seed = Chance.seed()
        var random = SplitMix(seed: seed)
        for _ in 0..<300 {
            let count = Int.random(in: 0...9000, using: &random)
            let alphabet: [UInt8] = [0x0A, 0x61, 0x62, 0xC3, 0xA4, 0xE2, 0x82, 0xAC, 0x00, 0xFF]
            let bytes = (0..<count).map { _ in
                Int.random(in: 0..<60, using: &random) == 0 ? 0x0A : alphabet.dropFirst().randomElement(using: &random)!
            }
            var lines = formatter(pipe: 4096)
            var pipe: [UInt8] = []
            var rest = bytes[...]
            var joined: [UInt8] = []
            while !rest.isEmpty || !pipe.isEmpty {
                let more = rest.prefix(Int.random(in: 0...3000, using: &random))
                rest = rest.dropFirst(more.count)
                pipe += more
                let rule: LineFormatter.Remainder =
                    rest.isEmpty ? .isLast : Bool.random(using: &random) ? .isOld : .stays
                let (texts, consumed) = collect(&lines, pipe, rule)
                joined += texts
                pipe.removeFirst(consumed)
            }
            #expect(joined == (bytes.isEmpty || bytes.last == 0x0A ? bytes : bytes + [0x0A]))
        }
    }

    /// The texts with a newline where a line ends.
    private func collect(
        _ formatter: inout LineFormatter, _ bytes: [UInt8], _ rule: LineFormatter.Remainder
    ) -> ([UInt8], Int) {
        let target = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { target.deallocate() }
        let result = bytes.withUnsafeBytes {
            formatter.format($0, remainder: rule, prefix: prefix, into: target) { _, _ in }
        }
        var joined: [UInt8] = []
        for line in target[..<result.written].split(separator: 0x0A) {
            guard let entry = LogEntry(line: UnsafeRawBufferPointer(rebasing: line), child: "c") else { continue }
            joined += entry.bytes + (entry.isPartial ? [] : [0x0A])
        }
        return (joined, result.consumed)
    }
}

@Suite("Redaction") struct RedactionTests {
    private func redact(_ secrets: [String], _ line: String) -> String? {
        Array(line.utf8).withUnsafeBytes { Redaction(secrets).redacted($0) }.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func secrets_areReplacedWhereverTheyStand() {
        #expect(redact(["geheim"], "geheim x geheimgeheim") == "[redacted] x [redacted][redacted]")
        #expect(redact(["geheim"], "nothing here") == nil)
        #expect(redact(["abcdef", "abcdefgh"], "abcdefgh abcdef") == "[redacted] [redacted]", "the longer one first")
        #expect(
            redact(["line one\nline two"], "say line two") == "say [redacted]",
            "a secret of several lines is printed by lines")
    }

    @Test func shortSecret_isNotLookedFor() {
        #expect(redact(["abcde", ""], "abcde") == nil)
        #expect(Redaction(["abcde", "a\nb"]).isEmpty && !Redaction(["abcdef"]).isEmpty)
    }

    @Test func longSecret_isLookedForPieceByPiece() {
        let secret = (0..<380).map(String.init).joined()
        #expect(secret.utf8.count == 1030)
        #expect(redact([secret], "a\(secret)b") == "a[redacted][redacted][redacted]b")
        #expect(redact([secret], "a\(secret.prefix(400))") == "a[redacted]\(secret.prefix(400).dropFirst(343))")
    }

    @Test func encodedSecret_isNotKnown() {
        #expect(redact(["hunter2hunter2"], "aHVudGVyMmh1bnRlcjI=") == nil, "docs/logs.md says so")
    }

    @Test func beginningOfASecret_isHeldBack() {
        let redaction = Redaction(["hunter2", "unterhalt"])
        func held(_ text: String) -> Int { Array(text.utf8).withUnsafeBytes { redaction.heldBack($0) } }
        #expect(
            held("say hunt") == 4 && held("hunter2") == 0 && held("") == 0 && held("xunterha") == 7 && held("h") == 1)
    }
}

import Chance
import ControlClient
import Testing

/// Keys as a terminal sends them in; line and cursor out.
@Suite(.timeLimit(.minutes(1)))
struct EditingTests {
    /// Types bytes; `|` in the result is the cursor. Entered lines come first, each with `⏎`.
    private func typed(_ bytes: String, byteLimit: Int = 60_000) -> String {
        var reader = KeyReader(pasteLimit: byteLimit)
        var editor = LineEditor(byteLimit: byteLimit)
        var result = ""
        for key in reader.read(Array(bytes.utf8)) {
            switch editor.take(key) {
            case .editing: break
            case .entered(let line): result += line + "⏎"
            case .redraw: result += "<clear>"
            case .ended: result += "<end>"
            case .full: result += "<full>"
            }
        }
        let characters = editor.characters
        return result + String(characters[..<editor.cursor]) + "|" + String(characters[editor.cursor...])
    }

    @Test(arguments: [
        ("abc", "abc|"), ("abc\u{1B}[D\u{1B}[Dx", "ax|bc"), ("abc\u{1B}OD\u{1B}OC", "abc|"), ("\u{1B}[D\u{1B}[C", "|"),
        ("abc\u{1}x", "x|abc"), ("abc\u{1B}[Hx\u{1B}[Fy", "xabcy|"), ("abc\u{1B}[1~x\u{1B}[4~y", "xabcy|"),
        ("abc\u{1}\u{5}d", "abcd|"), ("abc\u{7F}", "ab|"), ("abc\u{8}", "ab|"), ("\u{7F}", "|"),
        ("abc\u{1}\u{1B}[3~", "|bc"), ("abc\u{1B}[3~", "abc|"), ("abc\u{1}\u{4}", "|bc"), ("\u{4}", "<end>|"),
        ("one two\u{1B}[D\u{1B}[D\u{B}", "one t|"), ("one two\u{1B}[D\u{15}", "|o"), ("one two \u{17}", "one |"),
        ("one two\u{17}\u{17}\u{17}", "|"), ("one two\u{1B}b\u{1B}bx", "x|one two"),
        ("one two\u{1}\u{1B}fx", "onex| two"),
        ("one two\u{1B}[1;5D|", "one ||two"), ("a\u{C}b", "<clear>ab|"), ("hi\r", "hi⏎|"), ("hi\nho", "hi⏎ho|"),
        ("a\u{1B}\rb", "a\nb|"), ("a\u{2}b\u{6}c", "bac|"),
    ])
    func keys_moveEraseAndInsert(_ bytes: String, _ expected: String) { #expect(typed(bytes) == expected) }

    @Test(arguments: [
        ("grün\u{7F}", "grü|"), ("日本\u{1B}[Dx", "日x|本"), ("e\u{301}\u{7F}", "|"), ("👩‍👩‍👧x\u{1B}[D\u{7F}", "|x"),
        ("a\u{1B}[De\u{301}", "é|a"),
    ])
    func whatIsOneCharacter_isOneStep(_ bytes: String, _ expected: String) {
        #expect(typed(bytes).precomposed == expected.precomposed)
    }

    @Test func upAndDown_bringBackLinesAndTheOneBeingWritten() {
        #expect(typed("one\rtwo\rdra\u{1B}[A") == "one⏎two⏎two|")
        #expect(typed("one\rtwo\rdra\u{1B}[A\u{1B}[A\u{1B}[A") == "one⏎two⏎one|")
        #expect(typed("one\rtwo\rdra\u{10}\u{10}\u{E}\u{E}\u{E}") == "one⏎two⏎dra|")
        #expect(typed("one\r\u{1B}[A!\r\u{1B}[A\u{1B}[A") == "one⏎one!⏎one|")
        #expect(typed("one\rone\r \r\u{1B}[A\u{1B}[A") == "one⏎one⏎ ⏎one|")
    }

    @Test func paste_isOneMessageWithItsNewlines() {
        let paste = "\u{1B}[200~a\r\nb\rc\n\u{3}d\u{1B}[201~"
        #expect(typed("x" + paste + "y\r") == "xa\nb\nc\n\u{3}dy⏎|")
        #expect(typed("\u{1B}[200~\u{1B}[201~") == "|")
        let long = String(repeating: "z", count: 50)
        #expect(typed("a\u{1B}[200~\(long)\u{1B}[201~b", byteLimit: 20) == "<full>ab|")
        #expect(typed("\u{1B}[200~\(long)\u{1B}[201~", byteLimit: 50) == long + "|")
        #expect(typed("a\u{1B}[200~\(long)\u{1B}[201~b", byteLimit: 50) == "a<full>b|".replacingFull)
    }

    @Test func lineAtItsLimit_takesNothingMore() { #expect(typed("abcdü", byteLimit: 5) == "<full>abcd|") }

    @Test func unknownSequences_areLeftOut() {
        #expect(typed("a\u{1B}[15~b\u{1B}[99;1Xc\u{1B}zd\u{0}\u{1A}e") == "abcde|")
        #expect(typed("a\u{1B}[" + String(repeating: "1", count: 40)) == "a|")
    }

    @Test func bytesInAnyPieces_areTheSameKeys() {
        let bytes = Array("aü日\u{1B}[D\u{1B}[1;5C\u{1B}[200~x\ny\u{1B}[201~\u{1B}\rz\u{7F}".utf8)
        var whole = KeyReader(pasteLimit: 100)
        let expected = whole.read(bytes)
        #expect(expected.count == 9)
        for size in 1...bytes.count {
            var reader = KeyReader(pasteLimit: 100)
            var keys: [Keystroke] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                keys += reader.read(bytes[start..<min(start + size, bytes.count)])
            }
            #expect(keys == expected, "pieces of \(size)")
        }
    }

    @Test func randomBytes_neverBreakTheEditor() {
        let seed = Chance.seed()
        var state = seed
        func random(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        var reader = KeyReader(pasteLimit: 100)
        var editor = LineEditor(byteLimit: 200)
        var view = LineView(prompt: "> ")
        let likely = Array("\u{1B}[ABCDH~200;13ü日\r\u{1}\u{4}\u{B}\u{17}\u{7F} e\u{301}".utf8)
        for _ in 0..<20_000 {
            let byte = random(4) == 0 ? UInt8(random(256)) : likely[Int(random(UInt64(likely.count)))]
            for key in reader.read([byte]) { _ = editor.take(key) }
            #expect((0...editor.characters.count).contains(editor.cursor), "seed \(seed)")
            #expect(editor.text.utf8.count <= 200, "seed \(seed)")
            _ = view.drawn(
                editor.characters, cursor: editor.cursor, columns: Int(random(20)), rows: Int(random(5)))
        }
    }

    @Test func loneEscape_isForgottenAfterSilence() {
        var reader = KeyReader(pasteLimit: 100)
        #expect(reader.read([0x1B]).isEmpty)
        #expect(reader.isInSequence)
        reader.giveUpSequence()
        #expect(reader.read(Array("[A".utf8)) == [.character("["), .character("A")])
    }

    @Test func ctrlC_dropsTheLineAndSaysWhetherThereWasOne() {
        var editor = LineEditor(byteLimit: 10)
        let hadNone = editor.clear()
        _ = editor.take(.character("a"))
        let hadOne = editor.clear()
        #expect(!hadNone && hadOne)
        #expect(editor.characters.isEmpty && editor.cursor == 0)
    }
}

extension String {
    /// What does not fit into the rest of the line is refused at its end.
    fileprivate var replacingFull: String { "<full>" + split(separator: "<full>").joined() }

    /// Swift compares by canonical equivalence already; this only makes the intent plain.
    fileprivate var precomposed: String { self }
}

/// A terminal's screen, as far as `LineView` draws on it.
private struct TinyScreen {
    let columns: Int
    var rows: [[Character]]
    var row = 0
    var column = 0

    init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = Array(repeating: [], count: rows)
    }

    mutating func write(_ text: String) {
        var rest = Array(text)[...]
        while let character = rest.popFirst() {
            switch character {
            case "\r": column = 0
            case "\r\n", "\n":
                if character == "\r\n" { column = 0 }
                row += 1
                if row == rows.count { rows.removeFirst(); rows.append([]); row -= 1 }
            case "\u{1B}":
                _ = rest.popFirst()
                var number = ""
                while let digit = rest.first, digit.isNumber { number.append(digit); rest.removeFirst() }
                control(rest.popFirst() ?? " ", Int(number) ?? 1)
            case _: put(character)
            }
        }
    }

    private mutating func put(_ character: Character) {
        let width = character.unicodeScalars.first!.value > 0x2E80 ? 2 : 1
        #expect(column + width <= columns, "the terminal would wrap by itself")
        while rows[row].count < column { rows[row].append(" ") }
        rows[row].removeSubrange(column..<min(column + width, rows[row].count))
        rows[row].insert(contentsOf: width == 2 ? [character, "␣"] : [character], at: column)
        column += width
    }

    private mutating func control(_ final: Character, _ number: Int) {
        switch final {
        case "A": row = max(0, row - number)
        case "C": column = min(columns - 1, column + number)
        case "J":
            rows[row].removeSubrange(min(column, rows[row].count)...)
            for below in rows.indices.dropFirst(row + 1) { rows[below] = [] }
        case _: break
        }
    }

    var text: [String] { rows.map { String($0.filter { $0 != "␣" }) } }
}

@Suite(.timeLimit(.minutes(1)))
struct LineViewTests {
    @Test func longLine_takesRowsAndTheCursorIsWhereItBelongs() {
        var screen = TinyScreen(columns: 8, rows: 5)
        var view = LineView(prompt: "> ")
        screen.write(view.drawn(Array("abcdefgh"), cursor: 8, columns: 8, rows: 5))
        #expect(screen.text.prefix(3) == ["> abcdef", "  gh", ""])
        #expect(screen.row == 1 && screen.column == 4)
        screen.write(view.drawn(Array("abcdefgh"), cursor: 1, columns: 8, rows: 5))
        #expect(screen.row == 0 && screen.column == 3)
        screen.write(view.drawn(Array("abcdefgh"), cursor: 6, columns: 8, rows: 5))
        #expect(screen.row == 1 && screen.column == 2)
        screen.write(view.drawn(Array("ab"), cursor: 2, columns: 8, rows: 5))
        #expect(screen.text.prefix(2) == ["> ab", ""])
        screen.write(view.finished(Array("ab"), columns: 8, rows: 5))
        #expect(screen.row == 1 && screen.column == 0)
    }

    @Test func fullRow_putsTheCursorOnTheNext() {
        var screen = TinyScreen(columns: 8, rows: 5)
        var view = LineView(prompt: "> ")
        screen.write(view.drawn(Array("abcdef"), cursor: 6, columns: 8, rows: 5))
        #expect(screen.row == 1 && screen.column == 2)
        screen.write(view.drawn(Array("abcde"), cursor: 5, columns: 8, rows: 5))
        #expect(screen.text.prefix(2) == ["> abcde", ""])
        #expect(screen.row == 0 && screen.column == 7)
    }

    @Test func wideCharacters_takeTwoColumnsAndAreNeverCut() {
        var screen = TinyScreen(columns: 8, rows: 5)
        var view = LineView(prompt: "> ")
        screen.write(view.drawn(Array("a日本語x"), cursor: 3, columns: 8, rows: 5))
        #expect(screen.text.prefix(2) == ["> a日本", "  語x"])
        #expect(screen.row == 1 && screen.column == 2)
        screen.write(view.drawn(Array("a日本語x"), cursor: 2, columns: 8, rows: 5))
        #expect(screen.row == 0 && screen.column == 5)
    }

    @Test func newlinesAndControls_areShownHarmless() {
        var screen = TinyScreen(columns: 20, rows: 5)
        var view = LineView(prompt: "> ")
        screen.write(view.drawn(Array("one\ntwo\u{1B}[2Jx\ty"), cursor: 3, columns: 20, rows: 5))
        #expect(screen.text.prefix(2) == ["> one", "  two·[2Jx y"])
        #expect(screen.row == 0 && screen.column == 5)
    }

    @Test func textAboveTheScreen_showsThePartWithTheCursor() {
        var screen = TinyScreen(columns: 8, rows: 3)
        var view = LineView(prompt: "> ")
        let lines = Array("1\n2\n3\n4\n5")
        screen.write(view.drawn(lines, cursor: lines.count, columns: 8, rows: 3))
        #expect(screen.text == ["  3", "  4", "  5"])
        screen.write(view.drawn(lines, cursor: 0, columns: 8, rows: 3))
        #expect(screen.text == ["> 1", "  2", "  3"])
        #expect(screen.row == 0 && screen.column == 2)
    }
}

import Testing
import Wire

@Suite struct EscapeSequenceTests {
    @Test(arguments: [
        ("red", "red"), ("\u{1B}[31mred\u{1B}[0m", "red"), ("a\u{9B}1;2Hb", "ab"), ("\u{1B}[?25 qx", "x"),
        ("\u{1B}]0;title\u{7}a\u{1B}]8;;http://x\u{1B}\\b\u{9D}0;t\u{9C}c", "abc"), ("\u{1B}P1$r0m\u{1B}\\x", "x"),
        ("\u{1B}(Ba\u{1B}7b\u{1B}cc\u{1B}Md", "abcd"), ("ä\u{1B}[1mö", "äö"), ("\u{1B}]a\u{1B}[mb", "\u{1B}]ab"),
    ])
    func wholeSequences_areRemoved(text: String, shown: String) {
        #expect(EscapeSequence.removed(from: text) == shown)
    }

    /// Else whoever writes half of one hides what follows.
    @Test(arguments: [
        "\u{1B}", "a\u{1B}[31", "\u{1B}[3\u{1B}", "\u{1B}]0;no end of this line", "\u{1B}]0;a\nb\u{7}", "\u{1B}é",
        "\u{1B}(",
    ])
    func sequenceWithoutAnEnd_staysForWhoBlanksControls(text: String) {
        #expect(EscapeSequence.removed(from: text) == text)
    }

    /// Each would be looked through to the end of the line otherwise, in nexusd too: minutes for this one.
    @Test func manyStringsWithoutAnEnd_costNoMoreThanTheirLength() {
        let text = String(repeating: "\u{9D}", count: 500_000)
        #expect(EscapeSequence.removed(from: text) == text)
        #expect(EscapeSequence.removed(from: "\u{9D}a\u{9D}b\u{9C}c") == "\u{9D}ac")
    }
}

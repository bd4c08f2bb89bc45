import Testing
import Wire

@Suite(.timeLimit(.minutes(1))) struct ControlTextTests {
    @Test(arguments: [
        ("grün ✓ \\n", "grün ✓ \\n"), ("a\u{1B}[31mb", #"a\u001B[31mb"#), ("a\nb\r\tc", #"a\nb\r\tc"#),
        ("\0\u{7F}\u{9B}2J", #"\u0000\u007F\u009B2J"#), ("\u{202E}txt.exe\u{2066}", #"\u202Etxt.exe\u2066"#),
    ])
    func whatATerminalWouldActOn_isShownAsItIsWritten(_ text: String, _ shown: String) {
        #expect(ControlText.escaped(text) == shown)
        #expect(!ControlText.escaped(text).unicodeScalars.contains(where: ControlText.isUnsafe))
    }

    @Test func linesStayLines_whereThatIsMeant() {
        #expect(ControlText.escaped("a\n\tb", keepNewlines: true) == "a\n\\tb")
    }

    @Test func jsonOfOthers_staysTheSameDocument_andDrawsOnNoTerminal() {
        let written = "{\n\"a\": \"\u{9B}31m é\u{7F}\u{202E}\u{2066}\\u001b\"\n}"
        #expect(ControlText.json(written) == "{\n\"a\": \"\\u009b31m é\\u007f\\u202e\\u2066\\u001b\"\n}")
        #expect(ControlText.json("[1,\"é\"]\n") == "[1,\"é\"]\n")
    }
}

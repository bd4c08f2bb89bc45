import Testing

@testable import NexusConfiguration

/// What is said of a text that is no TOML, beyond the words of each mistake (Files/bad/syntax-…).
@Suite(.timeLimit(.minutes(1))) struct SyntaxTests {
    private func lines(_ text: String) -> [String] {
        FakeMachine().diagnostics(text).split(separator: "\n").map(String.init)
    }

    @Test func wrongLines_areToldTogether_upToTen_theLastSaysWhatIsNotKnown() {
        let said = lines("[child.a]\n" + String(repeating: "user = root\n", count: 30))
        #expect(said.count == 10)
        #expect(
            said.dropLast().allSatisfy { $0.hasSuffix("error: syntax: text stands in quotes: write user = \"root\"") })
        #expect(said.last?.hasSuffix("; what else may be wrong in the file is said when it can be read") == true)
    }

    /// Without its header, or the end of an array, nobody knows what the lines below would be.
    @Test(arguments: ["[child:a]\nuser = root\nnice = 05\n", "[child.a]\ncommand = [\nuser = root\nnice = 05\n"])
    func mistakeThatReachesFurther_isToldAlone(text: String) {
        #expect(lines(text).count == 1)
    }

    /// A line that is left out to find the next mistake takes no part in what is set twice.
    @Test func lineThatIsLeftOut_makesNoMistakeOfAnother() {
        #expect(lines("[child.a]\nnice = 05\nnice = 5\ncommand = [\"/bin/true\"]\n").count == 1)
    }

    @Test(arguments: [
        "[child.a]\nenvironment = { TOKEN = hunter2 }", "[child.a.environment]\nTOKEN = hunter2\n",
        "[child.a]\nenvironment.TOKEN = hunter2", "[child.a.environment]\nTOKEN: hunter2\n",
        "[child.a.environment]\nTOKEN hunter2",
        "[child.a.environment]\nTOKEN = “hunter2”", "[child.a.environment]\nuser = hunter2",
    ])
    func valueOfAVariable_isNotRepeated(text: String) {
        let said = FakeMachine().diagnostics(text)
        #expect(said.contains("syntax: ") && !said.contains("hunter2"), "\(said)")
    }
}

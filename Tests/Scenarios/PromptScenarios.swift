import Foundation
import Testing

/// `nexusctl chat` at a terminal.
@Suite(.timeLimit(.minutes(3))) struct PromptScenarios {
    private func sit(at box: Box) throws -> Typist {
        try Typist(
            Programs.path("nexusctl"), ["chat"],
            environment: [
                "NEXUS_RUNTIME_DIRECTORY": box.runtime, "NEXUS_STATE_DIRECTORY": box.state, "HOME": box.directory,
                // Swift's backtracer would take SIGQUIT for a crash and ask what to do.
                "TERM": "xterm", "SWIFT_BACKTRACE": "enable=no",
            ])
    }

    @Test func linesAreEditedRememberedAndPasted() throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        let typist = try sit(at: box)
        try typist.until("the prompt") { $0.isRaw }
        typist.type("helo\u{1B}[D\u{1B}[Dl\r")
        try typist.until("the answer") { $0.seen.contains("You wrote: hello") && $0.isRaw }
        typist.forget()
        typist.type("\u{1B}[A, again\r")
        try typist.until("the line again") { $0.seen.contains("You wrote: hello, again") && $0.isRaw }
        typist.type("\u{1B}[200~two\nlines\u{1B}[201~\r")
        try typist.until("one answer to a paste") { $0.seen.contains("You wrote: two\r\nlines") && $0.isRaw }
        typist.forget()
        typist.type("dropped\u{3}")
        try typist.until("the mark of Ctrl-C") { $0.seen.contains("^C") }
        typist.type("\u{4}")
        #expect(typist.wait() == 0)
        #expect(!typist.isRaw)
        #expect(try box.ctl("chat", "--history").output.components(separatedBy: "> ").count == 4)
        #expect(box.stop() == 0)
    }

    @Test(arguments: [SIGTERM, SIGHUP, SIGQUIT]) func signalWhileALineIsEdited_leavesTheTerminalAsItWas(signal: Int32)
        throws
    {
        let box = try Box.defaultTree()
        try box.start()
        let typist = try sit(at: box)
        try typist.until("the prompt") { $0.isRaw }
        kill(typist.pid, signal)
        #expect(typist.wait() == -signal)
        #expect(!typist.isRaw)
        #expect(box.stop() == 0)
    }

    @Test func ctrlC_stopsARunningTurnAndTheSittingGoesOn() throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        let typist = try sit(at: box)
        try typist.until("the prompt") { $0.isRaw }
        typist.type("/slow 60\r")
        try box.wait("the turn to run") { _ in
            try box.ctl("chat", "--list", "--json").output.contains("\"running\"")
        }
        typist.type("\u{3}")
        try typist.until("the end of the turn") { $0.seen.contains("interrupted") && $0.isRaw }
        typist.type("\u{3}")
        #expect(typist.wait() == 1)
        #expect(!typist.isRaw)
        #expect(box.stop() == 0)
    }

    @Test func whatIsTypedWhileTheAgentAnswers_isSentBehindIt_andGivenBackByCtrlC() throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        let typist = try sit(at: box)
        try typist.until("the prompt") { $0.isRaw }
        typist.type("/slow 40\r")
        try typist.until("the answer to begin") { !$0.isRaw && $0.seen.contains("word-2") }
        typist.type("typed ahead\r")
        try typist.until("its answer") { $0.seen.contains("You wrote: typed ahead") && $0.isRaw }
        typist.forget()
        typist.type("/slow 300\r")
        try typist.until("the answer to begin") { !$0.isRaw && $0.seen.contains("word-2") }
        typist.type("first\rsecond\rhal")
        typist.forget()
        typist.type("\u{3}")
        try typist.until("the lines, given back") {
            // At the prompt: their echo alone comes before that, and what is typed then belongs to them.
            $0.isRaw && $0.seen.contains("interrupted") && $0.seen.contains("> first") && $0.seen.contains("  hal")
        }
        #expect(!typist.seen.contains("You wrote"))
        typist.type("f\r")
        try typist.until("one answer to them") { $0.seen.contains("You wrote: first\r\nsecond\r\nhalf") && $0.isRaw }
        typist.type("\u{4}")
        #expect(typist.wait() == 0)
        #expect(box.stop() == 0)
    }

    @Test func upgrade_inAnAnswerAndBetweenTwo_theSittingGoesOn() throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        let typist = try sit(at: box)
        try typist.until("the prompt") { $0.isRaw }
        typist.type("/slow 40\r")
        try typist.until("the answer to begin") { !$0.isRaw && $0.seen.contains("word-2") }
        #expect(try box.ctl("upgrade").status == 0)
        try typist.until("the answer's end") { $0.isRaw }
        #expect(typist.seen.matches(of: /word-(\d+)/).compactMap { Int($0.1) } == Array(1...40), "\(typist.seen)")
        typist.forget()
        #expect(try box.ctl("upgrade").status == 0)
        typist.type("still there\r")
        try typist.until("its answer") { $0.seen.contains("You wrote: still there") && $0.isRaw }
        typist.type("\u{4}")
        #expect(typist.wait() == 0)
        #expect(try box.ctl("chat", "--list", "--json").output.split(separator: "\n").count == 1)
        #expect(box.stop() == 0)
    }

    /// What it asked was told by the connection before, and is answered by another one.
    @Test func upgradeWhileTheAgentAsks_theAnswerReachesIt() throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        let typist = try sit(at: box)
        try typist.until("the prompt") { $0.isRaw }
        typist.type("/permission\r")
        try typist.until("the request for leave") { $0.seen.contains("y once") }
        #expect(try box.ctl("upgrade").status == 0)
        try typist.until("the loss, said") { $0.seen.contains("asking again") }
        typist.type("n too dangerous\r")
        try typist.until("the consequence") { $0.seen.contains("Not allowed: too dangerous.") && $0.isRaw }
        #expect(typist.seen.components(separatedBy: "y once").count == 2, "\(typist.seen)")
        typist.type("\u{4}")
        #expect(typist.wait() == 0)
        #expect(box.stop() == 0)
    }

    /// Not every shell puts a terminal right behind a program that was ended (dash, zsh).
    @Test(arguments: [SIGTERM, SIGHUP, SIGQUIT])
    func endedInTheMiddleOfAnAnswer_theTerminalIsAsItWas(signal: Int32) throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        let typist = try sit(at: box)
        try typist.until("the prompt") { $0.isRaw }
        typist.type("/slow 300\r")
        try typist.until("an answer that goes on") { $0.keepsTyping && $0.seen.contains("3") }
        kill(typist.pid, signal)
        #expect(typist.wait() == -signal)
        #expect(!typist.keepsTyping && !typist.isRaw)
        #expect(box.stop() == 0)
    }

    /// From the agent through two workers to the terminal, and back.
    @Test func whatTheAgentAsks_isAnsweredAtTheTerminal() throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        let typist = try sit(at: box)
        try typist.until("the prompt") { $0.isRaw }
        typist.type("/permission\r")
        try typist.until("the request for leave") {
            $0.seen.contains("the agent wants leave: bash rm -rf build") && $0.seen.contains("y once")
        }
        typist.type("perhaps\r")
        try typist.until("a hint") { $0.seen.contains("type y, a or n") }
        typist.type("n too dangerous\r")
        try typist.until("the consequence") { $0.seen.contains("Not allowed: too dangerous.") && $0.isRaw }
        #expect(typist.seen.contains("[rejected by nexusctl]"))
        typist.forget()
        typist.type("/question\r")
        try typist.until("the first question") { $0.seen.contains("1  SQLite — one file") }
        typist.type("2\r")
        try typist.until("the second question") { $0.seen.contains("(2 of 2): Colours") }
        typist.type("1 3\r")
        try typist.until("the choice") { $0.seen.contains("You chose: Postgres; red + green.") && $0.isRaw }
        typist.type("\u{4}")
        #expect(typist.wait() == 0)
        #expect(box.stop() == 0)
    }
}

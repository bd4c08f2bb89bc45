import Foundation
import Testing

/// `nexusctl agent login` with real users and terminals.
@Suite(.timeLimit(.minutes(2)), .enabled(if: getuid() == 0, "needs root to become somebody else"))
struct AgentLoginScenarios {
    private func started() throws -> AgentBox {
        let agent = try AgentBox()
        try agent.box.start()
        try agent.box.waitReady()
        return agent
    }

    /// A program that says what it was given, in a file of its own, and ends as it is told.
    private static let witness = """
        #!/bin/sh
        [ "$1" = --version ] && { echo 1.18.34; exit 0; }
        [ "$1" = serve ] && exec "$ECHO_AGENT" "$@"
        { echo "$@"; id -u; id -g; id -G; umask; pwd; tty; stty size; env; } >"$HOME/given"
        trap 'stty size >"$HOME/resized"' WINCH
        echo "asked"
        # A trap ends it early.
        while ! read -r line; do :; done
        exit "$line"
        """

    private func installed(_ program: String, _ agent: AgentBox) throws {
        let answer = try agent.install(program, "--restart")
        #expect(answer.status == 0, "\(answer)")
        try agent.box.waitReady()
    }

    @Test func key_isTypedUnseen_andKeptAsTheAgents() throws {
        let agent = try started()
        try installed(agent.download, agent)
        let typist = try agent.typist("agent", "login", "--restart")
        try typist.until("the question") { $0.seen.contains("API key: ") }
        typist.type("sesame\r")
        try typist.until("the end") { $0.seen.contains("It is kept in \(agent.login).") }
        #expect(typist.wait() == 0)
        #expect(typist.seen.contains("Login successful") && !typist.seen.contains("sesame"), "\(typist.seen)")
        #expect(typist.seen.contains("recycled, ready again"), "\(typist.seen)")
        #expect(!typist.isRaw)
        let facts = try run("/usr/bin/stat", ["-c", "%u %g %a", agent.login])
        #expect(facts.output == "54321 54321 640\n")
        #expect(agent.box.stop() == 0)
    }

    @Test func program_hasWhatTheChildHas_andATerminalOfItsOwn() throws {
        let agent = try started()
        try installed(try agent.write(Self.witness), agent)
        let typist = try agent.typist("agent", "login", "https://example.invalid", columns: 97)
        try typist.until("the question") { $0.seen.contains("asked") }
        typist.type("0\r")
        #expect(typist.wait() == 0)
        let given = try String(contentsOfFile: agent.home + "/given", encoding: .utf8).split(separator: "\n").map(
            String.init)
        #expect(
            given.prefix(6) == [
                "auth login https://example.invalid", "54321", "54321", "54321", "0027", agent.home,
            ], "\(given)")
        #expect(given[6].hasPrefix("/dev/pts/") && given[7] == "24 97", "\(given)")
        #expect(given[6] != typist.terminalName)
        #expect(
            given.contains("MARK=of the file") && given.contains("TERM=xterm") && given.contains("HOME=\(agent.home)"))
        #expect(!given.contains { $0.hasPrefix("OPENCODE_SERVER_PASSWORD") || $0.hasPrefix("OWN=") }, "\(given)")
        #expect(agent.box.stop() == 0)
    }

    @Test func sizeFollows_andCtrlC_endsTheProgramAlone() throws {
        let agent = try started()
        try installed(try agent.write(Self.witness), agent)
        let typist = try agent.typist("agent", "login")
        try typist.until("the question") { $0.seen.contains("asked") }
        typist.resize(columns: 61)
        try typist.until("the new size") { _ in
            (try? String(contentsOfFile: agent.home + "/resized", encoding: .utf8)) == "24 61\n"
        }
        typist.type("\u{3}")
        try typist.until("words") { $0.seen.contains("was ended by signal 2") }
        #expect(typist.wait() == 1 && !typist.isRaw)
        #expect(agent.box.stop() == 0)
    }

    @Test func failure_isSaid_withItsStatus() throws {
        let agent = try started()
        try installed(agent.download, agent)
        let typist = try agent.typist("agent", "login", "--json")
        try typist.until("the question") { $0.seen.contains("API key: ") }
        typist.type("\r")
        try typist.until("words") { $0.seen.contains("ended with status 4") }
        #expect(typist.wait() == 1)
        #expect(typist.seen.contains("\"status\":4") && typist.seen.contains("\"logged_in\":false"), "\(typist.seen)")
        #expect(!FileManager.default.fileExists(atPath: agent.login))
        #expect(agent.box.stop() == 0)
    }

    @Test func withoutTerminal_orWithoutOpencode_itSaysSo() throws {
        let agent = try started()
        let none = try agent.ctl(["agent", "login"])
        #expect(none.status == 1 && none.errors.contains("nexusctl agent install PATH"), "\(none)")
        try installed(agent.download, agent)
        let piped = try agent.ctl(["agent", "login"])
        #expect(piped.status == 2 && piped.errors.contains("needs a terminal"), "\(piped)")
        let stranger = try run(
            "/usr/bin/setpriv",
            ["--reuid=40000", "--regid=40000", "--clear-groups", Programs.path("nexusctl"), "agent", "login"],
            environment: agent.environment)
        #expect(stranger.status == 4, "\(stranger)")
        #expect(agent.box.stop() == 0)
    }
}

/// The same where nexusd and its children are one user.
@Suite(.timeLimit(.minutes(2))) struct AgentOwnLoginScenarios {
    @Test func login_worksWhereAllIsOneUser() throws {
        let tree = """
            [child.opencode]
            command = ["DIR/opencode", "serve"]
            environment = { HOME = "DIR" }
            enabled = false
            """
        let box = try Box(tree)
        chmod(box.directory, 0o755)
        try FileManager.default.copyItem(
            atPath: Programs.repository + "/Tests/Fixtures/opencode", toPath: box.directory + "/opencode")
        try box.start()
        let second = try Typist(
            Programs.path("nexusctl"), ["--runtime", box.runtime, "agent", "login"],
            environment: ["PATH": "/usr/bin:/bin", "HOME": box.directory], columns: 200)
        try second.until("the question") { $0.seen.contains("API key: ") }
        second.type("sesame\r")
        try second.until("what is left") { $0.seen.contains("nexusctl start opencode") }
        #expect(second.wait() == 0)
        #expect(FileManager.default.fileExists(atPath: box.directory + "/.local/share/opencode/auth.json"))
        #expect(box.stop() == 0)
    }
}

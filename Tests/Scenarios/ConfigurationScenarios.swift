import Foundation
import Testing

/// A refused file starts nothing; exit status 2; the words name file, line and column.
@Suite(.timeLimit(.minutes(2))) struct ConfigurationScenarios {
    @Test(arguments: [
        ("[child.a]\ncommand = [\"/bin/sleep\", \"1\"\n", "Supervisor.toml:"),
        ("[child.a]\ncommnd = [\"/bin/sleep\", \"1\"]\n", "command"),
        ("[child.a]\ncommand = [\"/no/such/program\"]\n", "/no/such/program"),
        ("[child.a]\ncommand = [\"/bin/sleep\"]\nrequires = [\"b\"]\n", "b"),
        ("[child.a]\ncommand = [\"/bin/sleep\"]\nrequires = [\"a\"]\n", "cycle"),
    ])
    func badFile_nothingIsStarted(toml: String, words: String) throws {
        let box = try Box(toml)
        let answer = try run(
            Programs.path("nexusd"), ["--config", box.config, "--state", box.state, "--runtime", box.runtime])
        #expect(answer.status == 2, "\(answer.errors)")
        #expect(answer.errors.contains(words), "\(answer.errors)")
        #expect(
            answer.errors.range(of: #"Supervisor\.toml:\d+:\d+: "#, options: .regularExpression) != nil,
            "\(answer.errors)")
        let check = try box.ctl("check", box.config)
        #expect(check.status == 2)
    }

    @Test func missingExecutable_isANoteForAChildThatIsOff() throws {
        let box = try Box(
            "[child.a]\ncommand = [\"FIXTURE\", \"serve\"]\n[child.b]\nenabled = false\ncommand = [\"/no/such/program\"]\n"
        )
        try box.start()
        try box.waitReady()
        #expect(try box.status().notes.contains { $0.contains("/no/such/program") })
        #expect(box.stop() == 0)
    }

    @Test(.enabled(if: getuid() == 0)) func userWithoutTheRight_isAConfigurationError() throws {
        let box = try Box("[child.a]\ncommand = [\"/bin/sleep\", \"1\"]\nuser = \"root\"\n")
        chmod(box.directory, 0o755)
        let answer = try run(
            "/usr/bin/setpriv",
            ["--reuid=65534", "--regid=65534", "--clear-groups", Programs.path("nexus-config"), "check", box.config],
            environment: ["PATH": "/usr/bin:/bin", "HOME": "/"])
        #expect(answer.status == 2)
        #expect((answer.output + answer.errors).contains("user"))
    }
}

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

    /// Whoever wrote it: no value of a file or of the command line acts on the terminal on which it is complained of.
    @Test func controlCharacters_areShownEscaped_notSentToTheTerminal() throws {
        let box = try Box("[child.a]\ncommand = [\"/bin/sleep\", \"1\"]\nready = \"\\u001B[31mx\\nnext\"\n")
        for words in [
            ["check", box.config], ["check", box.directory + "/\u{1B}[2J.toml"], ["explain", "child.a.ready"],
            ["explain", "\u{1B}[31m"], ["status", "--\u{1B}[31m"], ["tunnel", "\u{1B}[31m"],
        ] {
            for program in ["nexusctl", "nexus-config"] where program == "nexusctl" || words[0] != "tunnel" {
                let more = words[0] == "explain" ? ["--config", box.config] : []
                let answer = try run(
                    Programs.path(program), words + (program == "nexus-config" ? more : []),
                    environment: ["NEXUS_RUNTIME_DIRECTORY": box.runtime, "NEXUS_STATE_DIRECTORY": box.state])
                let said = answer.output + answer.errors
                #expect(!said.contains("\u{1B}") && !said.isEmpty, "\(program) \(words): \(said)")
            }
        }
        #expect(try box.ctl("check", box.config).errors.contains(#"\u001B[31mx\nnext"#))
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

    /// Real files, each of them mended by what the words say. `way` is the command from the box's directory, and what is
    /// wrong is done to `culprit`.
    @Test(
        .enabled(if: getuid() == 0, "without root nexusd runs what it likes"),
        arguments: [
            ("program", "program", "everybody may write 'CULPRIT', and nexusd runs as root; chmod o-w it"),
            ("program", "program", "'CULPRIT' belongs to uid 65534, and nexusd runs as root; chown it to root"),
            ("link", "elsewhere", "'CULPRIT' belongs to uid 65534, and nexusd runs as root; chown it to root"),
            ("elsewhere/program", "elsewhere", "everybody may write 'CULPRIT', and nexusd runs as root; chmod o-w it"),
        ])
    func programThatOthersCouldReplace_isRefusedAtItsPlace(way: String, culprit: String, words: String) throws {
        let box = try Box("[child.a]\ncommand = [\"DIR/\(way)\", \"1\"]\n")
        let files = FileManager.default
        try files.createDirectory(atPath: box.directory + "/elsewhere", withIntermediateDirectories: false)
        for name in ["program", "elsewhere/program"] {
            try files.copyItem(atPath: "/bin/sleep", toPath: box.directory + "/" + name)
            chmod(box.directory + "/" + name, 0o755)
        }
        try files.createSymbolicLink(atPath: box.directory + "/link", withDestinationPath: "elsewhere/program")
        let path = box.directory + "/" + culprit
        chmod(path, 0o755)
        func check() throws -> Finished {
            try run(
                Programs.path("nexus-config"), ["check", box.config],
                environment: ["PATH": "/usr/bin:/bin", "HOME": box.directory])
        }
        let sound = try check()
        #expect(sound.status == 0, "\(sound)")

        if words.contains("belongs") { chown(path, 65534, 0) } else { chmod(path, 0o777) }
        let refused = try check()
        #expect(refused.status == 2, "\(refused)")
        let place = "\(box.config):2:12: error: " + words.replacingOccurrences(of: "CULPRIT", with: path)
        #expect((refused.output + refused.errors).contains(place), "\(refused)")
        let nexusd = try run(
            Programs.path("nexusd"), ["--config", box.config, "--state", box.state, "--runtime", box.runtime])
        #expect(nexusd.status == 2 && nexusd.errors.contains(place), "\(nexusd)")

        chown(path, 0, 0)
        chmod(path, 0o755)
        #expect(try check().status == 0)
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

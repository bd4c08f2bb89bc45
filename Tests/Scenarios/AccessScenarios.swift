import Foundation
import Testing

/// Who may do what; one instance a box; files left for people.
@Suite(.timeLimit(.minutes(2))) struct AccessScenarios {
    @Test func secondInstance_isRefusedWithTheHoldersPid() throws {
        let box = try Box("[child.a]\ncommand = [\"FIXTURE\", \"serve\"]\n")
        try box.start()
        let second = try run(
            Programs.path("nexusd"), ["--config", box.config, "--state", box.state, "--runtime", box.runtime])
        #expect(second.status == 3)
        #expect(second.errors.contains("\(box.pid)"))
        #expect(try box.status().pid == box.pid)
        #expect(box.stop() == 0)
    }

    @Test func pidFiles_areThereWhileRunsLive() throws {
        let box = try Box("[child.a]\ncommand = [\"FIXTURE\", \"serve\"]\n")
        try box.start()
        try box.waitReady()
        func pid(_ name: String) -> Int32? {
            (try? String(contentsOfFile: "\(box.runtime)/pid/\(name).pid", encoding: .utf8)).flatMap {
                Int32($0.trimmingCharacters(in: .whitespacesAndNewlines))
            }
        }
        #expect(pid("nexusd") == box.pid)
        #expect(try pid("a") == box.status().pid("a"))
        #expect(try box.ctl("stop", "a").status == 0)
        #expect(pid("a") == nil)
        #expect(box.stop() == 0)
        #expect(pid("nexusd") == nil)
    }

    @Test(.enabled(if: getuid() == 0, "needs root to become somebody else"))
    func anotherUser_isRefusedInWords() throws {
        let box = try Box("[child.a]\ncommand = [\"FIXTURE\", \"serve\"]\n")
        try box.start()
        try box.waitReady()
        // The socket's mode keeps others out; whoever may connect all the same is told why he is refused.
        chmod(box.directory, 0o755)
        chmod(box.runtime, 0o755)
        chmod(box.runtime + "/control.sock", 0o666)
        let answer = try run(
            "/usr/bin/setpriv",
            [
                "--reuid=65534", "--regid=65534", "--clear-groups", Programs.path("nexusctl"), "--runtime", box.runtime,
                "stop", "a",
            ],
            environment: ["PATH": "/usr/bin:/bin"])
        #expect(answer.status == 4, "\(answer.errors)")
        #expect(answer.errors.contains("65534") || answer.errors.contains("nobody"))
        let check = try run(
            "/usr/bin/setpriv",
            [
                "--reuid=65534", "--regid=65534", "--clear-groups", Programs.path("nexusctl"), "--runtime", box.runtime,
                "check",
            ],
            environment: ["PATH": "/usr/bin:/bin"])
        #expect(check.status == 4 && check.errors.contains("your own rights"), "\(check.errors)")
        #expect(try box.status().child("a")?.state == "ready")
        #expect(box.stop() == 0)
    }

    @Test func childOfTheTree_isRefusedAtTheControlSocket() throws {
        let box = try Box(
            """
            [child.spy]
            command = ["/bin/sh", "-c", "\(Programs.path("nexusctl")) --runtime DIR/run stop victim > DIR/answer 2>&1; echo $? >> DIR/answer; touch DIR/asked; exec sleep 1000"]
            requires = ["victim"]
            [child.victim]
            command = ["FIXTURE", "serve"]
            """)
        try box.start()
        try box.wait("the child to have asked") { _ in FileManager.default.fileExists(atPath: box.directory + "/asked")
        }
        let answer = try String(contentsOfFile: box.directory + "/answer", encoding: .utf8)
        #expect(answer.contains("refused"), "\(answer)")
        #expect(answer.hasSuffix("4\n"))
        #expect(try box.status().child("victim")?.state == "ready")
        #expect(box.stop() == 0)
    }

    /// nexusctl as somebody whom the lists name; the box is open to him as far as a real one is.
    private func asNobody(_ box: Box, _ words: String...) throws -> Finished {
        try run(
            "/usr/bin/setpriv",
            ["--reuid=65534", "--regid=65534", "--clear-groups", Programs.path("nexusctl"), "--runtime", box.runtime]
                + words,
            environment: ["PATH": "/usr/bin:/bin", "HOME": "/nonexistent"])
    }

    private static let lists = "[supervisor]\ncontrol-users = [\"nobody\"]\n"

    /// His own rights are not nexusd's: it is asked, so that nothing is called wrong that it takes.
    @Test(.enabled(if: getuid() == 0, "needs root to become somebody else"))
    func checkAndDoctor_ofAMember_judgeByNexusdsRights() throws {
        let tree = Self.lists + "[child.a]\ncommand = [\"/bin/sleep\", \"1000\"]\nuser = \"daemon\"\nnice = -5\n"
        let box = try Box(tree)
        chmod(box.directory, 0o755)
        try box.start()
        try box.waitReady()
        for words in [["check"], ["check", box.config]] {
            let answer = try asNobody(box, words[0], words.count > 1 ? words[1] : "--json")
            #expect(answer.status == 0 && answer.errors.isEmpty, "\(words): \(answer)")
            #expect(answer.output.contains(words.count > 1 ? ": ok, as nexusd (uid 0) reads it" : #""ok":true"#))
        }
        func findings(_ more: String = "--color=never") throws -> [Finding] {
            try Finding.all(in: asNobody(box, "doctor", "--json", more).output)
        }
        let own: Set<String> = ["configuration", "state directory", "runtime directory", "uid wall", "programs"]
        let usual = try findings()
        #expect(!usual.contains { own.contains($0.subject) && $0.level != "ok" }, "\(usual)")
        let closed = box.directory + "/closed"
        try FileManager.default.createDirectory(atPath: closed, withIntermediateDirectories: true)
        chmod(closed, 0o700)
        let unseen = try findings("--state=" + closed + "/state").first { $0.subject == "state directory" }
        #expect(
            unseen?.level == "warn" && unseen?.words.contains("not judged") == true, "\(String(describing: unseen))")
        // Another file is looked at with his rights, and that is said.
        let other = try asNobody(box, "check", "/dev/null")
        #expect(other.status == 2 && other.errors.contains("the rights of uid 65534 are not those of the nexusd"))
        try box.write(tree + "nicer = 3\n")
        let refused = try asNobody(box, "check")
        #expect(refused.status == 2 && refused.errors.contains("Supervisor.toml:7:1: error:"), "\(refused)")
        #expect(try findings().contains { $0.subject == "configuration" && $0.words.contains(":7:1: error:") })
        #expect(box.stop() == 0)
    }

    /// The port of the metrics is a child: its user reads where `read-users` names it, and controls nothing though
    /// `control-users` names it too.
    @Test(.enabled(if: getuid() == 0, "needs root to become somebody else"))
    func childThatReadUsersName_reads_andControlsNothing() throws {
        let ctl = "\(Programs.path("nexusctl")) --runtime DIR/run"
        func child(_ name: String, _ user: String) -> String {
            """
            [child.\(name)]
            command = ["/bin/sh", "-c", "\(ctl) metrics | tail -n 1; \(ctl) stop victim; echo control $?; exec sleep 1000"]
            user = "\(user)"
            requires = ["victim"]

            """
        }
        let box = try Box(
            "[supervisor]\nread-users = [\"nobody\"]\ncontrol-users = [\"nobody\", \"daemon\"]\n"
                + "[child.victim]\ncommand = [\"FIXTURE\", \"serve\"]\n" + child("named", "nobody")
                + child("other", "daemon"))
        chmod(box.directory, 0o755)
        try box.start()
        try box.waitReady()
        let named = try box.waitLog("named", "control 4")
        #expect(named.contains("# EOF") && named.contains("refused"), "\(named)")
        let other = try box.waitLog("other", "control 4")
        #expect(!other.contains("# EOF") && other.contains("is a child's"), "\(other)")
        #expect(try box.status().child("victim")?.state == "ready")
        #expect(box.stop() == 0)
    }

    /// Files of one user, and then a log-writer of another: refused with the command that helps, at a reload and at a start.
    /// Only what is root's is given away by root itself, once nobody writes there any more.
    @Test(.enabled(if: getuid() == 0, "needs root to become somebody else"))
    func changedUserOfTheLogs_isRefused_untilTheFilesAreHis() throws {
        let child = "[child.a]\ncommand = [\"/bin/sh\", \"-c\", \"echo hello; exec sleep 1000\"]\n"
        let box = try Box(child)
        chmod(box.directory, 0o755)
        try box.start()
        try box.waitReady()
        try box.waitLog("a", "hello")
        let before = try box.status().pid("log-writer")
        try box.write("[log]\nuser = \"nobody\"\n" + child)
        let refused = try box.ctl("reload")
        #expect(refused.status == 2 && refused.errors.contains("Supervisor.toml:2:8: error:"), "\(refused)")
        #expect(refused.errors.contains("belongs to uid 0, and log-writer would be uid 65534"), "\(refused)")
        #expect(try box.status().pid("log-writer") == before)
        #expect(box.stop() == 0)
        let logs = box.state + "/logs"
        #expect(try run("/bin/chown", ["-R", "7:7", logs]).status == 0)
        #expect(throws: Trouble.self) { try box.start() }
        let remedy = try #require(box.errors.split(separator: "\n").last { $0.contains("chown -R ") })
        let words = remedy[(try #require(remedy.range(of: "chown -R ")).lowerBound)...]
        #expect(try run("/bin/sh", ["-c", String(words)]).status == 0, "\(words)")
        try box.start()
        try box.waitReady()
        #expect(try box.ctl("restart", "a").status == 0)
        try box.wait("a second line") { _ in
            try box.ctl("logs", "a").output.split(separator: "\n").count { $0.hasSuffix("hello") } >= 3
        }
        #expect(box.stop() == 0)
        #expect(try run("/bin/chown", ["-R", "0:0", logs]).status == 0)
        try box.start()
        try box.waitReady()
        #expect(try run("/usr/bin/find", [logs, "-user", "root"]).output.isEmpty)
        #expect(box.stop() == 0)
    }

    @Test func unprivilegedUser_runsTheDefaultTree() throws {
        try #require(getuid() == 0)
        let box = try Box("[child.a]\ncommand = [\"/bin/sleep\", \"1000\"]\n")
        let home = box.directory + "/home"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        chown(box.directory, 65534, 65534)
        chown(home, 65534, 65534)
        chown(box.config, 65534, 65534)
        let script = """
            "$0/nexusd" --config "\(box.config)" --state "\(home)/state" --runtime "\(home)/run" & pid=$!
            "$0/nexusctl" --runtime "\(home)/run" wait --ready --timeout 20s && "$0/nexusctl" --runtime "\(home)/run" status
            kill $pid; wait $pid; echo "ended $?"
            """
        let answer = try run(
            "/usr/bin/setpriv",
            ["--reuid=65534", "--regid=65534", "--clear-groups", "/bin/sh", "-c", script, Programs.directory],
            environment: ["PATH": "/usr/bin:/bin", "HOME": home])
        #expect(answer.output.contains("uid wall"), "\(answer.output)\(answer.errors)")
        #expect(answer.output.hasSuffix("ended 0\n"), "\(answer.output)\(answer.errors)")
    }
}

/// What `doctor --json` found.
private struct Finding: Decodable {
    var level: String
    var subject: String
    var words: String

    private struct Answer: Decodable { var findings: [Finding] }

    static func all(in output: String) throws -> [Finding] {
        try JSONDecoder().decode(Answer.self, from: Data(output.utf8)).findings
    }
}

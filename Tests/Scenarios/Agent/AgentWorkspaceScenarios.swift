import Foundation
import Testing

/// `nexusctl agent workspace`, and what `doctor` says of the agent's first day, with real users. The unit's part is tried under a
/// real systemd (scripts/checks/systemd).
@Suite(.timeLimit(.minutes(3)), .enabled(if: getuid() == 0, "needs root to become somebody else"))
struct AgentWorkspaceScenarios {
    private func started() throws -> AgentBox {
        let agent = try AgentBox()
        try agent.box.start()
        try agent.box.waitReady()
        return agent
    }

    /// A directory of root's in one that only root can enter.
    private func closed(_ agent: AgentBox, _ name: String = "a b") throws -> String {
        let path = agent.directory + "/closed/" + name
        try FileManager.default.createDirectory(atPath: path + "/src", withIntermediateDirectories: true)
        try "x".write(toFile: path + "/src/file", atomically: true, encoding: .utf8)
        chmod(agent.directory + "/closed", 0o700)
        return path
    }

    private func asAgent(_ script: String, _ path: String, uid: Int = 54_321) throws -> Finished {
        try run(
            "/usr/bin/setpriv",
            ["--reuid=\(uid)", "--regid=\(uid)", "--clear-groups", "/bin/sh", "-c", script, "sh", path],
            environment: ["PATH": "/usr/bin:/bin"])
    }

    private static let hasLists = FileManager.default.fileExists(atPath: "/usr/bin/setfacl")

    @Test(.enabled(if: hasLists, "needs setfacl"))
    func closedDirectory_isOpenedWhereItIsClosed_andNowhereElse() throws {
        let agent = try started()
        let path = try closed(agent)
        let outside = agent.directory + "/outside"
        try "secret".write(toFile: outside, atomically: true, encoding: .utf8)
        chmod(outside, 0o600)
        symlink(outside, path + "/src/link")
        // Nobody at a terminal who says so: it is said what would open it.
        let asked = try agent.ctl(["agent", "workspace", "add", path])
        #expect(
            asked.status == 1 && asked.errors.contains("/closed may not be entered (mode 0700, of root)"), "\(asked)")
        #expect(asked.errors.contains("--yes gives it") && asked.errors.contains("setfacl -m u:54321:x"), "\(asked)")
        #expect(try asAgent("cat \"$1/src/file\"", path).status != 0)
        let answer = try agent.ctl(["agent", "workspace", "add", path + "/../a b", "--yes"])
        #expect(answer.status == 0, "\(answer)")
        #expect(
            answer.output.contains("{ name = \"a-b\", path = \"\(path)\" }]")
                && answer.output.contains("nexusctl reload"),
            "\(answer)")
        let work = "cat \"$1/src/file\" && echo y >>\"$1/src/file\" && mkdir \"$1/new\" && echo z >\"$1/new/z\""
        #expect(try asAgent(work, path).status == 0)
        #expect(try asAgent("ls \"$1/..\"", path).status != 0, "what lies above it is entered, not read")
        #expect(try asAgent("cat \"$1/src/link\"", path).status != 0, "nothing is opened along a link")
        let again = try agent.ctl(["agent", "workspace", "add", path, "--name", "site", "--json"])
        let object = try agent.object(again)
        #expect(again.status == 0 && (object["given"] as? [String]) == [], "\(again)")
        #expect(object["name"] as? String == "site" && object["needs_restart"] as? Bool == false, "\(again)")
        #expect(agent.box.stop() == 0)
    }

    /// What the agent makes there is the agent's; the person whose directory it is works on it all the same, and the other way round.
    @Test(.enabled(if: hasLists, "needs setfacl")) func whatTheAgentMakes_isTheOwnersToChange() throws {
        let agent = try started()
        let path = agent.directory + "/site"
        try FileManager.default.createDirectory(atPath: path + "/src", withIntermediateDirectories: true)
        for place in [path, path + "/src"] {
            chown(place, 40_000, 40_000)
            chmod(place, 0o700)
        }
        let answer = try agent.ctl(["agent", "workspace", "add", path, "--yes"])
        #expect(answer.status == 0 && answer.output.contains(",d:u:40000:rwX"), "\(answer)")
        let make = "umask 027; cd \"$1/src\" && mkdir -p new/deep && echo a >new/deep/file && echo b >there"
        #expect(try asAgent(make, path).status == 0)
        let change = "cd \"$1/src\" && echo c >>new/deep/file && echo d >new/own && rm there && mkdir new/deep/er"
        let changed = try asAgent(change, path, uid: 40_000)
        #expect(changed.status == 0, "\(changed)")
        #expect(try asAgent("cd \"$1/src\" && echo e >>new/own && rm -r new", path).status == 0)
        #expect(agent.box.stop() == 0)
    }

    @Test(.enabled(if: hasLists, "needs setfacl")) func answerAtATerminal_decides() throws {
        let agent = try started()
        let path = try closed(agent)
        let no = try agent.typist("agent", "workspace", "add", path)
        try no.until("the question") { $0.seen.contains("Do that? [y/N] ") }
        no.type("\r")
        try no.until("words") { $0.seen.contains("nothing was changed") }
        #expect(no.wait() == 1)
        #expect(try asAgent("ls \"$1\"", path).status != 0)
        let yes = try agent.typist("agent", "workspace", "add", path)
        try yes.until("the question") { $0.seen.contains("Do that? [y/N] ") }
        yes.type("y\r")
        try yes.until("the line") { $0.seen.contains("workspaces = [") }
        #expect(yes.wait() == 0)
        #expect(try asAgent("touch \"$1/there\"", path).status == 0)
        #expect(agent.box.stop() == 0)
    }

    @Test func placeOrName_thatIsNone_isRefused() throws {
        let agent = try started()
        let file = agent.directory + "/file"
        try "".write(toFile: file, atomically: true, encoding: .utf8)
        for (words, status, errors) in [
            (["/etc"], 1, "is no place for a workspace"), (["/"], 1, "is no place for a workspace"),
            ([agent.box.state], 1, "is no place for a workspace"), ([file], 1, "is no directory"),
            ([agent.directory + "/gone"], 1, "mkdir -p"),
            ([agent.directory + "/bin", "--name", "Ä"], 2, "1 to 32 of a-z"),
            ([agent.directory + "/bin", "--name", "home"], 2, "there is a workspace 'home' already"),
        ] {
            let answer = try agent.ctl(["agent", "workspace", "add"] + words)
            #expect(answer.status == status && answer.errors.contains(errors), "\(words): \(answer)")
        }
        let removed = try agent.ctl(["agent", "workspace", "remove", "nothing"])
        #expect(removed.status == 1 && removed.errors.contains("is no workspace"), "\(removed)")
        let home = try agent.ctl(["agent", "workspace", "remove", "home", "--json"])
        #expect(try home.status == 0 && agent.object(home)["path"] as? String == agent.home, "\(home)")
        let list = try agent.ctl(["agent", "workspace", "list"])
        #expect(list.status == 0 && list.output == "home  \(agent.home)  good\n", "\(list)")
        chmod(agent.home, 0)
        let bad = try agent.ctl(["agent", "workspace", "list", "--json"])
        #expect(bad.status == 1 && bad.output.contains("may not be read and written (mode 0000"), "\(bad)")
        #expect(agent.box.stop() == 0)
    }

    private func findings(_ agent: AgentBox) throws -> [String] {
        let answer = try agent.ctl(["doctor", "--json"])
        let list = try agent.object(answer)["findings"] as? [[String: Any]] ?? []
        return list.filter {
            ["opencode", "log-in", "workspace", "workspaces", "agent"].contains($0["subject"] as? String)
        }
        .map { finding in
            ["level", "subject", "words", "remedy"].map { finding[$0] as? String ?? "" }.joined(separator: "|")
        }
    }

    @Test func doctor_tellsEachStepOfTheFirstDay() throws {
        let agent = try started()
        func expect(_ parts: [String], _ what: String) throws {
            let found = try findings(agent)
            #expect(
                found.count == parts.count && zip(found, parts).allSatisfy { $0.contains($1) }, "\(what): \(found)")
        }
        let rooms = "ok|workspaces|\(agent.home)"
        try expect(["warn|opencode|not found: the built-in echo-agent", rooms], "nothing is installed")
        #expect(try findings(agent)[0].contains("nexusctl agent install PATH"))
        #expect(try agent.install(agent.download, "--restart").status == 0)
        try agent.box.waitReady()
        let runs = "ok|opencode|the tree runs \(agent.program)"
        try expect([runs, "warn|log-in|nobody logged in", rooms], "nobody logged in")
        let typist = try agent.typist("agent", "login")
        try typist.until("the question") { $0.seen.contains("API key: ") }
        typist.type("sesame\r")
        #expect(typist.wait() == 0)
        try expect([runs, "ok|log-in|kept in \(agent.login)", rooms], "all is well")
        chmod(agent.program, 0o700)
        try expect([runs, "bad|opencode|54321 cannot execute", "ok|log-in", rooms], "not reachable")
        chown(agent.program, 54_321, 54_321)
        try expect([runs, "warn|opencode|the agent can change the program", "ok|log-in", rooms], "its own")
        chown(agent.program, 0, 0)
        chmod(agent.program, 0o755)
        chmod(agent.home, 0o500)
        try expect(
            [runs, "ok|log-in", "bad|workspace|home: 54321 cannot work in"], "a workspace that it cannot write")
        chmod(agent.home, 0o700)
        #expect(try agent.ctl(["stop", "opencode"]).status == 0)
        try expect([runs, "warn|opencode|it was stopped by command", "ok|log-in", rooms], "stopped")
        #expect(agent.box.stop() == 0)
    }

    @Test func doctor_tellsOfAnOpencodeThatWaitsForAReload() throws {
        let agent = try started()
        #expect(try agent.install(agent.download).status == 0)
        let waiting = try findings(agent).first
        let words = "\(agent.program) is there, and the built-in echo-agent still answers in its place"
        #expect(waiting == "warn|opencode|\(words)|nexusctl reload", "\(waiting ?? "nothing")")
        #expect(try agent.ctl(["reload"]).status == 0)
        try agent.box.waitReady()
        #expect(try findings(agent).first?.hasPrefix("ok|opencode|the tree runs \(agent.program)") == true)
        #expect(agent.box.stop() == 0)
    }
}

import Foundation
import Testing

/// `nexusctl update opencode` with the real tree: what is kept, and what is taken back.
@Suite(.timeLimit(.minutes(3)), .enabled(if: getuid() == 0, "needs root to become somebody else"))
struct UpdateScenarios {
    private func started() throws -> UpdateBox {
        let agent = try UpdateBox()
        try agent.start()
        return agent
    }

    private func content(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

    @Test func acceptedVersion_runsFromItsCopy_andTheOldOneLeadsBack() throws {
        let agent = try started()
        let before = try content(agent.found)
        let first = try agent.update("opencode", try agent.write("1.19.0"))
        #expect(first.status == 0, "\(first)")
        #expect(first.output.contains("opencode 1.19.0 is accepted (agent-worker speaks to"), "\(first)")
        #expect(try agent.box.status().child("opencode")?.executable == agent.accepted)
        #expect(try agent.running() == "1.19.0")
        #expect(try agent.box.ctl("chat", "hello").status == 0)
        let facts = try run("/usr/bin/stat", ["-L", "-c", "%U %a", agent.accepted])
        #expect(facts.output == "root 755\n")

        let second = try agent.update("opencode", try agent.write("1.20.0"), "--json")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(second.output.utf8)) as? [String: Any])
        #expect(second.status == 0 && object["outcome"] as? String == "accepted", "\(second)")
        #expect(object["version"] as? String == "1.20.0" && object["before"] as? String == "1.19.0", "\(second)")
        #expect(try agent.running() == "1.20.0" && agent.copies().count == 2)
        let third = try agent.update("opencode", agent.directory + "/download/opencode-1.20.0")
        #expect(third.status == 0 && third.output.contains("holds already"), "\(third)")

        let back = try agent.update("opencode", "--back")
        #expect(back.status == 0 && back.output.contains("opencode 1.19.0 is accepted"), "\(back)")
        #expect(try agent.running() == "1.19.0")
        // A third version: what is neither it nor the one before goes.
        #expect(try agent.update("opencode", try agent.write("1.21.0")).status == 0)
        #expect(agent.copies().count == 2)
        // What the package manager, or its owner, put there is as it was.
        #expect(try content(agent.found) == before)
        #expect(try agent.findings() == ["ok opencode 1.21.0 holds, its copy is whole → <null>"])
        #expect(agent.box.stop() == 0)
    }

    @Test func back_restoresTheOneBefore_alsoOneThatASearchFinds() throws {
        let agent = try started()
        let none = try agent.update("opencode", "--back")
        #expect(none.status == 1 && none.errors.contains("no earlier opencode"), "\(none)")
        #expect(try agent.update("opencode", try agent.write("1.19.0")).status == 0)
        let back = try agent.update("opencode", "--back")
        #expect(back.status == 0 && back.output.contains("the opencode that a search finds is accepted"), "\(back)")
        #expect(try agent.box.status().child("opencode")?.executable == agent.found)
        #expect(try agent.running() == "1.18.0")
        // Each run between the two had a program to execute.
        let ends = try agent.box.ctl("history", "opencode", "--json").output
        #expect(ends.contains("recycled") && !ends.contains("ENOENT"), "\(ends)")
        let forth = try agent.update("opencode", "--back")
        #expect(forth.status == 0, "\(forth)")
        #expect(try agent.running() == "1.19.0")
        // It outlives the tree.
        #expect(agent.box.stop() == 0)
        try agent.box.start()
        try agent.box.waitReady()
        #expect(try agent.running() == "1.19.0")
        #expect(agent.box.stop() == 0)
    }

    /// What takes the place of a version, and what is said of it.
    @Test(arguments: [
        ("exec sleep 1000", "its run ended: signal 15 (TERM), not ready within 6 s"),
        ("exit 3", "its run ended: exit 3"),
        (
            """
            exec /usr/bin/python3 -c '
            import http.server as h
            class No(h.BaseHTTPRequestHandler):
                def do_GET(self): self.send_error(500)
            s = h.HTTPServer(("127.0.0.1", 0), No)
            print("opencode server listening on http://127.0.0.1:%d" % s.server_port, flush=True)
            s.serve_forever()'
            """, "is no opencode server"
        ),
    ])
    func versionThatDoesNotServe_isTakenBack(_ serve: String, _ why: String) throws {
        let agent = try started()
        #expect(try agent.update("opencode", try agent.write("1.19.0")).status == 0)
        let answer = try agent.update("opencode", try agent.write("1.20.0", serve: serve), "--within", "15s")
        #expect(answer.status == 1 && answer.output.isEmpty, "\(answer)")
        #expect(answer.errors.contains("opencode 1.20.0 is not kept: ") && answer.errors.contains(why), "\(answer)")
        #expect(answer.errors.contains("opencode 1.19.0 holds again: agent-worker speaks to"), "\(answer)")
        #expect(try agent.running() == "1.19.0" && agent.copies().count == 1)
        #expect(try agent.box.ctl("chat", "hello").status == 0)
        // Said in nexusd's own log too, and by doctor until another one is accepted.
        try agent.box.waitLog("nexusd", "notes of opencode: opencode 1.20.0 is not kept: ", "; back to opencode 1.19.0")
        let finding = try #require(try agent.findings().first)
        #expect(finding.hasPrefix("warn opencode 1.20.0 was tried and is not kept: "), "\(finding)")
        #expect(try agent.update("opencode", try agent.write("1.21.0")).status == 0)
        #expect(try agent.findings().allSatisfy { $0.hasPrefix("ok ") })
        #expect(agent.box.stop() == 0)
    }

    @Test func firstVersionThatDoesNotServe_leavesWhatASearchFinds() throws {
        let agent = try started()
        let answer = try agent.update("opencode", try agent.write("1.20.0", serve: "exit 3"))
        #expect(
            answer.status == 1 && answer.errors.contains("the opencode that a search finds holds again"), "\(answer)")
        #expect(try agent.box.status().child("opencode")?.executable == agent.found)
        #expect(try agent.running() == "1.18.0" && agent.copies().isEmpty)
        #expect(agent.box.stop() == 0)
    }

    @Test func whatIsNoAgentForThisMachine_isRefused_andNothingIsTouched() throws {
        let agent = try started()
        #expect(try agent.update("opencode", try agent.write("1.19.0")).status == 0)
        let pid = try agent.box.status().pid("opencode")
        let book = try content(agent.box.state + "/programs/opencode/book.json")
        var elf = try content("/bin/true")
        elf[18] = elf[18] == 40 ? 62 : 40
        try elf.write(to: URL(fileURLWithPath: agent.directory + "/download/arm"))
        let refusals: [(String, String)] = [
            (agent.directory + "/download/arm", "was built for another machine: arm"),
            ("/bin/true", "says no version"), (agent.box.config, "neither an ELF file nor a script"),
            (try agent.write("0.15.3"), "agent-worker speaks 1.x and 2.x"), (agent.directory, "is no regular file"),
            (agent.directory + "/gone", "No such file"),
        ]
        for (path, words) in refusals {
            let answer = try agent.update("opencode", path)
            #expect(answer.status == 1 && answer.errors.contains(words), "\(path): \(answer)")
        }
        let wrong = try agent.update("opencod", "/bin/true")
        #expect(wrong.status == 2 && wrong.errors.contains("did you mean 'opencode'?"), "\(wrong)")
        #expect(try agent.update("opencode").status == 2)
        #expect(try agent.box.status().pid("opencode") == pid)
        #expect(try content(agent.box.state + "/programs/opencode/book.json") == book && agent.copies().count == 1)
        #expect(!FileManager.default.fileExists(atPath: agent.box.state + "/programs/opencode/incoming"))
        let stranger = try run(
            "/usr/bin/setpriv",
            [
                "--reuid=40000", "--regid=40000", "--clear-groups", Programs.path("nexusctl"), "update", "opencode",
                "/bin/true",
            ], environment: agent.environment)
        #expect(stranger.status == 4, "\(stranger)")
        #expect(agent.box.stop() == 0)
    }

    /// What lies in PATH does not run where a copy was accepted; what is said to do is done here.
    @Test func installBesideAnAcceptedCopy_saysWhatHoldsAndWhatHasItTried() throws {
        let agent = try started()
        #expect(try agent.update("opencode", try agent.write("1.19.0")).status == 0)
        let new = try agent.write("1.20.0")
        let words = ["agent", "install", new, "--to", agent.found, "--restart"]
        let answer = try run(Programs.path("nexusctl"), words, environment: agent.environment)
        let command = "nexusctl update opencode \(agent.found)"
        #expect(answer.status == 0 && answer.output.contains("opencode 1.19.0 was accepted"), "\(answer)")
        #expect(answer.output.contains(command) && !answer.output.contains("PATH"), "\(answer)")
        #expect(try agent.running() == "1.19.0")
        let json = try run(Programs.path("nexusctl"), words + ["--json"], environment: agent.environment)
        #expect(json.status == 0 && json.output.contains(#""next":"update""#), "\(json)")
        let taken = try agent.update("opencode", agent.found)
        #expect(try taken.status == 0 && agent.running() == "1.20.0", "\(taken)")
        #expect(agent.box.stop() == 0)
    }

    @Test func damagedCopy_isRefused_andMadeWholeByTheSameFile() throws {
        let agent = try started()
        for version in ["1.19.0", "1.20.0"] {
            #expect(try agent.update("opencode", try agent.write(version)).status == 0)
        }
        let hashes = try agent.list()
        let (current, before) = (hashes["current"] as? String ?? "?", hashes["before"] as? String ?? "?")
        func damage(_ hash: String) throws {
            let path = "\(agent.box.state)/programs/opencode/\(hash)/opencode"
            let file = try #require(FileHandle(forWritingAtPath: path))
            try file.seekToEnd()
            try file.write(contentsOf: Data("#".utf8))
            try file.close()
        }
        try damage(before)
        let back = try agent.update("opencode", "--back")
        #expect(back.status == 1 && back.errors.contains("is damaged: its SHA-256 is"), "\(back)")
        #expect(try agent.running() == "1.20.0")
        try damage(current)
        #expect(try agent.findings().contains { $0.hasPrefix("bad ") && $0.contains("is damaged") })
        let again = try agent.update("opencode", agent.directory + "/download/opencode-1.20.0")
        #expect(again.status == 0 && again.output.contains("whole again"), "\(again)")
        #expect(try agent.findings().allSatisfy { !$0.hasPrefix("bad ") })
        #expect(agent.box.stop() == 0)
    }
}

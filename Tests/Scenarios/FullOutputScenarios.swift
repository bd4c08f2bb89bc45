import Foundation
import Testing

/// Standard output on a full disk: whoever asks must not take what did not arrive for an answer, whichever command it was.
@Suite(.timeLimit(.minutes(3))) struct FullOutputScenarios {
    /// Words with which each command has something to say on the tree below; the later ones end what the earlier ones look at.
    private static let commands: [(name: String, words: [String])] = [
        ("restart", ["chat-bridge"]), ("status", []), ("status", ["chat-bridge"]), ("tree", []),
        ("why", ["chat-bridge"]), ("why", ["agent"]),
        ("history", []), ("events", ["-n", "5"]), ("logs", ["nexusd"]), ("metrics", []), ("version", []),
        ("completions", ["bash"]), ("doctor", []), ("wait", ["chat-bridge"]), ("is-ready", ["chat-bridge"]),
        ("check", []), ("explain", []), ("explain", ["child.chat-bridge.delay.cap"]), ("diff", []),
        ("report", ["--output", "DIRreport.tgz"]), ("pair", ["--here"]), ("password", ["--show"]),
        ("chat", ["hello"]), ("chat", ["--list"]), ("chat backup", ["DIRbackup"]), ("chat export", ["last"]),
        ("chat restore", ["DIRbackup"]), ("devices list", []), ("devices revoke", ["nobody"]),
        ("tunnel status", []), ("tunnel url", []), ("tunnel check", []), ("tunnel keep", []), ("tunnel mode", ["off"]),
        ("tunnel start", []), ("tunnel stop", []), ("signal", ["chat-bridge", "CONT"]), ("reset", ["chat-bridge"]),
        ("agent workspace list", []), ("recycle", ["chat-bridge"]), ("stop", ["chat-bridge"]),
        ("start", ["chat-bridge"]), ("reload", []),
    ]
    /// They fail anyway and keep their status: the tunnel is off, and nobody was let in.
    private static let failing: Set<String> = [
        "devices revoke", "tunnel url", "tunnel check", "tunnel keep", "tunnel start", "tunnel stop", "tunnel mode",
    ]
    /// Nothing but their exit status, unless `--json` asks for more; an empty list of devices is no line.
    private static let silent: Set<String> = ["wait", "is-ready"]
    private static let empty: Set<String> = ["devices list"]
    private static let untried: [String: String] = [
        "tunnel setup": "a conversation on a terminal", "help": "tried as --help",
        "agent login": "a conversation on a terminal", "agent install": "changes the machine before it says anything",
        "upgrade": "the same", "update": "the same", "agent workspace add": "the same",
        "agent workspace remove": "the same",
    ]

    private func full(_ box: Box, _ words: [String]) throws -> Finished {
        try run(
            "/bin/sh", ["-c", "exec \"$0\" \"$@\" > /dev/full", Programs.path("nexusctl")] + words,
            environment: [
                "NEXUS_RUNTIME_DIRECTORY": box.runtime, "NEXUS_STATE_DIRECTORY": box.state, "PATH": "/usr/bin:/bin",
                "HOME": box.directory,
            ])
    }

    private func names() throws -> Set<String> {
        func leaves(_ command: [String: Any], _ words: [String]) -> [String] {
            guard let more = command["subcommands"] as? [[String: Any]], !more.isEmpty else {
                return [words.joined(separator: " ")]
            }
            return more.flatMap { leaves($0, words + [$0["commandName"] as? String ?? "?"]) }
        }
        let help = try run(Programs.path("nexusctl"), ["--experimental-dump-help"])
        let all = try JSONSerialization.jsonObject(with: Data(help.output.utf8)) as? [String: Any]
        return Set(leaves(try #require(all?["command"] as? [String: Any]), []))
    }

    private func expectComplaint(
        _ answer: Finished, _ words: [String], status: Int32? = 1, of reason: String = "No space left on device"
    ) {
        #expect(answer.status != 0 && (status == nil || answer.status == status), "\(words): \(answer)")
        let complaint = "cannot write to standard output: \(reason)"
        #expect(answer.errors.contains(complaint), "\(words): \(answer)")
    }

    @Test func everyCommand_failsInWords_whenItsOutputIsNotTaken() throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        let tried = Set(Self.commands.map(\.name))
        #expect(try names() == tried.subtracting(["chat"]).union(Self.untried.keys), "nothing goes untried")
        for form in [[], ["--json"]] {
            for (name, more) in Self.commands {
                let words =
                    name.split(separator: " ").map(String.init)
                    + more.map { $0.replacingOccurrences(of: "DIR", with: box.directory + "/" + form.joined()) } + form
                if name == "recycle" { try box.waitReady() }
                let answer = try full(box, words)
                let isSilent = form.isEmpty ? Self.silent.contains(name) : Self.empty.contains(name)
                if isSilent {
                    #expect(answer.status == 0, "\(words): \(answer)")
                } else if Self.failing.contains(name) {
                    #expect(answer.status != 0 && !answer.errors.isEmpty, "\(words): \(answer)")
                } else {
                    expectComplaint(answer, words, status: name == "doctor" ? nil : 1)
                }
            }
        }
        for words in [["logs", "-f"], ["events", "-f"], ["--help"], ["status", "--help"], ["help", "status"]] {
            expectComplaint(try full(box, words), words)
        }
        try box.write("[child.web]\ncommand = 5\n")
        for words in [["check", "--json"], ["diff", "--json"], ["reload", "--json"]] {
            expectComplaint(try full(box, words), words, status: nil)
        }
        #expect(try full(box, ["check"]).status == 2)
        #expect(try full(box, ["is-ready", "wbe"]).status == 2, "what failed anyway keeps its status")
        #expect(box.stop() == 0)
    }

    /// What is opened first is not taken for it: the answer would go to whoever that is, as to nexusd.
    @Test(arguments: [[">&-"], ["<&-", ">&-"], ["2>&-", ">&-"]])
    func closedOutput_isNoConnection_andNoSuccess(closed: [String]) throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        let commands = [
            ["status"], ["status", "--json"], ["tree"], ["why", "chat-bridge"], ["events", "-n", "5"],
            ["logs", "nexusd"], ["metrics"], ["version"], ["completions", "bash"], ["check"], ["explain"], ["diff"],
            ["chat", "--list"], ["reload"], ["restart", "chat-bridge"], ["--help"],
        ]
        for words in commands {
            let answer = try run(
                "/bin/sh",
                ["-c", "exec \"$0\" \"$@\" \(closed.joined(separator: " "))", Programs.path("nexusctl")] + words,
                environment: [
                    "NEXUS_RUNTIME_DIRECTORY": box.runtime, "NEXUS_STATE_DIRECTORY": box.state, "PATH": "/usr/bin:/bin",
                    "HOME": box.directory,
                ])
            #expect(answer.status == 1, "\(words): \(answer)")
            if !closed.contains("2>&-") {
                #expect(
                    answer.errors.contains("cannot write to standard output: Bad file descriptor"),
                    "\(words): \(answer)")
            }
        }
        let status = try run(
            "/bin/sh", ["-c", "exec \"$0\" status <&- 2>&-", Programs.path("nexusctl")],
            environment: ["NEXUS_RUNTIME_DIRECTORY": box.runtime, "NEXUS_STATE_DIRECTORY": box.state])
        #expect(status.status == 0 && status.output.contains("chat-bridge"), "who can be answered is: \(status)")
        #expect(box.stop() == 0)
    }

    /// The other programs, asked directly.
    @Test(arguments: ["> /dev/full", ">&-"]) func otherPrograms_failInWordsToo(output: String) throws {
        let asked = [
            "nexus-config": [["keys"], ["schema"], ["explain"], ["explain", "delay.cap"], ["--help"], ["--version"]],
            "nexusd": [["--help"], ["--version"]], "echo-agent": [["--help"], ["serve", "--help"], ["--version"]],
        ]
        for (program, all) in asked {
            for words in all {
                let answer = try run("/bin/sh", ["-c", "exec \"$0\" \"$@\" \(output)", Programs.path(program)] + words)
                expectComplaint(
                    answer, [program] + words, of: output == ">&-" ? "Bad file descriptor" : "No space left on device")
            }
        }
    }
}

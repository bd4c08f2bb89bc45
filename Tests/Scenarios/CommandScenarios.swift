import Foundation
import Testing

/// Commands that need more than a nexusd: with `--json` each says one JSON object, or one a line, and nothing else. All
/// others are run so by EveryCommandTests.
@Suite(.timeLimit(.minutes(2))) struct CommandScenarios {
    /// The JSON objects that were said, one a line.
    private func objects(_ answer: Finished, status: Int32 = 0, _ what: String) throws -> [[String: Any]] {
        #expect(answer.status == status, "\(what): \(answer.errors)")
        let objects = answer.output.split(separator: "\n").map {
            try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
        #expect(!objects.isEmpty && !objects.contains { $0 == nil }, "\(what): \(answer.output.prefix(300))")
        return objects.compactMap { $0 }
    }

    private static let tree = "[child.web]\ncommand = [\"FIXTURE\", \"serve\"]\n"

    /// What takes as long to die as the kernel takes for its memory is ready no more when the command comes back.
    @Test func killedByCommand_isOverWhenTheCommandReturns() throws {
        let box = try Box(Self.tree)
        try box.start()
        try box.waitReady()
        for _ in 0..<5 {
            let run = try box.status().child("web")?.run
            #expect(try box.ctl("signal", "web", "KILL").status == 0)
            let now = try box.status().child("web")
            #expect(now?.run != run, "\(String(describing: now))")
            #expect(try box.ctl("wait", "web", "--ready", "--timeout", "20s").status == 0)
        }
        #expect(box.stop() == 0)
    }

    @Test func commandsOfTheFile_sayJSON() throws {
        let box = try Box(Self.tree)
        try box.start()
        try box.waitReady()
        #expect(try objects(box.ctl("check", "--json"), "check").first?["ok"] as? Bool == true)
        #expect(try objects(box.ctl("explain", "child.web.delay.cap", "--json"), "explain").count == 1)
        #expect(try objects(box.ctl("diff", "--json"), "diff").count == 1)
        #expect(try objects(box.ctl("reload", "--json"), "reload").last?["outcome"] as? String == "unchanged")
        try box.write(Self.tree + "[child.new]\ncommand = [\"FIXTURE\", \"serve\"]\n")
        let reload = try objects(box.ctl("reload", "--json"), "reload")
        #expect(reload.count == 1 && reload[0]["outcome"] as? String == "done", "\(reload)")
        let added = (reload[0]["children"] as? [[String: Any]])?.first
        #expect(added?["name"] as? String == "new" && added?["change"] as? String == "added", "\(reload)")
        #expect(try box.status().child("new")?.state == "ready")
        let report = try objects(box.ctl("report", "--json", "--output", box.directory + "/r.tgz"), "report")
        let archive = report.first?["file"] as? String
        #expect(archive == box.directory + "/r.tgz" && FileManager.default.fileExists(atPath: archive ?? ""))
        // What is in force and did not come up.
        try box.write(Self.tree + "[child.new]\ncommand = [\"FIXTURE\", \"exit\", \"3\"]\n")
        let failed = try objects(box.ctl("reload", "--json"), status: 1, "reload")
        #expect(failed.count == 1 && failed[0]["outcome"] as? String == "failed", "\(failed)")
        #expect((failed[0]["error"] as? String)?.contains("exit 3") == true && failed[0]["children"] is [Any])
        // Also what is refused is said to programs.
        try box.write("[child.web]\ncommand = 5\n")
        for command in ["diff", "reload"] {
            let refused = try objects(box.ctl(command, "--json"), status: 2, command).first
            let diagnostics = refused?["diagnostics"] as? [String] ?? []
            #expect(diagnostics.first?.contains("Supervisor.toml:2:11") == true, "\(diagnostics)")
        }
        #expect(try objects(box.ctl("check", "--json"), status: 2, "check").first?["ok"] as? Bool == false)
        #expect(box.stop() == 0)
    }

    /// JSON Schema of Supervisor.toml: JSON with and without a flag.
    @Test func schema_isJSON() throws {
        let schema = try run(Programs.path("nexus-config"), ["schema"])
        let object = try JSONSerialization.jsonObject(with: Data(schema.output.utf8)) as? [String: Any]
        #expect((object?["properties"] as? [String: Any])?.keys.contains("child") == true)
    }

    @Test func commandsOfTheChatAndTheTunnel_sayJSON() throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        #expect(try box.ctl("chat", "hello", "--json").status == 0)
        #expect(try objects(box.ctl("chat", "backup", box.directory + "/b", "--json"), "chat backup").count == 1)
        #expect(try objects(box.ctl("pair", "--here", "--json"), "pair").count == 1)
        #expect(try objects(box.ctl("password", "--show", "--json"), "password").first?["set"] as? Bool == false)
        #expect(try objects(box.ctl("tunnel", "status", "--json"), "tunnel status").count == 1)
        // The tunnel is off: what cannot be done is said on stderr, and on stdout stands nothing but JSON.
        for words in [
            ["devices", "list"], ["devices", "revoke", "nobody"], ["tunnel", "url"], ["tunnel", "check"],
            ["tunnel", "keep"], ["tunnel", "stop"], ["tunnel", "start"], ["tunnel", "mode", "off"],
        ] {
            let answer = try box.begin(words + ["--json"]).wait()
            let lines = answer.output.split(separator: "\n").map {
                try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
            }
            #expect(!lines.contains { $0 == nil }, "\(words): \(answer)")
            // A list of nothing is no line.
            #expect(!lines.isEmpty || !answer.errors.isEmpty || words == ["devices", "list"], "\(words): \(answer)")
        }
        #expect(box.stop() == 0)
    }
}

import Foundation
import Testing

/// What `nexusctl tunnel …` and `doctor` say and how they end, also when what they ask is away, late or wrong.
@Suite(.timeLimit(.minutes(3)), .enabled(if: TunnelBox.canMakeNetworks)) struct TunnelCommandScenarios {
    private struct Found: Decodable {
        struct Finding: Decodable {
            var level: String
            var subject: String
            var words: String
        }
        var findings: [Finding]
    }

    private func finding(_ tunnel: TunnelBox, _ subject: String) throws -> Found.Finding? {
        let answer = try tunnel.box.ctl("doctor", "--json")
        return try JSONDecoder().decode(Found.self, from: Data(answer.output.utf8)).findings
            .first { $0.subject == subject }
    }

    /// Members of the answer to `describe`, with their JSON types, as the table of docs/tunnel.md has them; `?`: not always.
    private static func documented() throws -> [String: String] {
        let text = try String(contentsOfFile: Programs.repository + "/docs/tunnel.md", encoding: .utf8)
        let table = try #require(text.components(separatedBy: "| member | type | meaning |\n|---|---|---|\n").last)
        let rows = table.split(separator: "\n", omittingEmptySubsequences: false).prefix { $0.hasPrefix("|") }
        return Dictionary(
            uniqueKeysWithValues: rows.map { row in
                let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
                return (cells[0].trimmingCharacters(in: ["`"]), cells[1])
            })
    }

    /// The type of one member.
    private struct Member: Decodable {
        var type: String

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if (try? value.decode(Bool.self)) != nil {
                type = "flag"
            } else if (try? value.decode(Int.self)) != nil {
                type = "number"
            } else {
                type = (try? value.decode(String.self)) == nil ? "something else" : "text"
            }
        }
    }

    private func isDocumented(_ tunnel: TunnelBox) throws {
        let answer = try tunnel.box.ctl("tunnel", "--json").output
        let members = try JSONDecoder().decode([String: Member].self, from: Data(answer.utf8))
        let table = try Self.documented()
        for (name, type) in table where !type.hasSuffix("?") { #expect(members[name] != nil, "\(name) is missing") }
        for (name, member) in members {
            #expect(table[name]?.trimmingCharacters(in: ["?"]) == member.type, "\(name) in docs/tunnel.md")
        }
    }

    @Test func url_isPrintedWhileItLeadsHere_andElseIsAFailureInWords() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        #expect(try tunnel.box.ctl("tunnel", "url").output == "https://chat.example.invalid\n")
        #expect(try tunnel.box.ctl("tunnel").output.contains("from anywhere at https://chat.example.invalid"))
        try isDocumented(tunnel)
        func fails(_ words: String) throws {
            for json in [["tunnel", "url"], ["tunnel", "url", "--json"], ["tunnel", "url", "--qr"]] {
                let answer = try tunnel.box.begin(json).wait()
                #expect(answer.status == 1 && answer.output.isEmpty, "\(answer.output)")
                #expect(answer.errors.contains("there is no address: \(words)"), "\(answer.errors)")
            }
            #expect(try tunnel.box.ctl("tunnel").output.contains("Reach    nobody from outside") || words == "off")
            try isDocumented(tunnel)
        }
        #expect(try tunnel.box.ctl("stop", "cloudflared").status == 0)
        try tunnel.waitState("stopped")
        try fails("stopped")
        #expect(try tunnel.box.ctl("tunnel").output.contains("https://chat.example.invalid   (does not lead here now)"))
        #expect(try finding(tunnel, "tunnel")?.level == "bad")
        #expect(try tunnel.box.ctl("tunnel", "stop").status == 0)
        try fails("off")
        // In the log as in status.
        #expect(
            try tunnel.box.ctl("tunnel").output.contains(
                "State    off: no tunnel brings others to the page; nexusctl tunnel start"))
        try tunnel.box.waitLog(
            "tunnel-worker", "the tunnel: off: no tunnel brings others to the page; nexusctl tunnel start")
        // What a start says is how it is right after it: on its way, so that nobody comes by it yet.
        try tunnel.set("never", "")
        let start = try tunnel.box.ctl("tunnel", "start")
        #expect(start.status == 0 && start.errors.isEmpty, "\(start)")
        for line in [
            "State    starting: cloudflared is not connected yet", "Mode     named, chosen by Supervisor.toml",
            "Address  https://chat.example.invalid   (does not lead here now)",
            "Reach    nobody from outside; browsers that were let in (nexusctl pair) at the address of `[chat] listen`",
        ] { #expect(start.output.contains(line + "\n"), "\(line): \(start.output)") }
        #expect(tunnel.box.stop() == 0)
    }

    /// The way is there, and so is its address; who goes it finds nobody.
    @Test func url_isPrintedWhileTheChatIsDown_andThatItIsIsAFailure() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        #expect(try tunnel.box.ctl("stop", "chat-bridge").status == 0)
        try tunnel.waitState("origin down")
        for words in [["tunnel", "url"], ["tunnel", "url", "--json"], ["tunnel", "url", "--qr"]] {
            let answer = try tunnel.box.begin(words).wait()
            #expect(answer.status == 1 && answer.output.contains("https://chat.example.invalid"), "\(answer)")
            #expect(answer.errors.contains("nobody is at home: origin down"), "\(answer.errors)")
        }
        #expect(try tunnel.box.ctl("start", "chat-bridge").status == 0)
        try tunnel.waitState("connected 4/4")
        #expect(try tunnel.box.ctl("tunnel", "url").status == 0)
        #expect(tunnel.box.stop() == 0)
    }

    /// Each remedy that names a command, where it is named, as it is typed: none leads into the next trouble.
    @Test func remedies_workWhenTheyAreTyped() throws {
        let tunnel = try TunnelBox(mode: "off", url: nil)
        func line(_ child: String) throws -> String {
            let row = try tunnel.box.ctl("status").output.split(separator: "\n")
                .first { $0.drop { $0 == " " }.hasPrefix(child) }
            return row.map(String.init) ?? ""
        }
        try tunnel.start()
        try tunnel.box.waitReady()
        #expect(try line("cloudflared").hasSuffix("off until tunnel-worker starts it; nexusctl tunnel"))
        // By its name there is nothing to start, and its words lead to the one that says more.
        #expect(try tunnel.box.ctl("start", "cloudflared").status != 0)
        #expect(
            try tunnel.box.ctl("why", "cloudflared").output.contains("nexusctl tunnel says why, and how it goes on"))
        #expect(
            try tunnel.box.ctl("tunnel").output.contains(
                "off: no tunnel brings others to the page; nexusctl tunnel setup"))
        let start = try tunnel.box.ctl("tunnel", "start")
        #expect(start.status == 2 && start.errors.contains("nexusctl tunnel mode quick, named or token"), "\(start)")
        let setup = try tunnel.box.ctl("tunnel", "setup", input: "quick\n", limit: .seconds(60))
        #expect(setup.status == 0, "\(setup.output)\(setup.errors)")
        // Stopped by its name and started so it is on by command, and whoever looks after it says what there is to do.
        #expect(try tunnel.box.ctl("stop", "cloudflared").status == 0)
        #expect(try tunnel.box.ctl("start", "cloudflared").status == 0)
        let on = try line("cloudflared")
        #expect(on.hasSuffix("on by command; nexusctl tunnel"), "\(on)")
        try tunnel.waitState("connected 1/1")
        // Its start by name does not make it anybody else's while it is held.
        #expect(try tunnel.box.ctl("tunnel", "stop").status == 0)
        try tunnel.box.wait("cloudflared to be off") { $0.child("cloudflared")?.state == "off" }
        #expect(try line("cloudflared").hasSuffix("off until tunnel-worker starts it; nexusctl tunnel"))
        #expect(try tunnel.box.ctl("why", "cloudflared").output.contains("nothing until tunnel-worker starts it"))
        #expect(try tunnel.box.ctl("tunnel", "start").status == 0)
        try tunnel.waitState("connected 1/1")
        #expect(try tunnel.box.ctl("reset", "cloudflared").status == 0)
        let stopped = try tunnel.waitState("stopped")
        #expect(stopped.words.contains("stopped (or reset) by its name; it stays so until nexusctl tunnel start"))
        #expect(try tunnel.box.ctl("tunnel", "start").status == 0)
        try tunnel.waitState("connected 1/1")
        // A choice that is torn, where the file has no mode that a start could take.
        let worker = try #require(try tunnel.box.status().pid("tunnel-worker"))
        try "{ torn".write(toFile: tunnel.box.state + "/tunnel/choice.json", atomically: true, encoding: .utf8)
        kill(worker, SIGKILL)
        try tunnel.box.waitReplaced("tunnel-worker", worker)
        #expect(try tunnel.waitState("off").words.contains("it stays off until nexusctl tunnel setup"))
        #expect(try tunnel.box.ctl("tunnel", "setup", input: "quick\n", limit: .seconds(60)).status == 0)
        #expect(tunnel.box.stop() == 0)
    }

    @Test func doctor_looksAtCloudflared_whereTunnelWorkerLooks() throws {
        let tunnel = try TunnelBox(mode: "off", url: nil)
        let toml = try String(contentsOfFile: tunnel.box.config, encoding: .utf8)
        let without = toml.replacingOccurrences(of: "program = \"\(tunnel.bin)/cloudflared\"\n", with: "")
        // Not nexusd's PATH, nor that of whoever asks.
        let path = "\nPATH = \"\(tunnel.box.directory)/none:\(tunnel.bin)\"\nNEXUS_TUNNEL = "
        try tunnel.box.write(without.replacingOccurrences(of: "\nNEXUS_TUNNEL = ", with: path))
        try tunnel.start()
        try tunnel.box.waitReady()
        let found = try #require(try finding(tunnel, "cloudflared"))
        #expect(found.level == "ok" && found.words == "\(tunnel.bin)/cloudflared, 2026.8.2", "\(found)")

        try FileManager.default.removeItem(atPath: tunnel.bin + "/cloudflared")
        let off = try #require(try finding(tunnel, "cloudflared"))
        #expect(off.level == "ok" && off.words.hasPrefix("not needed while the tunnel is off"), "\(off)")
        let start = try tunnel.box.ctl("tunnel", "mode", "quick")
        #expect(start.status == 2, "\(start.output)")
        for words in ["cloudflared is not installed", "\(tunnel.box.directory)/none \(tunnel.bin) ", "install it"] {
            #expect(off.words.contains(words) && start.errors.contains(words), "\(words): \(off) \(start.errors)")
        }
        #expect(!start.errors.contains("the file was refused"), "\(start.errors)")
        #expect(tunnel.box.stop() == 0)
    }

    /// It was heard of by nobody yet, and refused by nobody. A minute long: with NEXUS_LONG=1.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["NEXUS_LONG"] == "1"))
    func wishThatNobodyAnswers_mayStillBeTaken_andThatIsSaid() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        let worker = try #require(try tunnel.box.status().pid("tunnel-worker"))
        kill(worker, SIGSTOP)
        defer { kill(worker, SIGCONT) }
        let stop = try run(
            Programs.path("nexusctl"), ["tunnel", "stop"],
            environment: ["NEXUS_RUNTIME_DIRECTORY": tunnel.box.runtime], limit: .seconds(90))
        #expect(stop.status == 5, "\(stop)")
        #expect(stop.errors.contains("did not answer within "), "\(stop.errors)")
        #expect(stop.errors.contains("it may still do what was asked, as soon as it goes on"), "\(stop.errors)")
        kill(worker, SIGCONT)
        try tunnel.waitState("off")
        #expect(tunnel.box.stop() == 0)
    }

    /// Each verb with words that make no sense, without nexusd, and with a tunnel-worker that is off, hangs, or comes back.
    @Test func eachVerb_endsInTimeWithWords_whateverIsAway() throws {
        let tunnel = try TunnelBox(mode: "named")
        let verbs = [
            ["status"], ["start"], ["stop"], ["mode", "named"], ["keep"], ["url"], ["check"], ["setup"],
        ].map { ["tunnel"] + $0 }
        func all(_ status: Int32, _ words: String, among verbs: [[String]]) throws {
            for verb in verbs {
                let answer = try run(
                    Programs.path("nexusctl"), verb, environment: ["NEXUS_RUNTIME_DIRECTORY": tunnel.box.runtime],
                    input: "", limit: .seconds(30))
                #expect(answer.status == status && answer.errors.contains(words), "\(verb): \(answer)")
            }
        }
        try all(3, "no supervisor is running", among: verbs)
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        try all(2, "there is no command 'tunnel stats'; did you mean 'status'?", among: [["tunnel", "stats"]])
        try all(2, "there is no command 'tunnel bogus'", among: [["tunnel", "bogus"]])
        try all(2, "Unexpected argument", among: verbs.map { $0 + ["more"] })
        try all(2, "Unknown option", among: verbs.map { $0 + ["--nonsense"] })
        try all(2, "off, quick, named and token, and file for", among: [["tunnel", "mode", "fast"]])
        try all(1, "nothing is on trial", among: [["tunnel", "keep"]])
        try all(2, "Missing expected argument", among: [["tunnel", "mode"]])

        let worker = try #require(try tunnel.box.status().pid("tunnel-worker"))
        kill(worker, SIGSTOP)
        try all(5, "tunnel-worker did not answer within 10 s", among: [["tunnel", "status"]])
        kill(worker, SIGCONT)
        // Twice, so that its delay is felt: it is waited for, and answers.
        kill(worker, SIGKILL)
        let next = try tunnel.box.waitReplaced("tunnel-worker", worker)
        kill(next, SIGKILL)
        #expect(try tunnel.box.ctl("tunnel", "--json").status == 0)

        #expect(try tunnel.box.ctl("stop", "tunnel-worker").status == 0)
        try all(1, "tunnel-worker is off: stopped by command; nexusctl start tunnel-worker", among: verbs)
        #expect(try finding(tunnel, "tunnel")?.words.contains("tunnel-worker is off") == true)
        #expect(tunnel.box.stop() == 0)
    }
}

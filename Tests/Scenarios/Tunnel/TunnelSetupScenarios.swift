import Foundation
import Testing

/// `nexusctl tunnel setup`, answered by somebody at a terminal and from a pipe.
@Suite(.timeLimit(.minutes(3)), .enabled(if: TunnelBox.canMakeNetworks)) struct TunnelSetupScenarios {
    private let question = (
        way: "Which way? ", file: "The file, from /: ", address: "The page's address: ",
        lines: "Press Enter when they are there: "
    )

    /// Wide enough that no sentence that is looked for is folded.
    private func walk(_ tunnel: TunnelBox, columns: UInt16 = 1000) throws -> Typist {
        try Typist(
            Programs.path("nexusctl"), ["tunnel", "setup"],
            environment: ["NEXUS_RUNTIME_DIRECTORY": tunnel.box.runtime, "TERM": "xterm", "NO_COLOR": "1"],
            columns: columns)
    }

    /// Waits for a question, and answers it.
    private func answer(_ typist: Typist, _ question: String, _ text: String) throws {
        try typist.until("'\(question)'") { $0.seen.hasSuffix(question) }
        typist.forget()
        typist.type(text + "\n")
    }

    private func expect(_ typist: Typist, _ words: String) throws {
        try typist.until("'\(words)'") { $0.seen.contains(words) }
    }

    private func box(_ more: String = "") throws -> TunnelBox {
        let tunnel = try TunnelBox(mode: "off", url: nil)
        let toml = try String(contentsOfFile: tunnel.box.config, encoding: .utf8)
        try tunnel.box.write(
            toml.replacingOccurrences(
                of: "\ndelay = { first = \"500ms\", cap = \"1s\" }",
                with: "\ndelay = { first = \"50ms\", cap = \"50ms\"\(more) }"))
        try tunnel.start()
        try tunnel.box.waitReady()
        return tunnel
    }

    private func nameThePage(_ tunnel: TunnelBox) throws {
        let toml = try String(contentsOfFile: tunnel.box.config, encoding: .utf8)
        try tunnel.box.write(
            toml.replacingOccurrences(
                of: "\n# url = \"https", with: "\nurl = \"https://chat.example.invalid\"\n# url = \"https"))
    }

    @Test func everyAnswerWrongOnce_isSaidWithItsField_andAskedAgain() throws {
        let tunnel = try box()
        let typist = try walk(tunnel)
        try answer(typist, question.way, "fast")
        try expect(typist, "'fast' is none of quick, named and token")
        try answer(typist, question.way, "named")
        for (file, words) in [("", "name the file"), ("/no/such", "cannot open /no/such")] {
            try answer(typist, question.file, file)
            try expect(typist, "[tunnel] credentials-file: \(words)")
        }
        try answer(typist, question.file, tunnel.box.directory + "/credentials.json")
        for (address, words) in [
            ("", "'' is not https:// and a name"), ("http://chat.example.invalid", "is not https:// and a name"),
            ("https://192.0.2.5", "'192.0.2.5' is no name that Cloudflare brings people to"),
            ("https://[2001:db8::5]", "is no"), ("https://box", "'box' is no name"),
            ("https://chat.example.invalid/page", "nothing behind it"),
            ("https://chat.example.invalid:8443", "nothing behind it"),
        ] {
            try answer(typist, question.address, address)
            try expect(typist, "[chat] url: ")
            try expect(typist, words)
        }
        // The name alone says as much.
        try answer(typist, question.address, "chat.example.invalid")
        try expect(typist, "url = \"https://chat.example.invalid\"")
        try answer(typist, question.lines, "")
        try expect(typist, "the lines are not in force yet")
        #expect(try tunnel.described().state == "off")
        try nameThePage(tunnel)
        try answer(typist, question.lines, "")
        try expect(typist, "Address   https://chat.example.invalid")
        #expect(typist.wait() == 0)
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }

    /// What is no word, as a path, goes over the edge alone; an answer is taken in any case of its letters.
    @Test(arguments: [60, 80] as [UInt16]) func narrowTerminal_tearsNoWord(_ columns: UInt16) throws {
        let tunnel = try box()
        var rows: [Substring] = []
        func keep(_ typist: Typist) { rows += typist.seen.split(whereSeparator: \.isNewline) }
        for way in ["NAMED\t", "Token "] {
            let typist = try walk(tunnel, columns: columns)
            try typist.until("the ways") { $0.seen.hasSuffix(question.way) }
            keep(typist)
            try answer(typist, question.way, way)
            try typist.until("what it needs") { $0.seen.hasSuffix(question.file) }
            keep(typist)
            try answer(typist, question.file, "/no/such")
            try typist.until("the question anew") { $0.seen.hasSuffix(question.file) }
            keep(typist)
            typist.type("\u{3}")
            #expect(typist.wait() == 130)
        }
        for row in rows where row.count > Int(columns) {
            #expect(!row.drop { $0 == " " }.contains(" "), "\(row)")
        }
        #expect(rows.contains { $0.hasPrefix("    cloudflared tunnel create nexus") }, "\(rows)")
        #expect(rows.count > 20)
        #expect(tunnel.box.stop() == 0)
    }

    @Test func leavingAtAnyQuestion_changesNothing() throws {
        let tunnel = try box()
        let before = try String(contentsOfFile: tunnel.box.config, encoding: .utf8)
        let answers = [
            (question.way, "named"), (question.file, tunnel.box.directory + "/credentials.json"),
            (question.address, "https://chat.example.invalid"), (question.lines, ""),
        ]
        for leaving in answers.indices {
            for key in ["\u{3}", "\u{4}"] {
                let typist = try walk(tunnel)
                for (question, text) in answers.prefix(leaving) { try answer(typist, question, text) }
                try typist.until("the question") { $0.seen.hasSuffix(answers[leaving].0) }
                typist.type(key)
                try typist.until("what is said at the end") {
                    $0.seen.contains("no tunnel was chosen, and none started")
                }
                #expect(typist.wait() == 130, "\(answers[leaving].0)")
            }
        }
        #expect(try tunnel.described().state == "off")
        #expect(!FileManager.default.fileExists(atPath: tunnel.box.state + "/tunnel/choice.json"))
        #expect(try String(contentsOfFile: tunnel.box.config, encoding: .utf8) == before)
        #expect(try tunnel.box.status().child("cloudflared")?.run == nil)
        #expect(tunnel.box.stop() == 0)
    }

    /// Enter reloads the file as it is, and that is not undone by leaving.
    @Test func leavingAfterAReload_saysThatTheFileIsInForce() throws {
        let tunnel = try box()
        let typist = try walk(tunnel)
        try answer(typist, question.way, "named")
        try answer(typist, question.file, tunnel.box.directory + "/credentials.json")
        try answer(typist, question.address, "chat.example.invalid")
        try typist.until("the lines") { $0.seen.hasSuffix(question.lines) }
        #expect(typist.seen.contains("Enter reloads it as it is then"), "\(typist.seen)")
        try answer(typist, question.lines, "")
        try expect(typist, "the file was reloaded as it is, and the lines are not in force yet")
        try typist.until("the question anew") { $0.seen.hasSuffix(question.lines) }
        typist.type("\u{3}")
        try expect(typist, "the file was reloaded when you pressed Enter, and what it says is in force")
        #expect(typist.wait() == 130)
        #expect(try tunnel.described().state == "off")
        #expect(tunnel.box.stop() == 0)
    }

    /// The line is thrown away by Ctrl-C, whether nexusctl had been told of it or not (1 in 130 times, where it waited for another).
    @Test func leavingWhileALineArrives_isHeardAtOnce() throws {
        let tunnel = try box()
        for _ in 0..<(ProcessInfo.processInfo.environment["NEXUS_LONG"] == "1" ? 400 : 20) {
            let typist = try walk(tunnel)
            try typist.until("the question") { $0.seen.hasSuffix(question.way) }
            typist.type("quick\n")
            typist.type("\u{3}")
            #expect(typist.wait(.seconds(5)) == 130)
        }
        #expect(try tunnel.described().state == "off")
        #expect(tunnel.box.stop() == 0)
    }

    /// While tunnel-worker hangs over a look, over the wish itself, and over how it is: heard at once, not after its time.
    @Test func leavingDuringARequest_isHeardAtOnce() throws {
        let tunnel = try box()
        let worker = try #require(try tunnel.box.status().pid("tunnel-worker"))
        let typist = try walk(tunnel)
        try typist.until("the question") { $0.seen.hasSuffix(question.way) }
        kill(worker, SIGSTOP)
        defer { kill(worker, SIGCONT) }
        typist.type("quick\n")
        try typist.until("the answer's echo") { $0.seen.hasSuffix("quick\r\n") }
        typist.type("\u{3}")
        #expect(typist.wait(.seconds(5)) == 130)
        kill(worker, SIGCONT)
        #expect(try tunnel.described().state == "off")

        // On its way it is left there.
        try tunnel.set("never", "")
        let other = try walk(tunnel)
        try answer(other, question.way, "quick")
        try expect(other, "State     starting")
        kill(worker, SIGSTOP)
        // Another question has been asked by now, or the pause before it goes on.
        other.type("\u{3}")
        try expect(other, "left while it was on its way")
        #expect(other.wait(.seconds(5)) == 1)
        kill(worker, SIGCONT)
        #expect(tunnel.box.stop() == 0)
    }

    /// Nothing that is waited for here brings one: it is said, and what was chosen starts when there is one.
    @Test func withoutANetwork_isSaidWithinSeconds_andTheChoiceStands() throws {
        let tunnel = try TunnelBox(mode: "off", url: nil)
        try tunnel.start(network: false)
        try tunnel.box.waitReady()
        // A last line without its end is an answer all the same.
        let done = try tunnel.box.ctl("tunnel", "setup", input: "quick", limit: .seconds(40))
        #expect(done.status == 1, "\(done.output)\(done.errors)")
        for words in ["it is chosen, and cannot come to stand now: no network", "it starts by itself"] {
            #expect(done.errors.contains(words), "\(words): \(done.errors)")
        }
        try tunnel.network(true)
        try tunnel.waitState("connected 1/1")
        #expect(tunnel.box.stop() == 0)
    }

    @Test func tokenTunnelWithoutAName_hasThatOfItsRules() throws {
        let tunnel = try box()
        let chat = "unix:\(tunnel.box.runtime)/chat.sock"
        let rule = #"{"hostname":"rules.example.invalid","service":"\#(chat)"},{"service":"http_status:404"}"#
        try tunnel.set("remote", #"{"ingress":[\#(rule)]}"#)
        let answers = "token\n\(tunnel.box.directory)/token\n\n"
        let done = try tunnel.box.ctl("tunnel", "setup", input: answers, limit: .seconds(60))
        #expect(done.status == 0, "\(done.output)\(done.errors)")
        #expect(done.output.contains("Address   https://rules.example.invalid"), "\(done.output)")
        let named = try tunnel.box.ctl(
            "tunnel", "setup", input: "named\n\(tunnel.box.directory)/credentials.json\n\n")
        #expect(named.status == 2 && named.errors.contains("[chat] url: ''"), "\(named.errors)")
        #expect(tunnel.box.stop() == 0)
    }

    @Test func parkedCloudflared_isStartedAnew_andItsOldEndIsNoStateOfThisStart() throws {
        let tunnel = try box(", park-after = 2")
        func park() throws {
            try tunnel.set("crash", "3")
            try tunnel.box.wait("cloudflared to be parked", limit: .seconds(40)) {
                $0.child("cloudflared")?.state == "parked"
            }
        }
        #expect(try tunnel.box.ctl("tunnel", "mode", "quick").status == 0)
        try park()
        let parked = try tunnel.box.ctl("tunnel").output
        #expect(parked.contains("Next     cloudflared is parked, next try in 1"), "\(parked)")

        // It parks again in this start: said, and no endless wait.
        let again = try tunnel.box.ctl("tunnel", "setup", input: "quick\n", limit: .seconds(60))
        #expect(again.status == 1 && again.errors.contains("cloudflared is parked: "), "\(again.output)\(again.errors)")
        #expect(again.errors.contains("nexusctl tunnel start tries it at once"), "\(again.errors)")

        // At a terminal that is asked first, each time; leaving before the start changes nothing.
        let anew = "Press Enter to start it anew: "
        let choice = FileManager.default.contents(atPath: tunnel.box.state + "/tunnel/choice.json")
        for isStarted in [false, true] {
            let owner = try walk(tunnel)
            try answer(owner, question.way, "quick")
            if isStarted { try answer(owner, anew, "") }
            try owner.until("the offer") { $0.seen.hasSuffix(anew) }
            #expect(owner.seen.contains("cloudflared is parked: "))
            owner.type("\u{3}")
            #expect(owner.wait() == (isStarted ? 1 : 130))
        }
        #expect(FileManager.default.contents(atPath: tunnel.box.state + "/tunnel/choice.json") == choice)

        // A reload that meets it is no reason to ask for the lines again.
        try tunnel.set("crash", nil)
        try nameThePage(tunnel)
        let typist = try walk(tunnel)
        try answer(typist, question.way, "named")
        try answer(typist, question.file, tunnel.box.directory + "/credentials.json")
        try answer(typist, question.address, "https://chat.example.invalid")
        try answer(typist, question.lines, "")
        try expect(typist, "Address   https://chat.example.invalid")
        #expect(!typist.seen.contains("crashed"), "\(typist.seen)")
        #expect(typist.wait() == 0)
        #expect(tunnel.box.stop() == 0)
    }
}

import Foundation
import Testing

/// The tunnel with the stand-in of cloudflared, each box in a network namespace of its own.
@Suite(.timeLimit(.minutes(5)), .enabled(if: TunnelBox.canMakeNetworks)) struct TunnelScenarios {
    @Test func namedTunnel_connectsIsReachedChecksStopsAndStaysStopped() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.start()
        let connected = try tunnel.waitState("connected 4/4")
        #expect(connected.state == "connected")
        #expect(connected.connections == 4)
        #expect(try tunnel.box.ctl("tunnel", "url").output == "https://chat.example.invalid\n")
        let drawn = try tunnel.box.ctl("tunnel", "url", "--qr").output
        #expect(drawn.contains("█") && drawn.hasPrefix("https://chat.example.invalid\n"))
        // Each process of the tree is where nothing but loopback is (TunnelBox.start): what was carried did not leave.
        func network(_ pid: Int32) throws -> String {
            try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/net")
        }
        for pid in try tunnel.box.status().children.compactMap(\.pid) {
            #expect(try network(pid) == network(tunnel.box.pid))
        }

        #expect(try tunnel.visit("/").status == "200")
        #expect(try tunnel.visit("/", host: "other.example.invalid").status == "404")
        let check = try tunnel.box.ctl("tunnel", "check")
        #expect(check.status == 0, "\(check.output)\(check.errors)")

        let mode = try FileManager.default.attributesOfItem(atPath: tunnel.box.state + "/tunnel/config.yml")
        #expect(mode[.posixPermissions] as? Int == 0o600)

        #expect(try tunnel.box.ctl("tunnel", "stop").status == 0)
        try tunnel.waitState("off")
        try tunnel.box.wait("cloudflared to be off") { $0.child("cloudflared")?.state == "off" }
        #expect(tunnel.box.stop() == 0)
        try tunnel.start()
        try tunnel.box.waitReady()
        #expect(try tunnel.described().state == "off")
        #expect(try tunnel.box.status().child("cloudflared")?.state == "off")
        #expect(try tunnel.box.ctl("tunnel", "start").status == 0)
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }

    @Test func quickTunnel_hasItsOwnAddress_andAnotherAfterACrash() throws {
        let tunnel = try TunnelBox(mode: "quick", url: nil)
        try tunnel.start()
        let first = try #require(try tunnel.waitState("connected 1/1").url)
        #expect(first.hasSuffix(".trycloudflare.com"))
        let host = String(first.dropFirst("https://".count))
        #expect(try tunnel.visit("/", host: host).status == "200")
        let pid = try #require(try tunnel.box.status().pid("cloudflared"))
        kill(pid, SIGKILL)
        try tunnel.box.waitReplaced("cloudflared", pid)
        try tunnel.box.wait("another address") { _ in
            let now = try tunnel.described()
            return now.state == "connected" && now.url != nil && now.url != first
        }
        let second = try #require(try tunnel.described().url)
        for url in [first, second] { try tunnel.box.waitLog("tunnel-worker", "the page is reached at \(url)") }
        #expect(try tunnel.visit("/", host: String(second.dropFirst("https://".count))).status == "200")
        #expect(tunnel.box.stop() == 0)
    }

    @Test func setup_asksChecksEachAnswerAndStartsTheTunnel() throws {
        let tunnel = try TunnelBox(mode: "off", url: nil)
        try tunnel.start()
        try tunnel.box.waitReady()
        let other = try tunnel.box.ctl("tunnel", "setup", input: "fast\n")
        #expect(other.status == 2)
        #expect(other.errors.contains("'fast' is none of quick, named and token"), "\(other.errors)")
        let missing = try tunnel.box.ctl("tunnel", "setup", input: "named\n/no/such\n")
        #expect(missing.errors.contains("[tunnel] credentials-file: cannot open /no/such"), "\(missing.errors)")
        let file = tunnel.box.directory + "/credentials.json"
        let path = try tunnel.box.ctl("tunnel", "setup", input: "named\n\(file)\nhttps://chat.example.invalid/page\n")
        #expect(path.errors.contains("is not https:// and a name, nothing behind it"), "\(path.errors)")
        #expect(try tunnel.described().state == "off")

        // Left before the last answer: nothing was changed.
        let left = try tunnel.box.ctl("tunnel", "setup", input: "named\n\(file)\nhttps://chat.example.invalid\n")
        #expect(left.status == 130)
        for words in [
            "left before the last answer (the input ended, or Ctrl-C)", "no tunnel was chosen, and none started",
        ] {
            #expect(left.errors.contains(words), "\(left.errors)")
        }
        // The end of the last line is no answer to the next question.
        let torn = try tunnel.box.ctl("tunnel", "setup", input: "named\n\(file)\nhttps://chat.example.invalid")
        #expect(torn.status == 130 && torn.errors.contains("left before the last answer"), "\(torn)")
        #expect(left.output.contains("url = \"https://chat.example.invalid\""), "\(left.output)")
        #expect(left.output.contains("id = \"\(TunnelBox.tunnel)\""), "\(left.output)")
        let secret = Data(repeating: 7, count: 32).base64EncodedString()
        #expect(!left.output.contains(secret))
        #expect(try tunnel.described().state == "off")

        // The lines are written; the box's file has those of [tunnel] already.
        let toml = try String(contentsOfFile: tunnel.box.config, encoding: .utf8)
        try tunnel.box.write(
            toml.replacingOccurrences(
                of: "\n# url = \"https", with: "\nurl = \"https://chat.example.invalid\"\n# url = \"https"))
        let done = try tunnel.box.ctl(
            "tunnel", "setup", input: "named\n\(file)\nhttps://chat.example.invalid\n\n", limit: .seconds(120))
        #expect(done.status == 0, "\(done.output)\(done.errors)")
        #expect(done.output.contains("Address   https://chat.example.invalid"), "\(done.output)")
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }

    @Test func tokenTunnel_waitsForItsRules_andIsStoppedWhenTheyExposeMore() throws {
        let tunnel = try TunnelBox(mode: "token", url: nil)
        let toml = try String(contentsOfFile: tunnel.box.config, encoding: .utf8)
        try tunnel.box.write(
            toml.replacingOccurrences(
                of: "\nrequires = [\"tunnel-worker\"]",
                with: "\nrequires = [\"tunnel-worker\"]\n"
                    + "environment = { TUNNEL_TRANSPORT_PROTOCOL = \"http2\", NO_AUTOUPDATE = \"false\" }"))
        try tunnel.start()
        try tunnel.waitState("waiting for configuration")
        #expect(try tunnel.visit("/").status == "404")
        let chat = #"{"hostname":"chat.example.invalid","service":"unix:\#(tunnel.box.runtime)/chat.sock"}"#
        let end = #"{"service":"http_status:404"}"#
        try tunnel.set("remote", #"{"ingress":[\#(chat),\#(end)]}"#)
        let connected = try tunnel.waitState("connected 4/4")
        #expect(connected.url == "https://chat.example.invalid")
        #expect(try tunnel.visit("/").status == "200")
        // Of nexusd's environment its marks alone reach cloudflared, for which each `TUNNEL_*` is a setting.
        let environment = try Self.environment(of: try #require(try tunnel.box.status().pid("cloudflared")))
        #expect(
            environment.map { $0.prefix { $0 != "=" } } == ["NEXUS_CHILD", "NEXUS_LIFE", "NEXUS_RUN_ID", "PATH"],
            "\(environment)")
        // The token is in a file: nobody reads it in /proc.
        let pid = try #require(try tunnel.box.status().pid("cloudflared"))
        let token = try String(contentsOfFile: tunnel.box.directory + "/token", encoding: .utf8).dropLast()
        for file in ["cmdline", "environ"] {
            let text = String(
                decoding: FileManager.default.contents(atPath: "/proc/\(pid)/\(file)") ?? Data(), as: UTF8.self)
            #expect(!text.isEmpty && !text.contains(token), "\(file)")
        }

        try tunnel.set(
            "remote",
            #"{"ingress":[\#(chat),{"hostname":"x.example.invalid","service":"http://127.0.0.1:4096"},\#(end)]}"#)
        let exposed = try tunnel.waitState("exposes more than the chat")
        #expect(exposed.words.contains("rule 2 leads x.example.invalid to http://127.0.0.1:4096"), "\(exposed.words)")
        try tunnel.box.wait("cloudflared to be stopped") { $0.child("cloudflared")?.state == "off" }

        // Mended, and then without an end that refuses the rest.
        try tunnel.set("remote", #"{"ingress":[\#(chat),\#(end)]}"#)
        #expect(try tunnel.box.ctl("tunnel", "start").status == 0)
        try tunnel.waitState("connected 4/4")
        try tunnel.set("remote", #"{"ingress":[\#(chat)]}"#)
        let open = try tunnel.waitState("exposes more than the chat")
        #expect(open.words.contains("there is no last rule http_status:404 for all the rest"), "\(open.words)")
        try tunnel.box.wait("cloudflared to be stopped") { $0.child("cloudflared")?.state == "off" }
        #expect(tunnel.box.stop() == 0)
    }

    private static func environment(of pid: Int32) throws -> [String] {
        let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/environ") ?? Data()
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }.sorted()
    }

    /// Whoever migrated the tunnel to the dashboard: what is in force is read from cloudflared, not from our file.
    @Test(arguments: ["named", "quick"]) func pushedRule_isExposure_inTheOtherModesToo(_ mode: String) throws {
        let tunnel = try TunnelBox(mode: mode, url: mode == "quick" ? nil : "https://chat.example.invalid")
        try tunnel.start()
        try tunnel.waitState(mode == "quick" ? "connected 1/1" : "connected 4/4")
        try tunnel.set("migrated", "")
        try tunnel.set(
            "remote",
            #"{"ingress":[{"service":"unix:\#(tunnel.box.runtime)/chat.sock","hostname":"a.example.invalid"},"#
                + #"{"hostname":"x.example.invalid","service":"http://127.0.0.1:4096"},{"service":"http_status:404"}]}"#
        )
        let exposed = try tunnel.waitState("exposes more than the chat")
        #expect(exposed.words.contains("rule 2 leads x.example.invalid to http://127.0.0.1:4096"), "\(exposed.words)")
        try tunnel.box.wait("cloudflared to be stopped") { $0.child("cloudflared")?.state == "off" }
        #expect(tunnel.box.stop() == 0)
    }

    /// A clean exit that nobody asked for is one too.
    @Test(arguments: [("3", "exit 3"), ("0", "exit 0, as if it had been told to end")])
    func crash_isSaidWithItsEnd_andItIsBackWithItsAddress(_ code: String, _ words: String) throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        let pid = try #require(try tunnel.box.status().pid("cloudflared"))
        // The next run does not connect before the line was read; it does not end as well, for a program that ends with 0 just
        // after its start is one that goes into the background, and is parked.
        try tunnel.set("never", "")
        try tunnel.set("crash-pid", "\(pid)")
        try tunnel.set("crash", code)
        let crashed = try tunnel.waitLine("crashed")
        #expect(crashed.hasPrefix("crashed: \(words)"), "\(crashed)")
        if code == "0" {
            let why = try tunnel.box.ctl("why", "cloudflared").output
            #expect(why.contains("a clean exit, and nobody asked for it: it must run"), "\(why)")
        }
        try tunnel.set("never", nil)
        try tunnel.box.waitReplaced("cloudflared", pid)
        let back = try tunnel.waitState("connected 4/4")
        #expect(back.url == "https://chat.example.invalid")
        #expect(tunnel.box.stop() == 0)
    }

    @Test func refusedCredentials_areParkedWithTheReason() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.set("refuse", "")
        try tunnel.start()
        let refused = try tunnel.waitState("credentials refused", limit: .seconds(40))
        #expect(refused.words.contains("Unauthorized: Invalid tunnel secret"), "\(refused.words)")
        try tunnel.box.wait("cloudflared to be stopped") { $0.child("cloudflared")?.state == "off" }
        try tunnel.set("refuse", nil)
        #expect(try tunnel.box.ctl("tunnel", "start").status == 0)
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }

    /// Mended where it was wrong: nobody has to say so besides.
    @Test func refusedCredentials_areTriedAgainWithAnotherSecret() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.set("refuse", "")
        try tunnel.start()
        let refused = try tunnel.waitState("credentials refused", limit: .seconds(40))
        #expect(refused.words.contains("or when the file has another secret"), "\(refused.words)")
        try tunnel.box.wait("cloudflared to be stopped") { $0.child("cloudflared")?.state == "off" }
        try tunnel.set("refuse", nil)
        let old = try String(contentsOfFile: tunnel.box.directory + "/credentials.json", encoding: .utf8)
        try tunnel.secretFile(
            "credentials.json",
            old.replacingOccurrences(
                of: Data(repeating: 7, count: 32).base64EncodedString(),
                with: Data(repeating: 8, count: 32).base64EncodedString()))
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }

    @Test func selfUpdate_isBackAndSaid() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        let pid = try #require(try tunnel.box.status().pid("cloudflared"))
        try tunnel.set("update-pid", "\(pid)")
        try tunnel.set("update", "2026.9.0")
        try tunnel.box.waitReplaced("cloudflared", pid)
        try tunnel.waitState("connected 4/4")
        #expect(try tunnel.box.status().child("cloudflared")?.lastEnd?.code == 11)
        #expect(tunnel.box.stop() == 0)
    }

    @Test func badSettings_areNamed_andWhatRunsGoesOn() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        let pid = try #require(try tunnel.box.status().pid("cloudflared"))
        let quick = try tunnel.box.ctl("tunnel", "mode", "quick")
        #expect(quick.status == 2 && quick.errors.contains("[chat] url"), "\(quick.errors)")
        try tunnel.secretFile("token", "nonsense")
        let token = try tunnel.box.ctl("tunnel", "mode", "token")
        #expect(token.status == 2 && token.errors.contains("[tunnel] token-file"), "\(token.errors)")
        #expect(try tunnel.box.status().pid("cloudflared") == pid)
        #expect(try tunnel.described().mode == "named")
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }

    @Test func killedTunnelWorker_leavesTheTunnelAsItIs() throws {
        let tunnel = try TunnelBox(mode: "quick", url: nil)
        try tunnel.start()
        let url = try tunnel.waitState("connected 1/1").url
        let status = try tunnel.box.status()
        kill(try #require(status.pid("tunnel-worker")), SIGKILL)
        try tunnel.box.waitReplaced("tunnel-worker", try #require(status.pid("tunnel-worker")))
        #expect(try tunnel.waitState("connected 1/1").url == url)
        #expect(try tunnel.box.status().pid("cloudflared") == status.pid("cloudflared"))
        #expect(tunnel.box.stop() == 0)
    }

    /// What is said to somebody whose tunnel-worker hangs or is to have a fresh run, as he types it, and what nexusd does about one
    /// that hangs while nobody types: the address stays.
    @Test(arguments: [["recycle", "tunnel-worker"], ["signal", "tunnel-worker", "KILL"], []])
    func freshTunnelWorker_leavesTheTunnelAsItIs(_ command: [String]) throws {
        let tunnel = try TunnelBox(mode: "quick", url: nil)
        // Only a run that has been ready for so long is recycled.
        let toml = try String(contentsOfFile: tunnel.box.config, encoding: .utf8)
        try tunnel.box.write(
            toml.replacingOccurrences(
                of: "\ncommand = [\"tunnel-worker\"]\n",
                with: "\ncommand = [\"tunnel-worker\"]\ndelay = { stable-after = \"100ms\" }\n"
            ).replacingOccurrences(
                of: "\nwatchdog = \"2min\"\n",
                with: command.isEmpty
                    ? "\nwatchdog = \"5s\"\nstop-timeout = \"100ms\"\n" : "\nwatchdog = \"2min\"\n"))
        try tunnel.start()
        let url = try tunnel.waitState("connected 1/1").url
        let status = try tunnel.box.status()
        let worker = try #require(status.pid("tunnel-worker"))
        if command.first != "recycle" { kill(worker, SIGSTOP) }
        if !command.isEmpty {
            let done = try tunnel.box.begin(command).wait()
            #expect(done.status == 0, "\(done)")
        }
        try tunnel.box.waitReplaced("tunnel-worker", worker)
        #expect(try tunnel.waitState("connected 1/1").url == url)
        #expect(try tunnel.box.status().pid("cloudflared") == status.pid("cloudflared"))
        #expect(tunnel.box.stop() == 0)
    }

    @Test func slowDrain_endsWithTheGracePeriod() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        try tunnel.set("slow-drain", "")
        #expect(try tunnel.box.ctl("tunnel", "stop").status == 0)
        try tunnel.box.wait("cloudflared to be off") { $0.child("cloudflared")?.state == "off" }
        let end = try #require(try tunnel.box.status().child("cloudflared")?.lastEnd)
        #expect(end.cause == "asked" && end.code == 0, "\(end)")
        #expect(tunnel.box.stop() == 0)
    }

    @Test func takenMetricsPort_isSaid_andAnotherIsTaken() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.set("start-fails", "port")
        try tunnel.start()
        let line = try tunnel.waitLine("crashed")
        #expect(line.contains("address already in use"), "\(line)")
        // At once, twice; then nexusd's delay holds.
        func restarts() throws -> Int {
            try tunnel.box.ctl("logs", "tunnel-worker").output.split(separator: "\n")
                .count { $0.contains("started anew: its metrics port was taken") }
        }
        try tunnel.box.wait("two starts with another port") { _ in try restarts() == 2 }
        try tunnel.box.wait("nexusd's own starts") { ($0.child("cloudflared")?.restarts ?? 0) > 3 }
        #expect(try restarts() == 2)
        // Each time another one; nexusd's own starts, which may come in between, are on the last.
        try tunnel.box.wait("a run on each of three ports") { _ in
            let log = try tunnel.box.ctl("logs", "cloudflared", "-n", "2000").output
            let ports = log.matches(of: /failed to bind to address \(127\.0\.0\.1:([0-9]+)\)/).map(\.1)
            return Set(ports).count == 3
        }
        try tunnel.set("start-fails", nil)
        try tunnel.waitState("connected 4/4", limit: .seconds(40))
        #expect(tunnel.box.stop() == 0)
    }

    @Test(arguments: [
        ("127.0.0.1", 200, "the agent answers without a password"),
        ("0.0.0.0", 401, "the agent listens on every address, not on this machine alone"),
    ]) func openAgent_keepsTheTunnelShut(_ address: String, status: Int, _ words: String) throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.openAgent(at: address, answering: status)
        try tunnel.start()
        let shut = try tunnel.waitState("exposes more than the chat")
        #expect(shut.words.contains(words), "\(shut.words)")
        try tunnel.box.wait("cloudflared to be stopped") { $0.child("cloudflared")?.state == "off" }
        let restart = try tunnel.box.ctl("tunnel", "start")
        #expect(restart.output.contains("exposes more than the chat"), "\(restart.output)\(restart.errors)")
        #expect(tunnel.box.stop() == 0)
    }
}

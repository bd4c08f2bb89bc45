import Foundation
import Testing

/// The states of docs/tunnel.md that no other scenario reaches, in `status --json` and `tunnel status --json`.
@Suite(.timeLimit(.minutes(3)), .enabled(if: TunnelBox.canMakeNetworks)) struct TunnelStateScenarios {
    @Test func settingsRefused_fromTheStart_namesTheField_andIsTakenWhenMended() throws {
        let tunnel = try TunnelBox(mode: "token", url: nil)
        let good = try String(contentsOfFile: tunnel.box.directory + "/token", encoding: .utf8)
        try tunnel.secretFile("token", "nonsense")
        try tunnel.start()
        let refused = try tunnel.waitState("settings refused")
        #expect(
            refused.state == "settings refused" && refused.words.contains("[tunnel] token-file"), "\(refused.words)")
        #expect(try tunnel.box.status().child("cloudflared")?.run == nil)
        try tunnel.secretFile("token", good)
        try tunnel.waitState("waiting for configuration")
        // No new start brings that, so nexusd has nothing to end it for.
        try tunnel.box.wait("cloudflared to be ready") { $0.child("cloudflared")?.state == "ready" }
        #expect(try tunnel.waitState("waiting for configuration").state == "waiting for configuration")
        #expect(tunnel.box.stop() == 0)
    }

    /// What the file has is in force until the dashboard sends something.
    @Test func tokenTunnelWithANameOfItsOwn_waitsForNothing() throws {
        let tunnel = try TunnelBox(mode: "token")
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        #expect(try tunnel.visit("/").status == "200")
        #expect(try tunnel.box.ctl("tunnel", "url").output == "https://chat.example.invalid\n")
        #expect(tunnel.box.stop() == 0)
    }

    @Test func startingDegradedAndStopped_areSaid() throws {
        // A fifth of the time that a start may take until all stand.
        let tunnel = try TunnelBox(mode: "named", haste: 5)
        try tunnel.set("never", "")
        try tunnel.start()
        #expect(try tunnel.waitState("starting").connections == 0)
        try tunnel.set("most", "2")
        try tunnel.set("never", nil)
        // A part of them at first is how each start goes.
        let part = try tunnel.waitState("starting: 2 of 4 connections stand so far")
        #expect(part.state == "starting" && part.connections == 2, "\(part)")
        let degraded = try tunnel.waitState("degraded: 2 of 4")
        #expect(degraded.connections == 2 && degraded.words.contains("2 of 4"), "\(degraded)")
        // Who comes is served all the same.
        #expect(try tunnel.visit("/").status == "200")
        try tunnel.set("most", nil)
        #expect(try tunnel.waitState("connected 4/4").connections == 4)
        // Behind tunnel-worker's back; it does not start again what somebody stopped.
        #expect(try tunnel.box.ctl("stop", "cloudflared").status == 0)
        #expect(try tunnel.waitState("stopped").state == "stopped")
        #expect(try tunnel.box.ctl("tunnel", "start").status == 0)
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }

    /// Who comes is served by the first of them, and so the address is one from then on.
    @Test func partOfTheConnections_leadsHereAlready() throws {
        // All the 20 s that a start may take until all stand.
        let tunnel = try TunnelBox(mode: "named", haste: 1)
        try tunnel.set("most", "2")
        try tunnel.start()
        let part = try tunnel.waitState("starting: 2 of 4 connections stand so far")
        let address = "https://chat.example.invalid"
        #expect(part.reach.contains("from anywhere at \(address)"), "\(part)")
        #expect(try tunnel.visit("/").status == "200")
        #expect(try tunnel.box.ctl("tunnel", "url").output == address + "\n")
        try tunnel.box.wait("chat-bridge to say where the page is") {
            $0.child("chat-bridge")?.status?.hasSuffix("page at \(address)") == true
        }
        #expect(try tunnel.box.ctl("pair").output.contains("Open   \(address)/#pair="))
        #expect(try tunnel.described().state == "starting", "too slow a machine has seen nothing here")
        #expect(tunnel.box.stop() == 0)
    }

    /// Said by cloudflared; and not said by it, but found by a look through the edge.
    @Test(arguments: ["lose", "silent"]) func reconnecting_isSaid(_ how: String) throws {
        let tunnel = try TunnelBox(mode: "named", haste: 1)
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        let pid = try #require(try tunnel.box.status().pid("cloudflared"))
        if how == "silent" { try tunnel.waitLookedThrough() }
        try tunnel.set(how, "\(pid)")
        let lost = try tunnel.waitState("reconnecting")
        #expect(
            lost.words.contains(how == "lose" ? "no connection to the edge stands" : "carry nothing"), "\(lost.words)")
        try tunnel.set(how, nil)
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }

    /// It says nothing, so nothing is said of its connections; what the kernel says of it is.
    @Test func stoppedProcess_isSaidAsWhatItIs() throws {
        let tunnel = try TunnelBox(mode: "named", haste: 1)
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        let pid = try #require(try tunnel.box.status().pid("cloudflared"))
        kill(pid, SIGSTOP)
        defer { kill(pid, SIGCONT) }
        let hung = try tunnel.waitState("reconnecting: cloudflared does not answer on its metrics port")
        #expect(hung.state == "reconnecting" && hung.connections == 0)
        #expect(
            hung.words.contains("its process is stopped (state T, as by SIGSTOP): nexusctl signal cloudflared CONT"),
            "\(hung.words)")
        // nexusd says so of any child.
        let why = try tunnel.box.ctl("why", "cloudflared").output
        #expect(
            why.contains(
                "its process is stopped (state T, as by SIGSTOP) and does nothing until `nexusctl signal cloudflared CONT`"
            ),
            "\(why)")
        #expect(try tunnel.box.ctl("signal", "cloudflared", "CONT").status == 0)
        #expect(try !tunnel.waitState("connected 4/4").words.contains("state T"))
        #expect(try !tunnel.box.ctl("why", "cloudflared").output.contains("state T"))
        #expect(try tunnel.box.status().pid("cloudflared") == pid)
        #expect(tunnel.box.stop() == 0)
    }

    /// What a reload changes is in force at once: tunnel-worker finds cloudflared on settings of before, and starts it anew.
    @Test func reloadedSettings_startItAnew() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        let pid = try #require(try tunnel.box.status().pid("cloudflared"))
        let toml = try String(contentsOfFile: tunnel.box.config, encoding: .utf8)
        try tunnel.box.write(toml.replacingOccurrences(of: "https://chat.example", with: "https://other.example"))
        let reload = try tunnel.box.ctl("reload")
        #expect(reload.status == 0, "\(reload.errors)")
        try tunnel.box.waitReplaced("cloudflared", pid)
        #expect(try tunnel.waitState("connected 4/4").url == "https://other.example.invalid")
        #expect(try tunnel.visit("/", host: "other.example.invalid").status == "200")
        #expect(try tunnel.visit("/").status == "404")
        #expect(tunnel.box.stop() == 0)
    }

    /// Exit code and cause in words, not the last thing that it happened to say; and when the next try comes.
    @Test func crashed_saysWhy_andWhenTheNextTryComes() throws {
        let tunnel = try TunnelBox(mode: "named")
        let toml = try String(contentsOfFile: tunnel.box.config, encoding: .utf8)
        try tunnel.box.write(
            toml.replacingOccurrences(of: "delay = { first", with: "delay = { park-after = 3, first"))
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        try tunnel.set("crash", "2")
        let parked = try tunnel.box.wait("cloudflared to be parked") { status in
            status.child("tunnel-worker")?.status?.contains("parked") == true
        }
        let line = try #require(parked.child("tunnel-worker")?.status)
        #expect(line.hasPrefix("crashed: exit 2, a fault of the program's own"), "\(line)")
        #expect(line.contains("nexusd has parked it and tries once within 15 min"), "\(line)")
        #expect(!line.contains("INF") && !line.contains("https://"), "\(line)")
        try tunnel.set("crash", nil)
        #expect(try tunnel.box.ctl("tunnel", "start").status == 0)
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }

    /// By its start timeout, though it never connects; and by a liveness probe, however well it is connected. The next run is on
    /// its way already when somebody looks.
    @Test(arguments: [
        ("start-timeout = \"2s\"", "not ready within 2 s"),
        (
            "start-timeout = \"2min\"\nliveness = { exec = [\"/bin/false\"], first = \"1s\", interval = \"1s\", misses = 1 }",
            "exit 1"
        ),
    ]) func endedByNexusdAgainAndAgain_isACrash_inItsWords(_ keys: String, _ why: String) throws {
        let tunnel = try TunnelBox(mode: "named")
        let toml = try String(contentsOfFile: tunnel.box.config, encoding: .utf8)
        try tunnel.box.write(toml.replacingOccurrences(of: "start-timeout = \"2min\"", with: keys))
        let isReady = keys.contains("liveness")
        if !isReady { try tunnel.set("never", "") }
        try tunnel.start()
        if isReady { try tunnel.waitLine("connected 4/4") }
        for _ in 0..<2 {
            let run = try tunnel.box.status().child("cloudflared")?.run
            let line = try tunnel.waitLine("crashed: nexusd ended it (")
            #expect(line.contains(why), "\(line)")
            try tunnel.box.wait("another run") {
                let next = $0.child("cloudflared")?.run
                return next != nil && next != run
            }
        }
        if !isReady {
            let now = try tunnel.waitState("crashed: nexusd ended it (")
            #expect(
                now.state == "crashed" && now.words.contains("it was started again, and is not connected yet"), "\(now)"
            )
            try tunnel.set("never", nil)
            try tunnel.waitState("connected 4/4")
        }
        #expect(tunnel.box.stop() == 0)
    }

    @Test func tooManyQuickTunnels_areNotAskedForAgainAtOnce() throws {
        let tunnel = try TunnelBox(mode: "quick", url: nil)
        try tunnel.set("quick-fails", "429")
        try tunnel.start()
        let said = try tunnel.waitState("crashed")
        #expect(said.words.contains("too many quick tunnels were asked for from this network (429)"), "\(said.words)")
        #expect(said.words.contains("tried again after 15 min"), "\(said.words)")
        let status = try tunnel.box.wait("cloudflared to be off") { $0.child("cloudflared")?.state == "off" }
        #expect((status.child("cloudflared")?.restarts ?? 0) <= 1)
        try tunnel.set("quick-fails", nil)
        #expect(try tunnel.box.ctl("tunnel", "start").status == 0)
        try tunnel.waitState("connected 1/1")
        #expect(tunnel.box.stop() == 0)
    }

    /// Past all rules; and what is exposed once stays shut, whoever is restarted.
    @Test func pushedWarpRouting_isExposure_untilACommand() throws {
        let tunnel = try TunnelBox(mode: "token", url: nil)
        let chat = #"{"hostname":"chat.example.invalid","service":"unix:\#(tunnel.box.runtime)/chat.sock"}"#
        let rules = #""ingress":[\#(chat),{"service":"http_status:404"}]"#
        try tunnel.set("remote", "{\(rules)}")
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        try tunnel.set("remote", #"{\#(rules),"warp-routing":{"enabled":true}}"#)
        let exposed = try tunnel.waitState("exposes more than the chat")
        #expect(exposed.words.contains("warp-routing is set (enabled)"), "\(exposed.words)")
        try tunnel.box.wait("cloudflared to be stopped") { $0.child("cloudflared")?.state == "off" }
        let worker = try #require(try tunnel.box.status().pid("tunnel-worker"))
        let run = try tunnel.box.status().child("cloudflared")?.lastEnd?.run
        kill(worker, SIGKILL)
        try tunnel.box.waitReplaced("tunnel-worker", worker)
        try tunnel.waitState("exposes more than the chat")
        #expect(try tunnel.box.status().child("cloudflared")?.lastEnd?.run == run)
        try tunnel.set("remote", "{\(rules)}")
        #expect(try tunnel.box.ctl("tunnel", "start").status == 0)
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }

    /// What nexusd has in force, and 5 s less; also when it was changed in place.
    @Test func gracePeriod_followsTheStopTimeoutInForce() throws {
        let tunnel = try TunnelBox(mode: "named")
        func grace() throws -> String? {
            try String(contentsOfFile: tunnel.box.state + "/tunnel/config.yml", encoding: .utf8)
                .split(separator: "\n").first { $0.hasPrefix("grace-period") }.map(String.init)
        }
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        #expect(try grace() == "grace-period: \"5s\"")
        let toml = try String(contentsOfFile: tunnel.box.config, encoding: .utf8)
        try tunnel.box.write(toml.replacingOccurrences(of: "stop-timeout = \"10s\"", with: "stop-timeout = \"2s\""))
        #expect(try tunnel.box.ctl("reload").status == 0)
        let pid = try #require(try tunnel.box.status().pid("cloudflared"))
        #expect(try tunnel.box.ctl("tunnel", "start").status == 0)
        try tunnel.box.waitReplaced("cloudflared", pid)
        try tunnel.waitState("connected 4/4")
        #expect(try grace() == "grace-period: \"1s\"")
        #expect(tunnel.box.stop() == 0)
    }

    /// As while a package is upgraded: nexusd parks what was not started, for 15 min.
    @Test func programThatIsBack_isStarted_andARefusedOneIsNotOffered() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        let program = tunnel.bin + "/cloudflared"
        #expect(rename(program, program + ".away") == 0)
        try "#!/bin/sh\necho no\n".write(toFile: program, atomically: true, encoding: .utf8)
        let refused = "another file lies in its program's place, with which the next start fails: "
        try tunnel.box.wait("the file to be refused") {
            $0.child("tunnel-worker")?.status?.contains("\(refused)\(program) may not be executed") == true
        }
        #expect(try !tunnel.box.ctl("tunnel").output.contains("nexusctl tunnel start"))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        kill(try #require(try tunnel.box.status().pid("cloudflared")), SIGKILL)
        let down = try tunnel.waitState("crashed: exit 78, it was not started: \(program) is not cloudflared")
        #expect(down.words.hasSuffix("it is looked at again each 30 s, and started when that is mended"), "\(down)")
        let shown = try tunnel.box.ctl("tunnel").output
        #expect(!shown.contains("nexusctl tunnel start"), "\(shown)")
        #expect(rename(program + ".away", program) == 0)
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }

    /// Noticed while the old one runs, which is left alone until a start takes the new one.
    @Test func anotherProgramOnDisk_isSaid_andTakenByAStart() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        let pid = try #require(try tunnel.box.status().pid("cloudflared"))
        try tunnel.anotherProgram(version: "2026.9.0")
        try tunnel.box.wait("another program to be noticed") {
            $0.child("tunnel-worker")?.status?.contains("another cloudflared lies on disk: nexusctl tunnel start")
                == true
        }
        #expect(try tunnel.box.status().pid("cloudflared") == pid)
        #expect(try tunnel.box.ctl("tunnel", "start").status == 0)
        try tunnel.box.waitReplaced("cloudflared", pid)
        let now = try tunnel.waitState("connected 4/4")
        #expect(!now.words.contains("another cloudflared"), "\(now.words)")
        #expect(try tunnel.box.ctl("tunnel", "status", "--json").output.contains(#""version":"2026.9.0""#))
        #expect(tunnel.box.stop() == 0)
    }
}

import Foundation
import Testing

/// What is in force stays so, and what is not wanted is never opened: whoever is restarted, refused or started by its name.
@Suite(.timeLimit(.minutes(3)), .enabled(if: TunnelBox.canMakeNetworks)) struct TunnelFirmnessScenarios {
    private func connected(_ mode: String = "named") throws -> TunnelBox {
        let tunnel = try TunnelBox(mode: mode)
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        return tunnel
    }

    private func killWorker(_ tunnel: TunnelBox) throws {
        let worker = try #require(try tunnel.box.status().pid("tunnel-worker"))
        kill(worker, SIGKILL)
        try tunnel.box.waitReplaced("tunnel-worker", worker)
    }

    private func waitOff(_ tunnel: TunnelBox) throws {
        try tunnel.box.wait("cloudflared to be off") { $0.child("cloudflared")?.state == "off" }
    }

    /// By a reload, which starts tunnel-worker anew, and by its end: what ran before runs on, under the name of before.
    @Test func refusedSetting_leavesTheTunnelAsItIs_overRestartsOfTunnelWorker() throws {
        let tunnel = try connected()
        let worker = try #require(try tunnel.box.status().pid("tunnel-worker"))
        let toml = try String(contentsOfFile: tunnel.box.config, encoding: .utf8)
        let other = "99999999-2222-3333-4444-555555555555"
        try tunnel.box.write(
            toml.replacingOccurrences(of: "id = \"\(TunnelBox.tunnel)\"", with: "id = \"\(other)\""))
        #expect(try tunnel.box.ctl("reload").status == 0)
        try tunnel.box.waitReplaced("tunnel-worker", worker)
        try tunnel.waitLine("connected 4/4")
        // cloudflared requires tunnel-worker: the reload stopped both in order, and both are back.
        let pid = try #require(try tunnel.box.status().pid("cloudflared"))
        for _ in 0..<2 {
            let line = try tunnel.waitLine("connected 4/4")
            #expect(line.contains("not taken: [tunnel] id: \(other)"), "\(line)")
            #expect(line.contains("at https://chat.example.invalid"), "\(line)")
            let now = try tunnel.described()
            #expect(now.mode == "named" && now.url == "https://chat.example.invalid", "\(now)")
            #expect(try tunnel.box.status().pid("cloudflared") == pid)
            try killWorker(tunnel)
        }
        // What crashes comes back as it was.
        kill(pid, SIGKILL)
        try tunnel.box.waitReplaced("cloudflared", pid)
        try tunnel.waitState("connected 4/4")
        #expect(try tunnel.visit("/").status == "200")
        // Mended, it is taken.
        let second = try #require(try tunnel.box.status().pid("tunnel-worker"))
        try tunnel.box.write(toml)
        #expect(try tunnel.box.ctl("reload").status == 0)
        try tunnel.box.waitReplaced("tunnel-worker", second)
        #expect(try tunnel.waitState("connected 4/4").complaint == nil)
        #expect(tunnel.box.stop() == 0)
    }

    /// What a tunnel cannot lead is no name of the page either: the file is refused where it stands, and all goes on.
    @Test func unfitName_isRefusedAtTheFile_andNothingChanges() throws {
        let tunnel = try connected()
        let toml = try String(contentsOfFile: tunnel.box.config, encoding: .utf8)
        for url in ["https://-a.example", "https://192.0.2.1", "https://chat.example.invalid:8443"] {
            try tunnel.box.write(
                toml.replacingOccurrences(of: "\nurl = \"https://chat.example.invalid\"", with: "\nurl = \"\(url)\""))
            let reload = try tunnel.box.ctl("reload")
            #expect(reload.status == 2 && reload.errors.contains("error: 'url' "), "\(reload)")
        }
        #expect(try tunnel.visit("/").status == "200")
        #expect(try tunnel.waitState("connected 4/4").url == "https://chat.example.invalid")
        #expect(tunnel.box.stop() == 0)
    }

    /// The mode is chosen by command, so that the file may have any name: the page answers under the one that leads to it.
    @Test func nameThatIsNotTaken_leavesThePageUnderTheOneInForce() throws {
        let tunnel = try TunnelBox(mode: "off")
        try tunnel.start()
        try tunnel.box.waitReady()
        // The file has what a named tunnel needs, so that the name is no proxy's, though none was ever wanted.
        #expect(try !tunnel.described().reach.contains("https://chat.example.invalid"))
        #expect(try tunnel.box.ctl("tunnel", "mode", "named").status == 0)
        try tunnel.waitState("connected 4/4")
        #expect(try tunnel.described().reach.contains("from anywhere at https://chat.example.invalid"))
        try waitPage(tunnel, at: "https://chat.example.invalid")
        #expect(try tunnel.box.ctl("tunnel", "stop").status == 0)
        try waitPage(
            tunnel,
            at: "http://localhost:4780; https://chat.example.invalid leads here by the tunnel, which is off "
                + "(nexusctl tunnel start)")
        #expect(try !tunnel.described().reach.contains("https://chat.example.invalid"))
        #expect(try tunnel.box.ctl("tunnel", "start").status == 0)
        try tunnel.waitState("connected 4/4")
        let bridge = try #require(try tunnel.box.status().pid("chat-bridge"))
        let toml = try String(contentsOfFile: tunnel.box.config, encoding: .utf8)
        try tunnel.box.write(
            toml.replacingOccurrences(
                of: "\nurl = \"https://chat.example.invalid\"", with: "\nurl = \"https://new.example.invalid:8443\""))
        let reload = try tunnel.box.ctl("reload")
        #expect(reload.status == 0, "\(reload)")
        try tunnel.box.waitReplaced("chat-bridge", bridge)
        let now = try tunnel.waitState("connected 4/4")
        #expect(now.url == "https://chat.example.invalid", "\(now)")
        #expect(now.complaint?.contains("not even a port") == true, "\(now)")
        try waitPage(
            tunnel,
            at: "https://chat.example.invalid; https://new.example.invalid:8443 was not taken "
                + "(nexusctl tunnel says why)")
        #expect(try tunnel.visit("/").status == "200")
        #expect(try tunnel.box.ctl("tunnel", "url").output.contains("https://chat.example.invalid"))
        #expect(try tunnel.box.ctl("pair").output.contains("Open   https://chat.example.invalid/#pair="))
        #expect(tunnel.box.stop() == 0)
    }

    /// In chat-bridge's line.
    private func waitPage(_ tunnel: TunnelBox, at place: String) throws {
        try tunnel.box.wait("the page at \(place)") {
            $0.child("chat-bridge")?.status?.hasSuffix("page at \(place)") == true
        }
    }

    /// A file that goes bad while it runs, and is mended: no reload tells.
    @Test func refusedFile_isLookedAtAgain_andTheComplaintGoes() throws {
        let tunnel = try connected()
        let pid = try #require(try tunnel.box.status().pid("cloudflared"))
        let good = try String(contentsOfFile: tunnel.box.directory + "/credentials.json", encoding: .utf8)
        try tunnel.secretFile("credentials.json", "{}")
        try killWorker(tunnel)
        let line = try tunnel.waitLine("connected 4/4")
        #expect(line.contains("AccountTag in \(tunnel.box.directory)/credentials.json is missing"), "\(line)")
        #expect(try tunnel.box.status().pid("cloudflared") == pid)
        try tunnel.secretFile("credentials.json", good)
        try tunnel.box.wait("the complaint to go") { $0.child("tunnel-worker")?.status?.contains("not taken") == false }
        try tunnel.waitState("connected 4/4")
        #expect(try tunnel.described().complaint == nil)
        #expect(tunnel.box.stop() == 0)
    }

    /// What was not taken is of a tunnel that is wanted: while it is off there is none, and it is looked at when it is on again.
    @Test func complaint_goesWhenTheTunnelIsTurnedOff() throws {
        let tunnel = try connected()
        let path = tunnel.box.directory + "/credentials.json"
        let good = try String(contentsOfFile: path, encoding: .utf8)
        try tunnel.secretFile("credentials.json", "{}")
        try tunnel.box.wait("the complaint") { $0.child("tunnel-worker")?.status?.contains("not taken: ") == true }
        #expect(try tunnel.described().complaint?.contains(path) == true)
        #expect(try tunnel.box.ctl("tunnel").output.contains("Refused  "))
        #expect(try tunnel.box.ctl("tunnel", "stop").status == 0)
        let off = try tunnel.waitState("off")
        #expect(off.complaint == nil && !off.words.contains(path), "\(off)")
        #expect(try tunnel.box.status().child("tunnel-worker")?.status?.contains("not taken") == false)
        #expect(try !tunnel.box.ctl("tunnel").output.contains("Refused  "))
        // A command that would turn it on says so then, and changes nothing.
        let start = try tunnel.box.ctl("tunnel", "start")
        #expect(start.status == 2 && start.errors.contains(path), "\(start)")
        #expect(try tunnel.described().complaint == nil)
        try tunnel.secretFile("credentials.json", good)
        #expect(try tunnel.box.ctl("tunnel", "start").status == 0)
        #expect(try tunnel.waitState("connected 4/4").complaint == nil)
        #expect(tunnel.box.stop() == 0)
    }

    /// What cloudflared is started from is what was good last, not what lies there by now.
    @Test(arguments: [("named", "credentials.json", "{}"), ("token", "token", nil)])
    func secretThatGoesBad_leavesTheOldOneInForce_overEveryEnd(_ mode: String, _ name: String, _ bad: String?) throws {
        let tunnel = try connected(mode)
        let path = tunnel.box.directory + "/" + name
        let good = try String(contentsOfFile: path, encoding: .utf8)
        if let bad { try tunnel.secretFile(name, bad) } else { try FileManager.default.removeItem(atPath: path) }
        func waitRefused() throws {
            try tunnel.box.wait("the file to be refused") {
                let line = $0.child("tunnel-worker")?.status
                return line?.hasPrefix("connected 4/4") == true && line?.contains("not taken: [tunnel] ") == true
                    && line?.contains(path) == true
            }
        }
        try waitRefused()
        // An end of cloudflared, of both, and of the tree.
        let first = try #require(try tunnel.box.status().pid("cloudflared"))
        kill(first, SIGKILL)
        try tunnel.box.waitReplaced("cloudflared", first)
        try waitRefused()
        #expect(try tunnel.visit("/").status == "200")
        let worker = try #require(try tunnel.box.status().pid("tunnel-worker"))
        #expect(try tunnel.box.ctl("restart", "tunnel-worker").status == 0)
        try tunnel.box.waitReplaced("tunnel-worker", worker)
        try waitRefused()
        #expect(tunnel.box.stop() == 0)
        try tunnel.start()
        try waitRefused()
        #expect(try tunnel.visit("/").status == "200")
        // Mended, with another secret of the same tunnel: taken for the next start, and nothing is disturbed.
        let run = try tunnel.box.status().child("cloudflared")?.run
        let seven = Data(repeating: 7, count: 32).base64EncodedString()
        let eight = Data(repeating: 8, count: 32).base64EncodedString()
        let plain =
            mode == "token"
            ? String(decoding: try #require(Data(base64Encoded: good.trimmingCharacters(in: .newlines))), as: UTF8.self)
            : good
        let other = plain.replacingOccurrences(of: seven, with: eight)
        #expect(other != plain)
        try tunnel.secretFile(name, mode == "token" ? Data(other.utf8).base64EncodedString() + "\n" : other)
        try tunnel.box.wait("the complaint to go") { $0.child("tunnel-worker")?.status?.contains("not taken") == false }
        let directory = tunnel.box.state + "/tunnel/"
        let copy = directory + (mode == "token" ? "token" : "credentials-\(TunnelBox.tunnel).json")
        #expect(try String(contentsOfFile: copy, encoding: .utf8) == String(contentsOfFile: path, encoding: .utf8))
        #expect(try FileManager.default.attributesOfItem(atPath: copy)[.posixPermissions] as? Int == 0o600)
        #expect(try tunnel.box.status().child("cloudflared")?.run == run)
        // Nobody needs it any more.
        #expect(try tunnel.box.ctl("tunnel", "stop").status == 0)
        try waitOff(tunnel)
        #expect(!FileManager.default.fileExists(atPath: copy))
        #expect(tunnel.box.stop() == 0)
    }

    /// Nothing of before can be started then: it is said, and taken when it is there.
    @Test func programThatIsGoneAtABoot_isSaid_andTakenWhenItIsBack() throws {
        let tunnel = try connected()
        #expect(tunnel.box.stop() == 0)
        let program = tunnel.bin + "/cloudflared"
        #expect(rename(program, program + ".away") == 0)
        try tunnel.start()
        let refused = try tunnel.waitState("settings refused")
        #expect(refused.words.contains("[tunnel] program"), "\(refused.words)")
        #expect(try tunnel.box.status().child("cloudflared")?.run == nil)
        #expect(rename(program + ".away", program) == 0)
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }

    @Test func stopByName_holdsOverTheEndOfTunnelWorkerAndOfTheTree_untilACommand() throws {
        let tunnel = try connected()
        #expect(try tunnel.box.ctl("stop", "cloudflared").status == 0)
        // Asked after a stop, the answer is the truth.
        #expect(try tunnel.described().state == "stopped")
        #expect(try tunnel.box.ctl("tunnel", "start").status == 0)
        try tunnel.waitState("connected 4/4")
        // Stopped while nobody sees it.
        let worker = try #require(try tunnel.box.status().pid("tunnel-worker"))
        kill(worker, SIGSTOP)
        #expect(try tunnel.box.ctl("stop", "cloudflared").status == 0)
        kill(worker, SIGKILL)
        try tunnel.box.waitReplaced("tunnel-worker", worker)
        #expect(try tunnel.waitState("stopped").words.contains("until nexusctl tunnel start"))
        try killWorker(tunnel)
        try tunnel.waitState("stopped")
        #expect(try tunnel.box.status().child("cloudflared")?.state == "off")
        #expect(tunnel.box.stop() == 0)
        try tunnel.start()
        try tunnel.waitState("stopped")
        #expect(try tunnel.box.status().child("cloudflared")?.run == nil)
        #expect(try tunnel.box.ctl("tunnel", "start").status == 0)
        try tunnel.waitState("connected 4/4")
        // The end of the tree is no stop by its name.
        #expect(tunnel.box.stop() == 0)
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        // Who stopped it by its name may start it so.
        #expect(try tunnel.box.ctl("stop", "cloudflared").status == 0)
        try tunnel.waitState("stopped")
        #expect(try tunnel.box.ctl("start", "cloudflared", "--no-wait").status == 0)
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }

    /// Stopped by its name, and started so when another tunnel-worker is there, which has not prepared that start: it is watched.
    @Test(arguments: ["named", "token"]) func startByName_underANewTunnelWorker_isWatched(_ mode: String) throws {
        let tunnel = try TunnelBox(mode: mode)
        let chat = #"{"hostname":"chat.example.invalid","service":"unix:\#(tunnel.box.runtime)/chat.sock"}"#
        try tunnel.set("remote", #"{"ingress":[\#(chat),{"service":"http_status:404"}]}"#)
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        #expect(try tunnel.box.ctl("stop", "cloudflared").status == 0)
        try tunnel.waitState("stopped")
        try killWorker(tunnel)
        try tunnel.waitState("stopped")
        let start = try tunnel.box.ctl("start", "cloudflared")
        #expect(start.status == 0, "\(start.errors)")
        #expect(try tunnel.waitState("connected 4/4").metricsPort != nil)
        guard mode == "token" else { return #expect(tunnel.box.stop() == 0) }
        let other = #"{"hostname":"other.example.invalid","service":"http://127.0.0.1:9999"}"#
        try tunnel.set("remote", #"{"ingress":[\#(other),\#(chat),{"service":"http_status:404"}]}"#)
        let exposed = try tunnel.waitState("exposes more than the chat")
        #expect(exposed.words.contains("http://127.0.0.1:9999"), "\(exposed.words)")
        try waitOff(tunnel)
        #expect(tunnel.box.stop() == 0)
    }

    /// There is nothing to start: cloudflared itself does not run for a moment.
    @Test func startByName_whileOff_opensNothing_andSaysWhy() throws {
        let tunnel = try connected()
        #expect(try tunnel.box.ctl("tunnel", "stop").status == 0)
        try waitOff(tunnel)
        let began = try starts(tunnel)
        let end = try #require(try tunnel.box.status().child("cloudflared")?.lastEnd)
        let start = try tunnel.box.ctl("start", "cloudflared")
        #expect(start.status != 0, "\(start.output)")
        #expect(start.errors.contains("exit 78") && !start.errors.contains("tried again"), "\(start.errors)")
        try tunnel.box.wait("cloudflared to be off again") {
            let child = $0.child("cloudflared")
            return child?.state == "off" && child?.lastEnd?.run != end.run
        }
        try tunnel.box.waitLog("cloudflared", "nothing to start, so nothing was opened")
        #expect(try starts(tunnel) == began)
        #expect(try tunnel.described().state == "off")
        #expect(try tunnel.box.ctl("tunnel", "start").status == 0)
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }

    /// A start or restart by its name is an owner's choice; it is over when the tunnel is off, or each reload would bring it up.
    @Test func startByName_isNoChoiceThatOutlivesAStop_andAReloadIsFine() throws {
        let tunnel = try connected()
        func choice() throws -> String? { try tunnel.box.status().child("cloudflared")?.choice }
        #expect(try tunnel.box.ctl("restart", "cloudflared").status == 0)
        #expect(try choice() == "on")
        try tunnel.waitState("connected 4/4")
        #expect(try tunnel.box.ctl("tunnel", "mode", "off").status == 0)
        try waitOff(tunnel)
        for _ in 0..<2 {
            #expect(try choice() == nil)
            let reload = try tunnel.box.ctl("reload")
            #expect(reload.status == 0, "\(reload)")
            #expect(try tunnel.box.ctl("start", "cloudflared").status != 0)
            try waitOff(tunnel)
        }
        #expect(try tunnel.box.ctl("tunnel", "mode", "file").status == 0)
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }

    /// Of cloudflared itself, by its log.
    private func starts(_ tunnel: TunnelBox) throws -> Int {
        try tunnel.box.ctl("logs", "cloudflared", "-n", "2000").output.components(separatedBy: "Generated Connector ID")
            .count
    }

    @Test func directoryWhereAFileIsToBe_isAnError_andNothingIsChanged() throws {
        let tunnel = try connected()
        let pid = try #require(try tunnel.box.status().pid("cloudflared"))
        let left = tunnel.box.state + "/tunnel/config.yml.new"
        try FileManager.default.createDirectory(atPath: left + "/kept", withIntermediateDirectories: true)
        let start = try tunnel.box.ctl("tunnel", "mode", "token")
        #expect(start.status == 2, "\(start.output)")
        #expect(start.errors.contains("\(left) is a directory"), "\(start.errors)")
        #expect(start.errors.contains("nothing was changed, and what runs goes on"), "\(start.errors)")
        #expect(!start.errors.contains("the file was refused"), "\(start.errors)")
        #expect(try tunnel.described().mode == "named")
        #expect(try tunnel.box.status().pid("cloudflared") == pid)
        try FileManager.default.removeItem(atPath: left)
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }

    /// No look, no question, no timer: what could happen is told.
    @Test func offTunnel_isQuiet_andHearsOfAStart() throws {
        let tunnel = try TunnelBox(mode: "off")
        try tunnel.start()
        try tunnel.box.waitReady()
        try tunnel.waitState("off")
        let pid = try #require(try tunnel.box.status().pid("tunnel-worker"))
        func switches() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task").reduce(0) { sum, task in
                let status = try String(contentsOfFile: "/proc/\(pid)/task/\(task)/status", encoding: .utf8)
                // libdispatch looks at its own pools each second, in every program that uses it.
                if status.hasPrefix("Name:\t-qos.overcommit") { return sum }
                let line = status.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches") }
                return sum + (line?.split(separator: "\t").last.flatMap { Int($0) } ?? 0)
            }
        }
        // The start has to have settled: the first stretch without a wake-up counts, and it is long for a look each 0.1 s.
        let limit = ContinuousClock.now + .seconds(30)
        var before = try switches()
        var isQuiet = false
        while !isQuiet, ContinuousClock.now < limit {
            usleep(2_000_000)
            let now = try switches()
            isQuiet = now == before
            before = now
        }
        #expect(isQuiet)
        #expect(try tunnel.box.ctl("start", "cloudflared", "--no-wait").status == 0)
        try tunnel.box.wait("cloudflared to be stopped") {
            $0.child("cloudflared")?.state == "off" && $0.child("cloudflared")?.lastEnd != nil
        }
        let check = try tunnel.box.ctl("tunnel", "check")
        #expect(check.status == 1)
        for words in ["the chat serves its page", "opencode is", "not there: off", "there is no public address"] {
            #expect(check.output.contains(words), "\(check.output)")
        }
        #expect(tunnel.box.stop() == 0)
    }
}

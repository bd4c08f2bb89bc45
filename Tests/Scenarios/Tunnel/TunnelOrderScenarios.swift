import Foundation
import Testing

/// Commands that come at once, a child that is started by its name, and a nexusd that is killed: what is chosen holds.
@Suite(.timeLimit(.minutes(3)), .enabled(if: TunnelBox.canMakeNetworks)) struct TunnelOrderScenarios {
    /// Nobody else would stop it: it goes on with its connections, and the next cloudflared beside it.
    @Test func killedNexusd_leavesNoCloudflared() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        let old = try #require(try tunnel.box.status().pid("cloudflared"))
        tunnel.box.signal(SIGKILL)
        #expect(tunnel.box.waitForEnd() == -SIGKILL)
        // Where it is no child of a control group that ends with nexusd, it is still there: that is what is shown here.
        #expect(isAlive(old))
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        #expect(!isAlive(old))
        #expect(try tunnel.box.status().pid("cloudflared") != old)
        #expect(tunnel.box.stop() == 0)
    }

    @Test func startAndStopAtOnce_theLastOneHolds_andTheChildAloneIsNotOpened() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        for _ in 0..<3 {
            let both = [try tunnel.box.begin("tunnel", "start"), try tunnel.box.begin("tunnel", "stop")]
            for command in both { #expect(try command.wait().status == 0) }
            let kept = try String(contentsOfFile: tunnel.box.state + "/tunnel/choice.json", encoding: .utf8)
            if kept.contains(#""isOn":true"#) {
                try tunnel.waitState("connected 4/4")
            } else {
                try tunnel.waitState("off")
                try tunnel.box.wait("cloudflared to be off") { $0.child("cloudflared")?.state == "off" }
            }
        }
        // Who wants out gets out, and hears that it does not last yet.
        #expect(try tunnel.box.ctl("tunnel", "start").status == 0)
        try tunnel.waitState("connected 4/4")
        let inTheWay = tunnel.box.state + "/tunnel/choice.json.new"
        try FileManager.default.createDirectory(atPath: inTheWay + "/kept", withIntermediateDirectories: true)
        let stop = try tunnel.box.ctl("tunnel", "stop")
        #expect(stop.status == 0 && stop.output.contains("a restart of nexus forgets this"), "\(stop)")
        try tunnel.box.wait("cloudflared to be off") { $0.child("cloudflared")?.state == "off" }
        let start = try tunnel.box.ctl("tunnel", "start")
        #expect(start.status == 2 && start.errors.contains("nothing was changed, and nothing runs"), "\(start)")
        // At once: what is emptied first tunnel-worker replaces before it is gone.
        try FileManager.default.moveItem(atPath: inTheWay, toPath: tunnel.box.directory + "/was-in-the-way")
        try tunnel.box.wait("the stop to be kept") { _ in
            try String(contentsOfFile: tunnel.box.state + "/tunnel/choice.json", encoding: .utf8)
                .contains(#""isOn":false"#)
        }
        #expect(!(try tunnel.described().words.contains("forgets")))
        let before = try tunnel.box.status().child("cloudflared")?.lastEnd?.run
        #expect(try tunnel.box.ctl("start", "cloudflared", "--no-wait").status == 0)
        try tunnel.box.wait("cloudflared to be off again") {
            let child = $0.child("cloudflared")
            return child?.state == "off" && child?.lastEnd?.run != before
        }
        #expect(try tunnel.described().state == "off")
        #expect(tunnel.box.stop() == 0)
    }

    /// There is no run that could end by it.
    @Test func stopByName_betweenTwoRuns_holdsOverAKillOfNexusd_untilACommand() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        // nexusd waits before it starts it again; the tree ends at once, and by force.
        try tunnel.set("crash", "2")
        try tunnel.box.wait("cloudflared to wait for its next try") { $0.child("cloudflared")?.state == "delayed" }
        // What is in the way of the file is there like a full disk.
        let inTheWay = tunnel.box.state + "/tunnel/choice.json.new"
        try FileManager.default.createDirectory(atPath: inTheWay + "/kept", withIntermediateDirectories: true)
        #expect(try tunnel.box.ctl("stop", "cloudflared").status == 0)
        #expect(try tunnel.waitState("stopped").words.contains("a restart of nexus forgets this"))
        // At once: what is emptied first tunnel-worker replaces before it is gone.
        try FileManager.default.moveItem(atPath: inTheWay, toPath: tunnel.box.directory + "/was-in-the-way")
        try tunnel.box.wait("the choice to be kept") { _ in
            let file = try? String(contentsOfFile: tunnel.box.state + "/tunnel/choice.json", encoding: .utf8)
            return file?.contains("stopped") == true
        }
        try tunnel.set("crash", nil)
        tunnel.box.signal(SIGKILL)
        #expect(tunnel.box.waitForEnd() == -SIGKILL)
        try tunnel.start()
        try tunnel.waitState("stopped")
        #expect(try tunnel.box.status().child("cloudflared")?.run == nil)
        #expect(try tunnel.box.ctl("tunnel", "start").status == 0)
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }

    /// What lies there was looked at when it was another file: a start by its name looks again, as `tunnel start` does.
    @Test func programThatIsTooOldByNow_isNotExecuted_byAStartByName() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        #expect(try tunnel.box.ctl("stop", "cloudflared").status == 0)
        try tunnel.waitState("stopped")
        func starts() throws -> Int {
            try tunnel.box.ctl("logs", "cloudflared", "-n", "2000").output
                .components(separatedBy: "Generated Connector ID").count
        }
        let before = try starts()
        let program = tunnel.bin + "/cloudflared"
        try tunnel.anotherProgram(version: "2024.12.2")
        let words = "\(program) is cloudflared 2024.12.2, and 2025.4.0 or newer is needed; install it"
        let start = try tunnel.box.ctl("start", "cloudflared")
        #expect(start.status == 1 && start.errors.contains("exit 78"), "\(start)")
        try tunnel.box.waitLog("cloudflared", words)
        let crashed = try tunnel.waitState("crashed: exit 78, it was not started: ")
        #expect(crashed.words.contains(words), "\(crashed.words)")
        let other = try tunnel.box.ctl("tunnel", "start")
        #expect(other.status == 2 && other.errors.contains(words), "\(other)")
        #expect(try starts() == before)
        // One that is new enough is taken.
        try tunnel.anotherProgram(version: "2026.9.0")
        #expect(try tunnel.box.ctl("start", "cloudflared").status == 0)
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }

    /// It may have been a stop: what was open once is not opened by a torn file.
    @Test func damagedChoice_staysOffUntilACommand_andIsSaid() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        let worker = try #require(try tunnel.box.status().pid("tunnel-worker"))
        try "{ torn".write(toFile: tunnel.box.state + "/tunnel/choice.json", atomically: true, encoding: .utf8)
        kill(worker, SIGKILL)
        try tunnel.box.waitReplaced("tunnel-worker", worker)
        let off = try tunnel.waitState("off")
        #expect(off.words.contains("choice.json is damaged"), "\(off.words)")
        try tunnel.box.wait("cloudflared to be off") { $0.child("cloudflared")?.state == "off" }
        try tunnel.box.waitLog("tunnel-worker", "choice.json is damaged")
        #expect(try tunnel.box.ctl("tunnel", "start").status == 0)
        #expect(!(try tunnel.waitState("connected 4/4").words.contains("damaged")))
        #expect(tunnel.box.stop() == 0)
    }
}

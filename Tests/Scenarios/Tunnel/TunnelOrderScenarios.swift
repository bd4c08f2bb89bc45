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
        #expect(try tunnel.box.ctl("tunnel", "stop").status == 0)
        try tunnel.box.wait("cloudflared to be off") { $0.child("cloudflared")?.state == "off" }
        let before = try tunnel.box.status().child("cloudflared")?.lastEnd?.run
        #expect(try tunnel.box.ctl("start", "cloudflared", "--no-wait").status == 0)
        try tunnel.box.wait("cloudflared to be off again") {
            let child = $0.child("cloudflared")
            return child?.state == "off" && child?.lastEnd?.run != before
        }
        #expect(try tunnel.described().state == "off")
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

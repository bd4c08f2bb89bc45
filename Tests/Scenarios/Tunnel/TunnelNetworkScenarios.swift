import Foundation
import Testing

/// What lies between cloudflared and the edge fails: the route, the names, UDP, or the connections themselves.
@Suite(.timeLimit(.minutes(5)), .enabled(if: TunnelBox.canMakeNetworks)) struct TunnelNetworkScenarios {
    /// With the patience of owners: it comes back by itself sooner than that.
    @Test func networkLossAndReturn_spendNoRestart() throws {
        let tunnel = try TunnelBox(mode: "named", haste: 1)
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        let before = try #require(try tunnel.box.status().child("cloudflared"))
        try tunnel.network(false)
        try tunnel.waitState("no network")
        try tunnel.set("lose", "")
        try tunnel.network(true)
        try tunnel.waitLine("reconnecting")
        try tunnel.set("lose", nil)
        try tunnel.waitState("connected 4/4")
        let after = try #require(try tunnel.box.status().child("cloudflared"))
        #expect(after.run == before.run && after.restarts == before.restarts)
        #expect(tunnel.box.stop() == 0)
    }

    @Test func noNetworkAtTheStart_waits_andStartsAtOnceWhenThereIsOne() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.start(network: false)
        try tunnel.waitState("no network")
        #expect(try tunnel.box.status().child("cloudflared")?.run == nil)
        let doctor = try tunnel.box.ctl("doctor").output
        #expect(doctor.contains("this machine's way out: ip route"), "\(doctor)")
        try tunnel.network(true)
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }

    /// Whatever our own look says: here it is made nowhere.
    @Test func deadResolverAtTheStart_isSaid_andSpendsNoRestart() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.set("start-fails", "dns")
        try tunnel.start()
        let said = try tunnel.waitState("no network: names are not resolved here (DNS")
        #expect(said.state == "no network", "\(said)")
        // Of that run, or of the next, which nexusd may have started before anybody looked at that end.
        let cause = try tunnel.box.status().child("cloudflared")?.lastEnd?.cause
        #expect(cause == "network" || cause == "asked")
        // Tried now and then, and no second time by nexusd.
        var runs: Set<String> = []
        try tunnel.box.wait("three more tries") { status in
            if let run = status.child("cloudflared")?.lastEnd?.run { runs.insert(run) }
            return runs.count > 3
        }
        // Behind each of our own nexusd may have started one before the stop came.
        let own =
            try tunnel.box.ctl("logs", "tunnel-worker", "-n", "2000").output
            .components(separatedBy: "the tunnel: starting: ").count - 1
        #expect(runs.count <= 2 * (own + 1), "\(runs), \(own) of our own")
        try tunnel.set("start-fails", nil)
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }

    @Test func blockedUDP_isGoneRoundByHTTP2() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.set("udp-blocked", "")
        try tunnel.start()
        try tunnel.waitState("connected 4/4", limit: .seconds(40))
        let config = try String(contentsOfFile: tunnel.box.state + "/tunnel/config.yml", encoding: .utf8)
        #expect(config.contains("protocol: \"http2\""))
        #expect(tunnel.box.stop() == 0)
    }
}

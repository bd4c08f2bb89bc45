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
        #expect(tunnel.box.stop() == 0)
    }

    @Test func startingDegradedAndStopped_areSaid() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.set("never", "")
        try tunnel.start()
        #expect(try tunnel.waitState("starting").connections == 0)
        try tunnel.set("most", "2")
        try tunnel.set("never", nil)
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
}

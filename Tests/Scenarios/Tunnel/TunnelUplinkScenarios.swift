import Foundation
import Testing

/// The default route stays, and nothing answers beyond the router: the line of the provider is down.
@Suite(.timeLimit(.minutes(3)), .enabled(if: TunnelBox.canMakeNetworks)) struct TunnelUplinkScenarios {
    private static let place = "127.0.0.1:7844"

    /// Somebody who answers there.
    private func uplink(_ tunnel: TunnelBox) throws -> Running {
        let script = """
            import socket
            server = socket.create_server(("127.0.0.1", 7844))
            print("answers", flush=True)
            while True: server.accept()[0].close()
            """
        let running = try Running(
            "/usr/bin/nsenter", ["-t", "\(tunnel.box.pid)", "-n", "/usr/bin/python3", "-c", script],
            environment: ["PATH": "/usr/bin:/bin"])
        while running.output.isEmpty {
            guard running.waitForEnd(.milliseconds(10)) == nil else { throw Trouble("uplink: \(running.errors)") }
        }
        return running
    }

    /// Neither nexusd's start timeout nor our own patience ends it.
    @Test func cutBeforeTheFirstConnection_spendsNoStart_andIsBack() throws {
        let tunnel = try TunnelBox(mode: "named", uplink: Self.place)
        try tunnel.set("lose", "")
        let toml = try String(contentsOfFile: tunnel.box.config, encoding: .utf8)
        try tunnel.box.write(toml.replacingOccurrences(of: "start-timeout = \"2min\"", with: "start-timeout = \"5s\""))
        try tunnel.start()
        let cut = try tunnel.waitState("no network: this machine has a route")
        #expect(cut.state == "no network" && cut.connections == 0, "\(cut)")
        let ready = try tunnel.box.wait("cloudflared to be ready") { $0.child("cloudflared")?.state == "ready" }
        let run = ready.child("cloudflared")?.run
        try tunnel.waitState("no network")
        #expect(try tunnel.box.status().child("cloudflared")?.run == run)
        try tunnel.set("lose", nil)
        let line = try uplink(tunnel)
        defer { kill(line.pid, SIGKILL) }
        try tunnel.waitState("connected 4/4")
        #expect(try tunnel.visit("/").status == "200")
        #expect(tunnel.box.stop() == 0)
    }

    /// Without names it gives up at its start: no start after the other is spent on that, and one comes at once afterwards.
    @Test func giveUpWithoutNames_isHeld_andStartedWhenTheLineIsBack() throws {
        let tunnel = try TunnelBox(mode: "named", uplink: Self.place)
        try tunnel.set("start-fails", "dns")
        try tunnel.start()
        try tunnel.waitState("no network: this machine has a route")
        let off = try tunnel.box.wait("cloudflared to be off") { $0.child("cloudflared")?.state == "off" }
        let run = off.child("cloudflared")?.lastEnd?.run
        try tunnel.waitState("no network")
        #expect(try tunnel.box.status().child("cloudflared")?.lastEnd?.run == run)
        try tunnel.set("start-fails", nil)
        let line = try uplink(tunnel)
        defer { kill(line.pid, SIGKILL) }
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }
}

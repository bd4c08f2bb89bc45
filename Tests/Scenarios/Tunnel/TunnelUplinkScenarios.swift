import Foundation
import Testing

/// The default route stays, and nothing answers beyond the router: the line of the provider is down.
@Suite(.timeLimit(.minutes(3)), .enabled(if: TunnelBox.canMakeNetworks)) struct TunnelUplinkScenarios {
    private static let place = "127.0.0.1:7844"

    private static let overTCP = """
        import socket
        server = socket.create_server(("127.0.0.1", 7844))
        print("answers", flush=True)
        while True: server.accept()[0].close()
        """
    /// As a QUIC server does to a version that it does not have.
    private static let overUDP = """
        import socket
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("127.0.0.1", 7844))
        print("answers", flush=True)
        while True:
            asked, peer = server.recvfrom(2048)
            server.sendto(bytes([128, 0, 0, 0, 0]) + asked[14:23] + asked[5:14] + bytes([0, 0, 0, 1]), peer)
        """

    /// Somebody who answers there.
    private func uplink(_ tunnel: TunnelBox, _ script: String = overTCP) throws -> Running {
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

    /// A firewall that keeps our TCP from the edge, and lets UDP out, by which cloudflared goes: there is a network.
    @Test func edgeThatAnswersOverUDPAlone_isAWayOut() throws {
        let tunnel = try TunnelBox(mode: "named", uplink: Self.place)
        try tunnel.set("never", "")
        try tunnel.start()
        let cut = try tunnel.waitState("no network: this machine has a route")
        #expect(cut.words.contains("port 7844 and 443, by TCP and UDP"), "\(cut.words)")
        let line = try uplink(tunnel, Self.overUDP)
        defer { kill(line.pid, SIGKILL) }
        try tunnel.waitState("starting")
        try tunnel.set("never", nil)
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }

    /// cloudflared calls itself connected all the while, as over http2 it does for 150 s. The address is one of TEST-NET-1 (RFC 5737).
    @Test func cut_whileItCallsItselfConnected_isNoNetwork_andNoMatterOfDNS() throws {
        let tunnel = try TunnelBox(mode: "named", uplink: Self.place)
        let toml = try String(contentsOfFile: tunnel.box.config, encoding: .utf8)
        try tunnel.box.write(
            toml.replacingOccurrences(
                of: "NEXUS_TUNNEL_EDGE = \"\(TunnelBox.edge)\"", with: "NEXUS_TUNNEL_EDGE = \"192.0.2.9:8081\""))
        try tunnel.set("edge", "0.0.0.0:8081")
        try tunnel.start()
        try tunnel.inside("/usr/sbin/ip", "addr", "add", "192.0.2.9/32", "dev", "lo")
        let before = try uplink(tunnel)
        try tunnel.waitState("connected 4/4")
        try tunnel.waitLookedThrough()
        kill(before.pid, SIGKILL)
        try tunnel.inside("/usr/sbin/ip", "addr", "del", "192.0.2.9/32", "dev", "lo")
        try tunnel.inside("/usr/sbin/ip", "route", "add", "blackhole", "192.0.2.9/32")
        let cut = try tunnel.waitState("no network: this machine has a route")
        #expect(cut.connections == 0 && !cut.words.contains("DNS"), "\(cut)")
        #expect(cut.reach.contains("nobody from outside"), "\(cut)")
        #expect(try tunnel.box.ctl("tunnel", "url").status == 1)
        #expect(try tunnel.box.ctl("tunnel", "check").output.contains(/bad +tunnel/))
        let run = try tunnel.box.status().child("cloudflared")?.run
        let line = try uplink(tunnel)
        defer { kill(line.pid, SIGKILL) }
        try tunnel.inside("/usr/sbin/ip", "route", "del", "blackhole", "192.0.2.9/32")
        try tunnel.inside("/usr/sbin/ip", "addr", "add", "192.0.2.9/32", "dev", "lo")
        try tunnel.waitState("connected 4/4")
        #expect(try tunnel.box.status().child("cloudflared")?.run == run)
        #expect(tunnel.box.stop() == 0)
    }

    /// cloudflared's own waits have grown meanwhile; with the patience of owners, so that it is less than those 20 s.
    @Test func lineThatIsBack_isTakenAtOnce_alsoByACloudflaredThatWaits() throws {
        let tunnel = try TunnelBox(mode: "named", haste: 1, uplink: Self.place)
        try tunnel.start()
        let line = try uplink(tunnel)
        defer { kill(line.pid, SIGKILL) }
        try tunnel.waitState("connected 4/4")
        let before = try #require(try tunnel.box.status().child("cloudflared"))
        let pid = try #require(before.pid)
        try tunnel.set("stuck", "\(pid)")
        try tunnel.network(false)
        try tunnel.waitLine("no network")
        try tunnel.network(true)
        try tunnel.box.waitReplaced("cloudflared", pid, limit: .seconds(12))
        try tunnel.waitState("connected 4/4")
        let after = try #require(try tunnel.box.status().child("cloudflared"))
        #expect(after.restarts == before.restarts && after.lastEnd?.cause == "asked", "\(after)")
        #expect(tunnel.box.stop() == 0)
    }

    /// Without names it gives up at its start: no start after the other is spent on that, and one comes at once afterwards.
    @Test func giveUpWithoutNames_isHeld_andStartedWhenTheLineIsBack() throws {
        let tunnel = try TunnelBox(mode: "named", uplink: Self.place)
        try tunnel.set("start-fails", "dns")
        try tunnel.start()
        try tunnel.waitState("no network: names are not resolved here")
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

    /// There is no run then that could end by it.
    @Test func stopByName_whileItIsHeldBack_holdsOverTheEndOfTheTree_untilACommand() throws {
        let tunnel = try TunnelBox(mode: "named", uplink: Self.place)
        try tunnel.set("start-fails", "dns")
        try tunnel.start()
        try tunnel.waitState("no network: names are not resolved here")
        try tunnel.box.wait("cloudflared to be off") { $0.child("cloudflared")?.state == "off" }
        #expect(try tunnel.box.ctl("stop", "cloudflared").status == 0)
        try tunnel.waitState("stopped")
        try tunnel.set("start-fails", nil)
        let line = try uplink(tunnel)
        defer { kill(line.pid, SIGKILL) }
        let worker = try #require(try tunnel.box.status().pid("tunnel-worker"))
        kill(worker, SIGKILL)
        try tunnel.box.waitReplaced("tunnel-worker", worker)
        try tunnel.waitState("stopped")
        #expect(tunnel.box.stop() == 0)
        try tunnel.start()
        try tunnel.waitState("stopped")
        #expect(try tunnel.box.ctl("start", "cloudflared", "--no-wait").status == 0)
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }
}

import Foundation
import Testing

/// `nexusctl pair` prints the address that a phone will use now, and it lets one in there.
@Suite(.timeLimit(.minutes(3)), .enabled(if: TunnelBox.canMakeNetworks)) struct TunnelPairScenarios {
    private struct Pairing: Decodable {
        var url: String
        var way: String
        var url_lasts: Bool
        var reachable: Bool
        var qr: [String]
    }

    private func pairing(_ tunnel: TunnelBox, _ words: String...) throws -> Pairing {
        let answer = try run(
            Programs.path("nexusctl"), ["pair", "--json"] + words,
            environment: ["NEXUS_RUNTIME_DIRECTORY": tunnel.box.runtime])
        guard answer.status == 0 else { throw Trouble("pair: \(answer.errors)") }
        return try JSONDecoder().decode(Pairing.self, from: Data(answer.output.utf8))
    }

    /// What zbarimg, which knows nothing of us, reads in the code's rows.
    private func read(_ pairing: Pairing, _ tunnel: TunnelBox) throws -> String {
        let quiet = 4
        let side = pairing.qr.count + 2 * quiet
        var rows = [[Character]](repeating: [Character](repeating: "0", count: side), count: side)
        for (y, row) in pairing.qr.enumerated() {
            for (x, square) in row.enumerated() { rows[y + quiet][x + quiet] = square }
        }
        // A picture as pbm(5) has it; six dots a square.
        let lines = rows.flatMap { row in
            [String](repeating: String(row.flatMap { [Character](repeating: $0, count: 6) }), count: 6)
        }
        let file = tunnel.box.directory + "/qr.pbm"
        try "P1\n\(side * 6) \(side * 6)\n\(lines.joined(separator: "\n"))\n".write(
            toFile: file, atomically: true, encoding: .utf8)
        return try run("/usr/bin/zbarimg", ["-q", "--raw", file], limit: .seconds(20)).output
    }

    /// The link of a phone: read from the code, opened through the edge, and let in there.
    private func letIn(_ tunnel: TunnelBox, at host: String, lasts: Bool = true) throws {
        let pairing = try pairing(tunnel)
        #expect(pairing.url.hasPrefix("https://\(host)/#pair="), "\(pairing.url)")
        #expect(pairing.way == "tunnel" && pairing.reachable && pairing.url_lasts == lasts)
        #expect(try read(pairing, tunnel) == pairing.url + "\n")
        #expect(try tunnel.visit("/", host: host).status == "200")
        let code = try #require(pairing.url.components(separatedBy: "#pair=").last)
        let device = try PageDevice(tunnel, host: host, code: code)
        #expect(try device.ask("/api/devices", #"{"op":"own"}"#).body.contains(device.id))
        let list = try tunnel.box.ctl("devices", "list", "--json").output.split(separator: "\n").map {
            try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
        #expect(list.contains { $0?["device"] as? String == device.id }, "\(list)")
        let revoked = try tunnel.box.ctl("devices", "revoke", device.id, "--json")
        #expect(revoked.output == #"{"revoked":"\#(device.id)"}"# + "\n", "\(revoked)")
        #expect(try device.ask("/api/devices", #"{"op":"own"}"#).status == "401")
    }

    private func refused(_ tunnel: TunnelBox, _ words: String...) throws {
        let answer = try tunnel.box.ctl("pair")
        #expect(answer.status == 1 && answer.output.isEmpty, "\(answer.output)")
        for word in ["there is no address that a phone can reach", "nexusctl pair --here"] + words {
            #expect(answer.errors.contains(word), "\(word): \(answer.errors)")
        }
        #expect(try tunnel.box.ctl("pair", "--json").status == 1)
    }

    @Test func quickTunnel_isTheLinkWhileItStands_andThatItDoesNotLastIsSaid() throws {
        let tunnel = try TunnelBox(mode: "quick", url: nil)
        try tunnel.start()
        let url = try #require(try tunnel.waitState("connected 1/1").url)
        try letIn(tunnel, at: String(url.dropFirst("https://".count)), lasts: false)
        let words = try tunnel.box.ctl("pair").output
        #expect(words.contains("Open   \(url)/#pair=") && words.contains("it does not last"), "\(words)")
        #expect(words.contains("█"))
        #expect(try tunnel.box.ctl("tunnel", "stop").status == 0)
        try tunnel.waitState("off")
        try refused(tunnel, "the tunnel is off, and the page is for this machine alone", "nexusctl tunnel start")
        let here = try pairing(tunnel, "--here")
        #expect(here.url.hasPrefix("http://localhost:4780/#pair=") && here.way == "here" && !here.reachable)
        let drawn = try tunnel.box.ctl("pair", "--here").output
        #expect(drawn.contains("for a browser on this machine") && !drawn.contains("█"), "\(drawn)")
        #expect(tunnel.box.stop() == 0)
    }

    /// 80 by 24: what has scrolled away no phone reads.
    @Test func codeOfALongLink_isWholeOnALowTerminal() throws {
        let tunnel = try TunnelBox(mode: "quick", url: nil)
        try tunnel.set("quick", "four-random-words-here.trycloudflare.com")
        try tunnel.start()
        try tunnel.waitState("connected 1/1")
        let typist = try Typist(
            Programs.path("nexusctl"), ["pair"],
            environment: ["NEXUS_RUNTIME_DIRECTORY": tunnel.box.runtime, "TERM": "xterm", "NO_COLOR": "1"])
        #expect(typist.wait() == 0)
        try typist.until("all of the code") { $0.seen.hasSuffix("▀\r\n") || $0.seen.hasSuffix("█\r\n") }
        // The last row is the prompt's.
        let screen = typist.seen.split(separator: "\r\n").suffix(23).filter { $0.contains("█") || $0.contains("▄") }
        let rows = screen.flatMap { line in
            ["█▀", "█▄"].map { light in String(line.map { light.contains($0) ? "0" : "1" }) }
        }
        let shown = Pairing(url: "", way: "", url_lasts: false, reachable: true, qr: rows)
        let link = try #require(typist.seen.firstMatch(of: /Open +(\S+)/)).1
        #expect(try read(shown, tunnel) == link + "\n")
        #expect(tunnel.box.stop() == 0)
    }

    @Test func namedTunnel_isTheLinkOfTheSettings_andIsNoneWhileItIsDown() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.set("never", "")
        try tunnel.start()
        try tunnel.waitState("starting")
        try refused(tunnel, "the tunnel does not stand (starting: ")
        try tunnel.set("never", nil)
        try tunnel.waitState("connected 4/4")
        try letIn(tunnel, at: "chat.example.invalid")
        #expect(try tunnel.box.ctl("pair").output.contains("It leads through the tunnel, from anywhere."))
        #expect(tunnel.box.stop() == 0)
    }

    /// Who measured it is gone, and took cloudflared along: nothing is said as if it stood still.
    @Test func stoppedTunnelWorker_leavesNoAddressBehind_inNoPlace() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        func page(_ place: String) throws {
            try tunnel.box.wait("the page at \(place)") {
                $0.child("chat-bridge")?.status?.hasSuffix("page at \(place)") == true
            }
        }
        try page("https://chat.example.invalid")
        #expect(try tunnel.box.ctl("stop", "tunnel-worker").status == 0)
        try page(
            "http://localhost:4780; https://chat.example.invalid does not lead here now (nexusctl tunnel)")
        try refused(tunnel, "tunnel-worker is off: stopped by command; nexusctl start tunnel-worker")
        #expect(try tunnel.box.status().child("tunnel-worker")?.status == nil)
        // A fresh chat-bridge, which never heard of the tunnel, says the same.
        #expect(try tunnel.box.ctl("restart", "chat-bridge").status == 0)
        try page(
            "http://localhost:4780; https://chat.example.invalid does not lead here now (nexusctl tunnel)")
        try refused(tunnel, "tunnel-worker is off: stopped by command; nexusctl start tunnel-worker")
        #expect(try tunnel.box.ctl("start", "tunnel-worker").status == 0)
        try tunnel.waitState("connected 4/4")
        try page("https://chat.example.invalid")
        try letIn(tunnel, at: "chat.example.invalid")
        #expect(tunnel.box.stop() == 0)
    }

    @Test func tokenTunnel_isTheLinkOfTheRulesInForce() throws {
        let tunnel = try TunnelBox(mode: "token", url: nil)
        try tunnel.start()
        try tunnel.waitState("waiting for configuration")
        try refused(tunnel, "waiting for configuration")
        let chat = "unix:\(tunnel.box.runtime)/chat.sock"
        let rule = #"{"hostname":"rules.example.invalid","service":"\#(chat)"},{"service":"http_status:404"}"#
        try tunnel.set("remote", #"{"ingress":[\#(rule)]}"#)
        try tunnel.waitState("connected 4/4")
        try letIn(tunnel, at: "rules.example.invalid")
        #expect(tunnel.box.stop() == 0)
    }

    @Test func pageAtHome_isTheLinkWhenNoTunnelStands() throws {
        let tunnel = try TunnelBox(mode: "off", url: nil)
        let toml = try String(contentsOfFile: tunnel.box.config, encoding: .utf8)
        try tunnel.box.write(
            toml.replacingOccurrences(
                of: "\nlisten = \"127.0.0.1:4780\"\n",
                with: "\nlisten = \"0.0.0.0:4780\"\ncertificate = \"self-made\"\n"))
        try tunnel.start()
        try tunnel.box.waitReady()
        try refused(tunnel, "this machine has no address that others reach", "nexusctl tunnel setup")
        #expect(try tunnel.inside("/usr/sbin/ip", "address", "add", "192.0.2.7/32", "dev", "lo").status == 0)
        let pairing = try pairing(tunnel)
        #expect(pairing.url.hasPrefix("https://192.0.2.7:4780/#pair=") && pairing.way == "network" && pairing.reachable)
        #expect(try read(pairing, tunnel) == pairing.url + "\n")
        let page = try tunnel.inside("/usr/bin/curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", pairing.url)
        #expect(page.output == "200")
        #expect(try tunnel.box.ctl("pair").output.contains("SHA-256"))
        #expect(tunnel.box.stop() == 0)
    }
}

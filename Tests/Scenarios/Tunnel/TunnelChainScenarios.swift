import Foundation
import Testing

/// The way of a visitor, hop by hop: `tunnel check` names the first that fails, and that one alone is started anew.
@Suite(.timeLimit(.minutes(3)), .enabled(if: TunnelBox.canMakeNetworks)) struct TunnelChainScenarios {
    private func connected(haste: Int = 20, edited: (String) -> String = { $0 }) throws -> TunnelBox {
        let tunnel = try TunnelBox(mode: "named", haste: haste)
        try tunnel.box.write(edited(try String(contentsOfFile: tunnel.box.config, encoding: .utf8)))
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        try tunnel.box.waitReady()
        return tunnel
    }

    /// What `tunnel check` says of the hop that fails; the words are the hop's.
    private func failing(_ tunnel: TunnelBox) throws -> (hop: String, words: String) {
        struct Report: Decodable {
            struct Hop: Decodable {
                var hop: String
                var good: Bool
                var words: String
            }
            var good: Bool
            var failing: String?
            var hops: [Hop]
        }
        let answer = try tunnel.box.ctl("tunnel", "check", "--json")
        let report = try JSONDecoder().decode(Report.self, from: Data(answer.output.utf8))
        #expect(answer.status == (report.good ? 0 : 1) && report.good == (report.failing == nil), "\(answer)")
        #expect(report.hops.map(\.hop) == ["agent", "bridge", "tunnel", "edge"])
        let hop = try #require(report.hops.first { !$0.good }, "\(answer.output)")
        #expect(hop.hop == report.failing)
        return (hop.hop, hop.words)
    }

    private func othersStay(_ tunnel: TunnelBox, since before: StatusView, but mended: String?) throws {
        let now = try tunnel.box.status()
        for child in ["opencode", "agent-worker", "chat-bridge", "tunnel-worker", "cloudflared"] where child != mended {
            #expect(now.pid(child) != nil && now.pid(child) == before.pid(child), "\(child)")
        }
    }

    @Test func originDown_isTold_theCheckNamesTheHop_andItAloneIsMended() throws {
        let tunnel = try TunnelBox(mode: "named")
        let toml = try String(contentsOfFile: tunnel.box.config, encoding: .utf8)
        // How long it takes its time to end is no matter here.
        try tunnel.box.write(
            toml.replacingOccurrences(
                of: "[\"chat-bridge\"]\nworker", with: "[\"chat-bridge\"]\nstop-timeout = \"1s\"\nworker"))
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        let before = try tunnel.box.status()
        let bridge = try #require(before.pid("chat-bridge"))
        kill(bridge, SIGSTOP)
        defer { kill(bridge, SIGCONT) }
        try tunnel.waitState("origin down")
        #expect(try failing(tunnel).hop == "bridge")
        try tunnel.box.waitReplaced("chat-bridge", bridge)
        try tunnel.waitState("connected 4/4")
        #expect(try tunnel.visit("/").status == "200")
        try othersStay(tunnel, since: before, but: "chat-bridge")
        // Its page is this machine's, though its mark is another one now.
        #expect(try tunnel.box.ctl("tunnel", "check").status == 0)
        try tunnel.box.waitLog(
            "tunnel-worker", "chat-bridge is ready and answers nobody on its socket: it is started anew")
        #expect(tunnel.box.stop() == 0)
    }

    /// What is measured is there before the end of the run before is forgotten.
    @Test func afterACrash_noHopIsJudgedByTheRunBefore() throws {
        let tunnel = try connected()
        kill(try #require(try tunnel.box.status().pid("cloudflared")), SIGKILL)
        var isGood = false
        while !isGood {
            let answer = try tunnel.box.ctl("tunnel", "check")
            isGood = answer.status == 0
            let stands = answer.output.contains("connections to the edge stand")
            #expect(!stands || !answer.output.contains("as long as no tunnel runs"), "\(answer.output)")
        }
        #expect(tunnel.box.stop() == 0)
    }

    /// The next look of its turn would come in years.
    @Test func chatThatAnswersAgain_isLookedAtThroughTheAddressAtOnce() throws {
        let tunnel = try connected { toml in
            toml.replacingOccurrences(
                of: "\nNEXUS_TUNNEL = ", with: "\nNEXUS_TUNNEL_OUTSIDE = \"1000000000\"\nNEXUS_TUNNEL = ")
        }
        let bridge = try #require(try tunnel.box.status().pid("chat-bridge"))
        kill(bridge, SIGSTOP)
        defer { kill(bridge, SIGCONT) }
        try tunnel.waitState("origin down")
        let before = try tunnel.looksThrough()
        kill(bridge, SIGCONT)
        try tunnel.waitState("connected 4/4")
        try tunnel.box.wait("a look through the edge") { _ in try tunnel.looksThrough() > before }
        #expect(tunnel.box.stop() == 0)
    }

    /// agent-worker is as ready for nexusd as it was, and no turn can be taken; opencode is started anew when it has not answered
    /// twice.
    @Test func agentThatHangs_isTheFailingHop_andOpencodeAloneIsMended() throws {
        let tunnel = try connected { toml in
            toml.replacingOccurrences(
                of: "\nfallback-hint",
                with: "\nstop-timeout = \"1s\"\n"
                    + "liveness = { exec = [\"/bin/true\"], interval = \"5min\", misses = 2 }\nfallback-hint")
        }
        #expect(try tunnel.box.ctl("tunnel", "check").output.contains("agent-worker, asked by the chat: connected"))
        let before = try tunnel.box.status()
        let worker = try #require(before.pid("agent-worker"))
        kill(worker, SIGSTOP)
        defer { kill(worker, SIGCONT) }
        let hung = try failing(tunnel)
        #expect(hung.hop == "agent" && hung.words.contains("agent-worker does not answer for 3 s"), "\(hung)")
        #expect(try tunnel.box.status().child("agent-worker")?.state == "ready")
        kill(worker, SIGCONT)
        #expect(try tunnel.box.ctl("tunnel", "check").status == 0)

        let agent = try #require(before.pid("opencode"))
        kill(agent, SIGSTOP)
        defer { kill(agent, SIGCONT) }
        try tunnel.box.wait("a complaint of agent-worker", limit: .seconds(40)) { $0.child("opencode")?.health != nil }
        let unwell = try failing(tunnel)
        #expect(unwell.hop == "agent" && unwell.words.contains("opencode is not well"), "\(unwell)")
        try tunnel.box.waitReplaced("opencode", agent, limit: .seconds(40))
        try tunnel.box.wait("the chain to carry again") { _ in try tunnel.box.ctl("tunnel", "check").status == 0 }
        try othersStay(tunnel, since: before, but: "opencode")
        #expect(tunnel.box.stop() == 0)
    }

    /// Told by its metrics port; and not told by it, but found by a look through the edge.
    @Test(arguments: [
        // Hastened so far that there is time for a question in between.
        ("stuck", 8, "tunnel", "reconnecting: ", "stuck: the network is there, and no connection comes back"),
        (
            "silent", 2, "edge", "Cloudflare knows of no connection of this tunnel (530)",
            "it calls itself connected, and the public address does not lead here any more"
        ),
    ]) func tunnelThatCarriesNothing_isTheFailingHop_andCloudflaredAloneIsMended(
        _ how: String, haste: Int, _ hop: String, _ words: String, _ why: String
    ) throws {
        let tunnel = try connected(haste: haste)
        try tunnel.waitLookedThrough()
        let before = try tunnel.box.status()
        let pid = try #require(before.pid("cloudflared"))
        try tunnel.set(how, "\(pid)")
        if hop == "tunnel" { try tunnel.waitLine("reconnecting") }
        let lost = try failing(tunnel)
        #expect(lost.hop == hop && lost.words.hasPrefix(words), "\(lost)")
        // What tunnel-worker says of it may be over before anybody looks.
        try tunnel.box.waitReplaced("cloudflared", pid, limit: .seconds(40))
        // What was done, and why, is said while it is on its way and for a while after.
        let line = try tunnel.waitLine("connected 4/4")
        #expect(line.contains("cloudflared was started anew: \(why)"), "\(line)")
        #expect(try tunnel.box.ctl("tunnel").output.contains(why))
        try tunnel.box.waitLog("tunnel-worker", "cloudflared is started anew: \(why)")
        #expect(try tunnel.box.ctl("tunnel", "check").status == 0)
        try othersStay(tunnel, since: before, but: "cloudflared")
        #expect(tunnel.box.stop() == 0)
    }

    /// Of the same version, so that its page is the same: a second connector of this tunnel has taken the visitors.
    @Test func pageOfAnotherMachine_isTheFailingHop_andNothingIsStartedAnewForIt() throws {
        let other = try TunnelBox(mode: "off")
        try other.start()
        let tunnel = try connected()
        try tunnel.waitLookedThrough()
        #expect(
            try tunnel.box.ctl("tunnel", "check").output.contains(
                "https://chat.example.invalid leads to this machine's page"))
        let before = try tunnel.box.status()
        try other.box.waitReady()
        let page = try tunnel.visit("/page.webmanifest")
        try tunnel.set("elsewhere", "unix:\(other.box.runtime)/chat.sock")
        #expect(try tunnel.visit("/page.webmanifest") == page)
        let words =
            "https://chat.example.invalid answers with another machine's page: a second connector of this tunnel"
        let found = try failing(tunnel)
        #expect(found.hop == "edge" && found.words.hasPrefix(words), "\(found)")
        try tunnel.waitState("connected 4/4; \(words)")
        // More looks than those in vain after which a tunnel that carries nothing is started anew.
        let looks = try tunnel.looksThrough()
        try tunnel.box.wait("six more looks") { _ in try tunnel.looksThrough() >= looks + 6 }
        try othersStay(tunnel, since: before, but: nil)
        try tunnel.set("elsewhere", nil)
        try tunnel.waitLine("connected 4/4 at https://chat.example.invalid")
        #expect(try tunnel.box.ctl("tunnel", "check").status == 0)
        try othersStay(tunnel, since: before, but: nil)
        #expect(other.box.stop() == 0)
        #expect(tunnel.box.stop() == 0)
    }
}

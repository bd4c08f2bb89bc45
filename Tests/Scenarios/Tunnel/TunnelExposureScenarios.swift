import Foundation
import Testing

/// What more than the chat can be reached is ended at once; what only this machine cannot see is not.
@Suite(.timeLimit(.minutes(3)), .enabled(if: TunnelBox.canMakeNetworks)) struct TunnelExposureScenarios {
    private static let end = #"{"service":"http_status:404"}"#

    private func rules(_ tunnel: TunnelBox, and other: String? = nil) -> String {
        let chat = #"{"hostname":"chat.example.invalid","service":"unix:\#(tunnel.box.runtime)/chat.sock"}"#
        return #"{"ingress":[\#(([chat] + [other].compactMap { $0 } + [Self.end]).joined(separator: ","))]}"#
    }

    private func connected(_ edited: (String) -> String = { $0 }) throws -> TunnelBox {
        let tunnel = try TunnelBox(mode: "token")
        try tunnel.box.write(edited(try String(contentsOfFile: tunnel.box.config, encoding: .utf8)))
        try tunnel.set("remote", rules(tunnel))
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        try tunnel.box.waitReady()
        return tunnel
    }

    private func waitEnded(_ tunnel: TunnelBox) throws {
        let off = try tunnel.box.wait("cloudflared to be gone") { $0.child("cloudflared")?.state == "off" }
        let end = try #require(off.child("cloudflared")?.lastEnd)
        #expect(end.cause == "asked" && end.signal == Int(SIGKILL), "\(end)")
    }

    /// Its grace period is 55 s, in which it would serve on what is under way.
    @Test func exposure_endsItAtOnce_whateverIsUnderWay() throws {
        let tunnel = try connected {
            $0.replacingOccurrences(of: "\nstop-timeout = \"10s\"", with: "\nstop-timeout = \"60s\"")
        }
        try tunnel.set("slow-drain", "")
        try tunnel.set(
            "remote", rules(tunnel, and: #"{"hostname":"x.example.invalid","service":"http://127.0.0.1:4096"}"#))
        try waitEnded(tunnel)
        let stopped = try tunnel.waitState(
            "exposes more than the chat, so it is stopped: rule 2 leads x.example.invalid")
        #expect(stopped.reach.hasPrefix("nobody from outside"), "\(stopped)")
        #expect(tunnel.box.stop() == 0)
    }

    /// Whatever it leads to meanwhile is not known, so it is not called unreachable, and that run does not stay.
    @Test func metricsPortThatAnswersNobody_endsTheRun_andTheNextIsLookedAt() throws {
        let tunnel = try connected()
        try tunnel.set("metrics-after", "5")
        try tunnel.set(
            "remote", rules(tunnel, and: #"{"hostname":"x.example.invalid","service":"http://127.0.0.1:4096"}"#))
        try tunnel.waitLine(
            "reconnecting: cloudflared does not answer on its metrics port; what it leads to is not known")
        let unread = try tunnel.described()
        #expect(unread.reach.hasPrefix("not known from outside"), "\(unread)")
        try tunnel.box.wait("another run", limit: .seconds(60)) {
            let line = $0.child("tunnel-worker")?.status ?? ""
            return line.contains("cloudflared was started anew: it does not answer on its metrics port")
        }
        try tunnel.set("metrics-after", "0")
        let ended = try tunnel.waitState("exposes more than the chat", limit: .seconds(60))
        #expect(ended.words.contains("x.example.invalid"), "\(ended)")
        try waitEnded(tunnel)
        #expect(tunnel.box.stop() == 0)
    }

    /// Pushed texts have no bound of their own, and every question is answered all the same.
    @Test func textsWithoutEnd_areCut_andEachQuestionIsAnswered() throws {
        let tunnel = try connected()
        let long = String(repeating: "x", count: 66_000)
        try tunnel.set("remote", rules(tunnel, and: #"{"hostname":"\#(long)","service":"http://\#(long)"}"#))
        let exposed = try tunnel.waitState("exposes more than the chat")
        #expect(exposed.words.utf8.count < 1000)
        for words in [["tunnel"], ["tunnel", "url"], ["tunnel", "check"]] {
            #expect([0, 1].contains(try tunnel.box.begin(words).wait().status), "\(words)")
        }
        #expect(tunnel.box.stop() == 0)
    }

    /// Visitors are served, or somebody asks them first; a new start would mend nothing, and take a quick tunnel's address.
    @Test(arguments: [
        ("302", "something in front of the tunnel asks who comes (302); who is let in there comes to the page"),
        ("404", "no rule of the tunnel is for chat.example.invalid (404); if visitors do not get it either, look at"),
    ]) func whatStandsInFront_isSaid_andNothingIsStartedAnew(_ status: String, _ words: String) throws {
        let tunnel = try connected()
        try tunnel.waitLookedThrough()
        let pid = try tunnel.box.status().pid("cloudflared")
        try tunnel.set("front", status)
        let line = try tunnel.waitLine("connected 4/4; no look of this machine's own got the page there")
        #expect(line.contains(words), "\(line)")
        let seen = try tunnel.described()
        let doubt =
            status == "302" ? "where something in front asks who comes" : "which this machine's own looks do not get to"
        #expect(seen.reach.contains("https://chat.example.invalid (\(doubt))"), "\(seen)")
        // It is given out, for visitors may come by it; that our own looks do not is said beside it.
        for (command, address) in [
            (["tunnel", "url"], "https://chat.example.invalid\n"), (["pair"], "https://chat.example.invalid/#pair="),
        ] {
            let given = try tunnel.box.begin(command).wait()
            #expect(given.status == 0 && given.output.contains(address), "\(given)")
            let words = given.errors
            #expect(words.contains("the address is in doubt: ") && words.contains("(\(status))"), "\(words)")
        }
        #expect(try tunnel.box.ctl("doctor").output.contains("nexusctl tunnel check, then what is said there"))
        try tunnel.set("front", nil)
        try tunnel.waitLine("connected 4/4 at https://chat.example.invalid")
        #expect(try tunnel.box.ctl("tunnel", "url").errors.isEmpty)
        #expect(try tunnel.box.status().pid("cloudflared") == pid)
        #expect(tunnel.box.stop() == 0)
    }

    /// Before that it leads nobody anywhere.
    @Test func quickTunnelsAddress_isToldAsSoonAsItLeadsHere() throws {
        let tunnel = try TunnelBox(mode: "quick", url: nil)
        try tunnel.set("never", "")
        try tunnel.set("quick", "four-words.trycloudflare.com")
        try tunnel.start()
        try tunnel.box.wait("the name to be known") { _ in
            try tunnel.described().url == "https://four-words.trycloudflare.com"
        }
        let told = "the page is reached at https://four-words.trycloudflare.com"
        #expect(try !tunnel.box.ctl("logs", "tunnel-worker").output.contains(told))
        try tunnel.set("never", nil)
        try tunnel.waitState("connected 1/1")
        try tunnel.box.waitLog("tunnel-worker", told)
        #expect(tunnel.box.stop() == 0)
    }

    @Test func nameThatIsNoQuickTunnels_isNotTaken() throws {
        let tunnel = try TunnelBox(mode: "quick", url: nil)
        try tunnel.set("quick", "x.trycloudflare.com/../#@evil.example")
        try tunnel.start()
        let seen = try tunnel.waitState("connected 1/1; it calls itself 'x.trycloudflare.com/../#@evil.example'")
        #expect(seen.url == nil && seen.words.contains("no quick tunnel's name"), "\(seen)")
        #expect(try tunnel.box.begin(["tunnel", "url"]).wait().status == 1)
        #expect(tunnel.box.stop() == 0)
    }
}

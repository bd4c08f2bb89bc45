import Foundation
import Testing

/// The tunnel's switches of the page, used through the tunnel itself and from near.
@Suite(.timeLimit(.minutes(3)), .enabled(if: TunnelBox.canMakeNetworks)) struct TunnelTrialScenarios {
    private func chosen(_ tunnel: TunnelBox) -> String {
        (try? String(contentsOfFile: tunnel.box.state + "/tunnel/choice.json", encoding: .utf8)) ?? ""
    }

    /// The dashboard leads the chat's name to the chat.
    private func lead(_ tunnel: TunnelBox) throws {
        let chat = #"{"hostname":"chat.example.invalid","service":"unix:\#(tunnel.box.runtime)/chat.sock"}"#
        try tunnel.set("remote", #"{"ingress":[\#(chat),{"service":"http_status:404"}]}"#)
    }

    /// It leads nobody anywhere.
    private func leadNowhere(_ tunnel: TunnelBox) throws {
        try tunnel.set("remote", #"{"ingress":[{"service":"http_status:404"}]}"#)
    }

    private func waitNamed(_ tunnel: TunnelBox) throws {
        try tunnel.box.wait("the named tunnel to be back") { _ in
            let now = try tunnel.described()
            return now.mode == "named" && now.state == "connected"
        }
    }

    /// A token tunnel whose rules lead nowhere: whoever comes gets 404, and the maker of the change is shut out.
    @Test func changeThatCarriesNobody_isUndone_andItsMakerIsBack() throws {
        let tunnel = try TunnelBox(mode: "named")
        try leadNowhere(tunnel)
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        let owner = try tunnel.device()
        let asked = try owner.ask("/api/tunnel", #"{"op":"mode","mode":"token"}"#)
        #expect(asked.status == "200" && asked.body.contains(#""trial_back":"named""#), "\(asked)")
        #expect(asked.body.contains(#""through":true"#) && asked.body.contains(#""qr":["1111111"#))
        // Looked at now: later it may be over.
        #expect(chosen(tunnel).contains("trial"))
        // Said by the way before: it shows nothing.
        let early = try owner.ask("/api/tunnel", #"{"op":"keep"}"#)
        #expect(early.status != "200", "\(early)")
        let waiting = try tunnel.waitLine("connected 4/4; no rule leads to the chat")
        #expect(waiting.contains("on trial: back to named unless it is kept"), "\(waiting)")

        try waitNamed(tunnel)
        #expect(!chosen(tunnel).contains("trial"))
        let back = try owner.ask("/api/tunnel", #"{"op":"describe"}"#)
        #expect(back.status == "200" && back.body.contains(#""mode":"named""#), "\(back)")
        try tunnel.box.waitLog(
            "tunnel-worker", "device \(owner.id), through the tunnel, asks the tunnel for: mode token",
            "nobody kept what was changed through it, so it is named again")
        #expect(tunnel.box.stop() == 0)
    }

    @Test func stopThroughTheTunnel_isUndone() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        let owner = try tunnel.device()
        #expect(try owner.ask("/api/tunnel", #"{"op":"stop"}"#).status == "200")
        #expect(try tunnel.waitLine("off").contains("on trial"))
        try tunnel.waitState("connected 4/4")
        #expect(try owner.ask("/api/tunnel", #"{"op":"describe"}"#).status == "200")
        #expect(tunnel.box.stop() == 0)
    }

    /// What was good before lives as tunnel-worker's copy alone: that is what it goes back to.
    @Test(
        arguments: [#"{"op":"stop"}"#, #"{"op":"mode","mode":"token"}"#], [nil, "{}"] as [String?]
    ) func change_isUndone_alsoWhereTheOwnersFileIsBadByThen(_ change: String, _ left: String?) throws {
        let tunnel = try TunnelBox(mode: "named")
        try leadNowhere(tunnel)
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        let owner = try tunnel.device()
        let file = tunnel.box.directory + "/credentials.json"
        if let left { try tunnel.secretFile("credentials.json", left) }
        #expect(try owner.ask("/api/tunnel", change).body.contains(#""trial_back":"named""#))
        if left == nil { try FileManager.default.removeItem(atPath: file) }
        try waitNamed(tunnel)
        let now = try tunnel.described()
        #expect(now.complaint?.hasPrefix("[tunnel] credentials-file: ") == true, "\(now)")
        #expect(try tunnel.box.ctl("tunnel").output.contains("Mode     named, chosen by Supervisor.toml"))
        #expect(try owner.ask("/api/tunnel", #"{"op":"describe"}"#).status == "200")
        #expect(tunnel.box.stop() == 0)
    }

    @Test func changeThatCarries_isKeptByItsMaker_throughTheNewWay() throws {
        let tunnel = try TunnelBox(mode: "named", haste: 3)
        try lead(tunnel)
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        let owner = try tunnel.device()
        #expect(try owner.ask("/api/tunnel", #"{"op":"mode","mode":"token"}"#).status == "200")
        try tunnel.box.wait("the token tunnel") { _ in
            let now = try tunnel.described()
            return now.mode == "token" && now.state == "connected"
        }
        let kept = try owner.ask("/api/tunnel", #"{"op":"keep"}"#)
        #expect(kept.status == "200" && !kept.body.contains("trial"), "\(kept)")
        #expect(chosen(tunnel).contains("token") && !chosen(tunnel).contains("trial"))
        #expect(try owner.ask("/api/tunnel", #"{"op":"keep"}"#).status != "200")
        #expect(tunnel.box.stop() == 0)
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        #expect(try tunnel.described().mode == "token")
        #expect(tunnel.box.stop() == 0)
    }

    /// Nothing is tried out where nobody can shut himself out; what is tried may be kept from there too.
    @Test func changeFromNear_isForGood_andKeepsWhatIsTried() throws {
        let tunnel = try TunnelBox(mode: "named", haste: 1)
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        let owner = try tunnel.device()
        let guest = try tunnel.device("--chat-only")
        #expect(try owner.ask("/api/tunnel", #"{"op":"mode","mode":"token"}"#).body.contains("trial_left"))
        #expect(try tunnel.box.ctl("tunnel").output.contains("Trial    back to named in "))
        let kept = try owner.ask("/api/tunnel", #"{"op":"keep"}"#, near: true)
        #expect(kept.status == "200" && !kept.body.contains("trial"), "\(kept)")
        let nothing = try tunnel.box.ctl("tunnel", "keep")
        #expect(nothing.errors.contains("nothing is on trial"), "\(nothing)")
        let back = try owner.ask("/api/tunnel", #"{"op":"mode","mode":"named"}"#, near: true)
        #expect(back.status == "200" && !back.body.contains("trial"), "\(back)")
        #expect(back.body.contains(#""through":false"#))
        // What is wrong changes nothing and is said with its field.
        let quick = try owner.ask("/api/tunnel", #"{"op":"mode","mode":"quick"}"#, near: true)
        #expect(quick.status == "502" && quick.body.contains("[chat] url"), "\(quick)")
        for op in ["describe", "stop", "keep"] {
            #expect(try guest.ask("/api/tunnel", #"{"op":"\#(op)"}"#, near: true).status == "403")
        }
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }

    /// The deadline is in the file: whoever reads it next undoes it in time, also when the whole tree was away meanwhile.
    @Test(arguments: ["tunnel-worker", "tree"]) func trial_survivesARestart(of what: String) throws {
        let tunnel = try TunnelBox(mode: "named", haste: 10)
        try leadNowhere(tunnel)
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        let owner = try tunnel.device()
        #expect(try owner.ask("/api/tunnel", #"{"op":"mode","mode":"token"}"#).status == "200")
        let pid = try #require(try tunnel.box.status().pid("tunnel-worker"))
        if what == "tree" {
            #expect(tunnel.box.stop() == 0)
            try tunnel.start()
        } else {
            kill(pid, SIGKILL)
            try tunnel.box.waitReplaced("tunnel-worker", pid)
        }
        try waitNamed(tunnel)
        #expect(!chosen(tunnel).contains("trial"))
        #expect(try owner.ask("/api/tunnel", #"{"op":"describe"}"#).status == "200")
        #expect(tunnel.box.stop() == 0)
    }
}

import Foundation
import Testing

/// What the dashboard's rules do with the public name decides where the page is said to be.
@Suite(.timeLimit(.minutes(3)), .enabled(if: TunnelBox.canMakeNetworks)) struct TunnelRuleScenarios {
    private struct Sight: Decodable {
        var words: String
        var reach: String
        var leads: Bool
        var connections: Int

        enum CodingKeys: String, CodingKey {
            case words, reach, connections
            case leads = "url_leads"
        }
    }

    private func sight(_ tunnel: TunnelBox) throws -> Sight {
        try JSONDecoder().decode(Sight.self, from: Data(try tunnel.box.ctl("tunnel", "status", "--json").output.utf8))
    }

    @Test func rulesThatLeadTheNameNowhere_giveNoAddress() throws {
        let tunnel = try TunnelBox(mode: "token")
        let service = #""service":"unix:\#(tunnel.box.runtime)/chat.sock""#
        let chat = #"{"hostname":"chat.example.invalid",\#(service)}"#
        func push(_ rules: String...) throws {
            try tunnel.set(
                "remote", #"{"ingress":[\#((rules + [#"{"service":"http_status:404"}"#]).joined(separator: ","))]}"#)
        }
        try push(chat)
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        #expect(try sight(tunnel).leads)
        for (rule, reach) in [
            (nil, "nobody from outside"),
            (
                #"{"hostname":"other.example.invalid",\#(service)}"#,
                "nobody from outside"
            ),
            (
                #"{"hostname":"chat.example.invalid","path":"^/api/",\#(service)}"#,
                "browsers that were let in (nexusctl pair): from anywhere at chat.example.invalid (paths with ^/api/), and"
            ),
        ] {
            if let rule { try push(rule) } else { try push() }
            try tunnel.waitLine("connected 4/4; no rule leads")
            let now = try sight(tunnel)
            #expect(!now.leads && now.reach.hasPrefix(reach), "\(now)")
            // It is asked for under a name that it does not answer to.
            let other =
                "the page turns away who comes by other.example.invalid: it answers to https://chat.example.invalid only"
            let isOther = rule?.contains("other.example") == true
            #expect(now.reach.hasSuffix(other) == isOther, "\(now)")
            if isOther { #expect(try tunnel.visit("/", host: "other.example.invalid").status == "421") }
            #expect(now.words.contains("the service to point at is unix:\(tunnel.box.runtime)/chat.sock"), "\(now)")
            let url = try tunnel.box.ctl("tunnel", "url")
            #expect(url.status == 1 && url.output.isEmpty && url.errors.contains("no rule leads"), "\(url)")
            let pair = try tunnel.box.ctl("pair")
            #expect(!pair.output.contains("https://chat.example.invalid"), "\(pair)")
            try push(chat)
            try tunnel.waitLine("connected 4/4 at https://chat.example.invalid")
        }
        // Whoever asks after the end of tunnel-worker hears how it is, and not that it has not looked yet; with what stands.
        let worker = try #require(try tunnel.box.status().pid("tunnel-worker"))
        kill(worker, SIGKILL)
        let after = try sight(tunnel)
        #expect(after.words.hasPrefix("connected 4/4") && after.leads, "\(after)")
        // The chat is gone: the connections are not.
        #expect(try tunnel.box.ctl("stop", "chat-bridge").status == 0)
        try tunnel.waitState("origin down")
        let down = try sight(tunnel)
        #expect(
            down.connections == 4
                && down.reach
                    == "nobody now: the chat does not answer; https://chat.example.invalid would lead here",
            "\(down)")
        let doctor = try tunnel.box.ctl("doctor").output
        #expect(doctor.contains("origin down") && doctor.contains("→ nexusctl why chat-bridge"), "\(doctor)")
        #expect(tunnel.box.stop() == 0)
    }
}

import Chat
import HTTPTypes
import Testing

@testable import ChatWeb

/// What comes through cloudflared's own socket.
@Suite(.timeLimit(.minutes(2)))
struct TunnelSocketTests {
    private let own = #"{"op":"own"}"#

    /// As cloudflared brings it: under the public name, with the visitor's address.
    private func ask(
        _ box: WebBox, _ path: String = "/api/devices", _ body: String? = nil, from address: String,
        name: String = "chat.example.invalid", cookie: String? = nil, _ more: [String] = []
    ) throws -> RawAnswer {
        let connection = try box.connectAsTunnel()
        let text = box.request(path, body ?? own, cookie: cookie, ["CF-Connecting-IP: \(address)"] + more)
            .replacing("http://localhost:\(box.port)", with: "https://\(name)")
            .replacing("localhost:\(box.port)", with: name)
        try connection.send(text)
        return try connection.answer()
    }

    @Test func strangersBehindTheTunnel_shareNoBucket() async throws {
        let box = try await WebBox()
        var last = 0
        for _ in 0..<60 where last != 429 { last = try ask(box, from: "203.0.113.1").status }
        #expect(last == 429)
        #expect(try ask(box, from: "203.0.113.2").status == 401)
        // Wrong codes too.
        for _ in 0..<30 { last = try ask(box, "/api/pair", #"{"code":"wrong"}"#, from: "2001:db8::1").status }
        #expect(last == 429)
        #expect(try ask(box, "/api/pair", #"{"code":"wrong"}"#, from: "2001:db8::2").status == 429)
        #expect(try ask(box, "/api/pair", #"{"code":"wrong"}"#, from: "2001:db8:0:1::1").status == 403)
    }

    @Test func headers_areBelievedOnThisSocketOnly() async throws {
        let box = try await WebBox()
        let code = try await box.code()
        let paired = try ask(box, "/api/pair", #"{"code":"\#(code)","name":"a phone"}"#, from: "203.0.113.9")
        #expect(paired.status == 200)
        #expect(try await box.store.devices().map(\.address) == ["203.0.113.9"])
        // On the port they are words of a stranger's: one bucket whatever he says.
        var last = 0
        for number in 0..<60 where last != 429 {
            last = try box.post("/api/devices", own, ["CF-Connecting-IP: 203.0.113.\(number)"]).status
        }
        #expect(last == 429)
        #expect(!box.audit.all.contains { $0.contains("203.0.113.2") })
    }

    @Test func visitorWithoutTLS_isToldToUseIt() async throws {
        let box = try await WebBox()
        let answer = try ask(box, from: "203.0.113.1", ["X-Forwarded-Proto: http"])
        #expect(answer.status == 403 && answer.text.contains("https://chat.example.invalid"))
        #expect(try ask(box, from: "203.0.113.1", ["X-Forwarded-Proto: https"]).status == 401)
    }

    /// tunnel-worker is told who wants what, and by which way he came; the rest is its judgement.
    @Test func ownersWishAboutTheTunnel_isBroughtOn_withTheWayHeCame() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let device = try #require(try await box.store.devices().first).id
        let wish = #"{"op":"mode","mode":"token"}"#
        let through = try ask(box, "/api/tunnel", wish, from: "203.0.113.1", cookie: cookie)
        #expect(through.status == 200 && through.text.contains(#""through":true"#), "\(through.text)")
        // The address as a code too; what the page does not need is not told.
        #expect(through.text.contains(#""qr":["1111111"#) && !through.text.contains("program"))
        // Whatever a request says of itself: it came by the port.
        let near = try box.post("/api/tunnel", #"{"op":"stop","over":"tunnel","device":"x"}"#, cookie: cookie)
        #expect(near.status == 200 && near.text.contains(#""through":false"#))
        _ = try box.post("/api/tunnel", #"{"op":"describe"}"#, cookie: cookie)
        #expect(
            box.tunnelAsked.all == [
                #"{"device":"\#(device)","mode":"token","op":"mode","over":"tunnel"}"#,
                #"{"device":"\#(device)","op":"stop","over":"near"}"#, #"{"op":"describe"}"#,
            ])
        #expect(box.audit.all.contains("device \(device) asks the tunnel: mode token"), "\(box.audit.all)")
    }

    @Test func wishAboutTheTunnel_ofAGuest_orOutsideTheSet_isBroughtToNobody() async throws {
        let box = try await WebBox()
        let guest = try await box.pair(.chatOnly)
        #expect(try box.post("/api/tunnel", #"{"op":"stop"}"#, cookie: guest).status == 403)
        #expect(try ask(box, "/api/tunnel", #"{"op":"describe"}"#, from: "203.0.113.1", cookie: guest).status == 403)
        #expect(try box.post("/api/tunnel", #"{"op":"stop"}"#).status == 401)
        let owner = try await box.pair()
        for body in [#"{"op":"check"}"#, #"{"op":"mode"}"#, #"{"op":"mode","mode":"off; rm"}"#, "[]", ""] {
            #expect(try box.post("/api/tunnel", body, cookie: owner).status == 400, "\(body)")
        }
        #expect(box.tunnelAsked.all.isEmpty)
    }

    @Test func nameOfTheTunnel_isTheOneThatIsConfigured_orAnyWithItsOwnOrigin() async throws {
        let known = try await WebBox(url: "https://chat.example.invalid")
        #expect(try ask(known, from: "203.0.113.1").status == 401)
        #expect(try ask(known, from: "203.0.113.1", name: "other.example.invalid").status == 421)
        let quick = try await WebBox()
        #expect(try ask(quick, from: "203.0.113.1", name: "four-random-words.example.invalid").status == 401)
        let connection = try quick.connectAsTunnel()
        try connection.send(
            quick.request("/api/devices", own).replacing("Host: localhost:\(quick.port)", with: "Host: a.invalid"))
        #expect(try connection.answer().status == 403)
    }

    /// The settings of now were refused as a whole, and the tunnel leads its name of before here.
    @Test func nameOfTheTunnelInForce_isServed_besideTheOneOfNow_onItsOwnSocket() async throws {
        let box = try await WebBox(url: "https://new.example.invalid")
        #expect(try ask(box, from: "203.0.113.1").status == 421)
        box.tunnelName.hear("https://Chat.example.invalid")
        #expect(try ask(box, from: "203.0.113.1").status == 401)
        #expect(try ask(box, from: "203.0.113.1", name: "new.example.invalid").status == 401)
        #expect(try ask(box, from: "203.0.113.1", name: "other.example.invalid").status == 421)
        // Its page speaks for itself alone, and the port knows nothing of it.
        let named = box.request("/api/devices", own).replacing(
            "Host: localhost:\(box.port)", with: "Host: chat.example.invalid")
        let foreign = try box.connectAsTunnel()
        try foreign.send(named.replacing("http://localhost:\(box.port)", with: "https://new.example.invalid"))
        #expect(try foreign.answer().status == 403)
        let near = try box.connect()
        try near.send(named)
        #expect(try near.answer().status == 421)
    }

    @Test func oneConnection_servesManyVisitors_eachAsHimself() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let connection = try box.connectAsTunnel()
        for (address, cookie, status) in [
            ("203.0.113.1", nil, 401), ("203.0.113.2", cookie, 200), ("203.0.113.1", nil, 401),
        ] {
            let text = box.request("/api/devices", own, cookie: cookie, ["CF-Connecting-IP: \(address)"])
                .replacing("http://localhost:\(box.port)", with: "https://chat.example.invalid")
                .replacing("localhost:\(box.port)", with: "chat.example.invalid")
                .replacing("Connection: close\r\n", with: "")
            try connection.send(text)
            let answer = try connection.receive(until: "}")
            #expect(answer.hasPrefix("HTTP/1.1 \(status)"))
        }
        #expect(box.server.connections.counts == (1, 0))
    }

    @Test(
        arguments: [
            (["CF-Connecting-IP: 203.0.113.1"], "203.0.113.1"), (["CF-Connecting-IP: 2001:DB8:0::1"], "2001:db8::1"),
            (["CF-Connecting-IP: 203.0.113.1", "X-Forwarded-For: 198.51.100.1"], "203.0.113.1"),
            (["CF-Connecting-IP: 203.0.113.1", "CF-Connecting-IP: 203.0.113.2"], nil),
            (["X-Forwarded-For: 198.51.100.1, 203.0.113.7"], "203.0.113.7"),
            (["X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 203.0.113.7 "], "203.0.113.7"),
            (["CF-Connecting-IP: ::ffff:203.0.113.1"], "203.0.113.1"), (["CF-Connecting-IP: drop table"], nil),
            ([], nil),
        ] as [([String], String?)])
    func addressOfTheVisitor_isTheLastHopsWord(_ lines: [String], _ address: String?) throws {
        var fields = HTTPFields()
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1)
            let name = try #require(HTTPField.Name(String(parts[0])))
            fields.append(HTTPField(name: name, value: String(parts[1].drop { $0 == " " })))
        }
        #expect(Forwarding(fields).address == address)
    }

    @Test func lentSockets_areThoseForThisProcess_withoutTheBus() {
        let words = ["LISTEN_PID": "7", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "bus:bus:tunnel"]
        #expect(LentSockets(environment: words, process: 7)["tunnel"] == 5)
        #expect(LentSockets(environment: words, process: 7)["bus"] == nil)
        #expect(LentSockets(environment: words, process: 8)["tunnel"] == nil)
        #expect(LentSockets(environment: [:], process: 7)["tunnel"] == nil)
    }
}

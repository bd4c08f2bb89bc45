import Chat
import Foundation
import GRDB
import Testing

@testable import ChatWeb

/// Who may come in, and what they may do.
@Suite(.timeLimit(.minutes(2)))
struct AccessTests {
    private let own = #"{"op":"own"}"#

    @Test func codeIsSpentOnce_byAPostOnly() async throws {
        let box = try await WebBox()
        let code = try await box.code()
        let look = try box.connect()
        try look.send("GET /?pair=\(code) HTTP/1.1\r\nConnection: close\r\nHost: localhost:\(box.port)\r\n\r\n")
        #expect(try look.answer().status == 200)
        let body = #"{"code":"\#(code)","name":"x"}"#
        let first = try box.post("/api/pair", body)
        #expect(first.status == 200)
        let cookie = try #require(first.header("set-cookie"))
        for word in ["__Host-nexus=", "; Secure", "; HttpOnly", "; SameSite=Strict", "; Path=/"] {
            #expect(cookie.contains(word))
        }
        #expect(try box.post("/api/pair", body).status == 403)
        #expect(try await box.store.devices().count == 1)
    }

    /// Another program's page on another port of localhost is given the cookie with every click on a link to it.
    @Test func cookieAlone_whereOtherPortsAreGivenItToo_letsNobodyIn() async throws {
        let box = try await WebBox(url: "https://chat.example.invalid")
        let cookie = try await box.pair()
        let key = box.key(beside: cookie)
        #expect(try box.post("/api/devices", own, cookie: cookie).status == 200)
        let good = box.request("/api/devices", own, cookie: cookie)
        for stolen in ["1", "", String(repeating: "0", count: 64), String(key.dropLast()), key + "0"] {
            let connection = try box.connect()
            try connection.send(good.replacing("X-Nexus: \(key)", with: "X-Nexus: \(stolen)"))
            let answer = try connection.answer()
            #expect(answer.status == 401 && answer.text.contains(#""why":"unknown""#), "\(stolen): \(answer.text)")
        }
        // Neither under the name of a proxy, nor by the tunnel.
        let proxied = try box.connect()
        let host = "chat.example.invalid"
        try proxied.send(
            good.replacing("X-Nexus: \(key)", with: "X-Nexus: 1").replacing(
                "http://localhost:\(box.port)", with: "https://" + host
            )
            .replacing("localhost:\(box.port)", with: host))
        #expect(try proxied.answer().status == 401)
        let stored = try await box.store.devices().first?.keyHash
        #expect(stored == Secrets.hash(key))
    }

    @Test func nameThatLeadsToNobodyElse_needsNoKey() async throws {
        let host = "chat.example.invalid"
        let box = try await WebBox(url: "https://" + host)
        func ask(_ path: String, _ body: String, cookie: String? = nil) throws -> RawAnswer {
            let connection = try box.connect()
            try connection.send(
                box.request(path, body, cookie: cookie).replacing(
                    "http://localhost:\(box.port)", with: "https://" + host
                )
                .replacing("localhost:\(box.port)", with: host))
            return try connection.answer()
        }
        let paired = try ask("/api/pair", #"{"code":"\#(try await box.code())","name":"x"}"#)
        #expect(paired.status == 200 && !paired.text.contains("key"), "\(paired.text)")
        let cookie = String(try #require(paired.header("set-cookie")).prefix { $0 != ";" })
        #expect(try ask("/api/devices", own, cookie: cookie).status == 200)
    }

    @Test func codeThatCannotBeTakenNow_isNotSpent() async throws {
        let box = try await WebBox()
        let body = #"{"code":"\#(try await box.code())","name":"x"}"#
        let other = try DatabaseQueue(path: box.store.path)
        try await other.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN IMMEDIATE")
            defer { try? db.execute(sql: "ROLLBACK") }
            let refused = try box.post("/api/pair", body)
            #expect(refused.status == 429 && refused.text.contains("another program holds the store"))
        }
        #expect(try box.post("/api/pair", body).status == 200)
        #expect(try box.post("/api/pair", body).status == 403)
        #expect(try await box.store.devices().count == 1)
    }

    @Test func guessingCodes_isSlowedDown_andShutsNobodyOut() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let good = try await box.code()
        var statuses: [Int] = []
        for number in 0..<30 { statuses.append(try box.post("/api/pair", #"{"code":"wrong\#(number)"}"#).status) }
        #expect(statuses.prefix(5).allSatisfy { $0 == 403 })
        #expect(statuses.count { $0 == 403 } < 15 && statuses.last == 429)
        let refused = try box.post("/api/pair", #"{"code":"wrong"}"#)
        #expect(refused.status == 429 && refused.header("retry-after") != nil)
        // The log is not filled by it.
        #expect(box.audit.all.count { $0.contains("a wrong, old or spent pairing code") } < 15)
        // The owner comes in from the very address, while they go on.
        #expect(try box.post("/api/pair", #"{"code":"\#(good)"}"#).status == 200)
        #expect(try box.post("/api/pair", #"{"code":"wrong"}"#).status == 429)
        // Whoever is in stays in, from the same address, whatever strangers do there.
        #expect(try box.post("/api/devices", own, cookie: cookie).status == 200)
        #expect(box.audit.all.contains { $0.contains("a wrong, old or spent pairing code came from 127.0.0.1") })
    }

    @Test func strangersWithoutToken_areSlowedDown_devicesAreNot() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        var last = 0
        for _ in 0..<60 where last != 429 { last = try box.post("/api/devices", own, cookie: "__Host-nexus=x").status }
        #expect(last == 429)
        #expect(try box.post("/api/devices", own, cookie: cookie).status == 200)
    }

    @Test func deviceThatAsksTooMuch_isSlowedDown_othersAreNot() async throws {
        let box = try await WebBox()
        let greedy = try await box.pair()
        let other = try await box.pair()
        var last = 0
        for _ in 0..<1000 where last != 429 { last = try box.post("/api/devices", own, cookie: greedy).status }
        #expect(last == 429)
        #expect(try box.post("/api/devices", own, cookie: other).status == 200)
    }

    @Test func revokedDevice_itsCookieIsWorthNothing() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        #expect(try box.post("/api/devices", own, cookie: cookie).status == 200)
        let device = try #require(try await box.store.devices().first)
        _ = try await box.server.answer(.revoke(device.id), by: "a test")
        #expect(try box.post("/api/devices", own, cookie: cookie).status == 401)
        let second = try await box.pair()
        #expect(try box.post("/api/devices", #"{"op":"leave"}"#, cookie: second).status == 200)
        #expect(try box.post("/api/devices", own, cookie: second).status == 401)
    }

    /// The page keeps what it holds for whom it was paired with, and nobody else: docs/web.md, Over HTTP.
    @Test func browserThatIsNoDevice_isToldWhich() async throws {
        func why(_ answer: RawAnswer) -> String? {
            #expect(answer.status == 401 && answer.text.contains(#""code":"unpaired""#), "\(answer.text)")
            return answer.objects.first?["why"] as? String
        }
        let box = try await WebBox()
        let cookie = try await box.pair()
        #expect(try why(box.post("/api/devices", own)) == "no-token")
        #expect(try why(box.post("/api/devices", own, cookie: "__Host-nexus=x")) == "unknown")
        // Its store was moved aside, and a new one begun.
        let new = try await WebBox()
        #expect(try why(new.post("/api/devices", own, cookie: cookie)) == "unknown")
        let device = try #require(try await box.store.devices().first)
        _ = try await box.server.answer(.revoke(device.id), by: "a test")
        #expect(try why(box.post("/api/devices", own, cookie: cookie)) == "revoked")
        let second = try await box.pair()
        #expect(try box.post("/api/devices", #"{"op":"leave"}"#, cookie: second).status == 200)
        #expect(try why(box.post("/api/chat", #"{"op":"list"}"#, cookie: second)) == "revoked")
    }

    @Test(arguments: [
        "__Host-nexus=", "__Host-nexus=' OR 1=1 --", "nexus=x", "__Host-nexus=\(String(repeating: "0", count: 64))",
    ])
    func madeUpToken_isRefused(_ cookie: String) async throws {
        let box = try await WebBox()
        _ = try await box.pair()
        #expect(try box.post("/api/chat", #"{"op":"list"}"#, cookie: cookie).status == 401)
    }

    /// Whatever is not one of the page's files, and no way makes a code but that of the control socket, for owners either.
    @Test func everyOtherPath_needsAToken_andNoneMakesACode() async throws {
        let box = try await WebBox()
        let owner = try await box.pair()
        for path in ["chat", "devices", "push", "appliance", "tunnel"] {
            for body in [own, #"{"op":"list"}"#, #"{"op":"describe"}"#, #"{"op":"pair","role":"owner"}"#] {
                #expect(try box.post("/api/\(path)", body).status == 401, "\(path) \(body)")
            }
            let code = try box.post("/api/\(path)", #"{"op":"pair","role":"owner"}"#, cookie: owner)
            #expect(code.status == 400 && !code.text.contains("#pair="), "\(path): \(code.text)")
        }
        let look = try box.connect()
        let file = String(repeating: "0", count: 64)
        try look.send("GET /attachment/\(file) HTTP/1.1\r\nConnection: close\r\nHost: localhost:\(box.port)\r\n\r\n")
        #expect(try look.answer().status == 401)
        #expect(try await box.store.devices().count == 1)
    }

    @Test func tokensAreNotInTheStore() async throws {
        let box = try await WebBox()
        let token = String(try await box.pair().dropFirst("__Host-nexus=".count))
        #expect(token.count == 64)
        for name in ["chat.sqlite", "chat.sqlite-wal"] {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(box.directory)/\(name)"))
            #expect(bytes.range(of: Data(token.utf8)) == nil)
        }
        #expect(!box.audit.all.joined().contains(token))
    }

    /// Whoever may not even come in is not shown SQLite's words, with the statement and what was in it.
    @Test func storeThatFails_isSaidInWords() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let code = try await box.code()
        try await DatabaseQueue(path: box.store.path).write { try $0.execute(sql: "DROP TABLE device") }
        for answer in [
            try box.post("/api/devices", own, cookie: cookie), try box.post("/api/pair", #"{"code":"\#(code)"}"#),
        ] {
            #expect(answer.status == 500)
            #expect(answer.text.contains("not done: the store \(box.store.path) fails"), "\(answer.text)")
            #expect(answer.text.contains("nexusctl restart chat-bridge"))
            for word in ["SELECT", "INSERT", "onnection", "DatabaseError"] {
                #expect(!answer.text.contains(word), "\(answer.text)")
            }
        }
    }

    @Test func chatOnlyDevice_mayChat_andNothingElse() async throws {
        let box = try await WebBox()
        let guest = try await box.pair(.chatOnly)
        #expect(try box.post("/api/chat", #"{"op":"list"}"#, cookie: guest).types == ["end"])
        #expect(try box.post("/api/appliance", #"{"op":"status"}"#, cookie: guest).status == 403)
        #expect(try box.post("/api/devices", #"{"op":"devices"}"#, cookie: guest).status == 403)
        #expect(try box.post("/api/devices", #"{"op":"pair"}"#, cookie: guest).status == 400)
        #expect(box.asked.all.isEmpty)
    }

    @Test func ownersMayAskTheMachine_inAFewWordsOnly() async throws {
        let box = try await WebBox()
        let owner = try await box.pair()
        for body in [
            #"{"op":"status"}"#, #"{"op":"metrics"}"#, #"{"op":"why","child":"opencode"}"#,
            #"{"op":"restart","child":"opencode"}"#,
        ] {
            #expect(try box.post("/api/appliance", body, cookie: owner).status == 200)
        }
        #expect(box.asked.all == ["status", "metrics", "why opencode", "restart opencode --no-wait"])
        // What a worker may always ask for itself is not every owner's: the file says what the page may have done.
        let own = try box.post("/api/appliance", #"{"op":"restart","child":"chat-bridge"}"#, cookie: owner)
        #expect(own.status == 403 && own.text.contains("nexusctl restart chat-bridge"), "\(own.text)")
        for body in [
            #"{"op":"stop","child":"opencode"}"#, #"{"op":"restart","child":"a b"}"#, #"{"op":"restart","child":""}"#,
            #"{"op":"why","child":"a\nstop all"}"#, #"{"op":"restart"}"#, "status",
        ] {
            #expect(try box.post("/api/appliance", body, cookie: owner).status == 400)
        }
        #expect(box.asked.all.count == 4)
        #expect(box.audit.all.contains { $0.hasSuffix("asks to restart opencode") })
    }
}

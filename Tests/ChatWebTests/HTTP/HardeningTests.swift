import Foundation
import NIOCore
import Testing

@testable import ChatWeb

/// What strangers send.
@Suite(.timeLimit(.minutes(2)))
struct HardeningTests {
    private static let head = "Host: localhost:PORT\r\n"

    private func ask(_ box: WebBox, _ text: String) throws -> RawAnswer {
        let connection = try box.connect()
        try connection.send(text.replacing("PORT", with: "\(box.port)"))
        return try connection.answer()
    }

    @Test(arguments: [
        "\r\n\r\n\r\nnonsense\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /\u{0} HTTP/1.1\r\nHost: x\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "POST /api/chat HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\nzz\r\n",
    ])
    func malformedRequest_isRefused_andTheServerGoesOn(_ text: String) async throws {
        let box = try await WebBox(limits: ConnectionLimits(stranger: .milliseconds(500)))
        let answer = try ask(box, text)
        #expect(![200, 304].contains(answer.status))
        // As docs/web.md has it: 400 without a body, or nothing.
        #expect(answer.text.isEmpty || answer.status == 400 && answer.text.hasSuffix("\r\n\r\n"), "\(answer.text)")
        #expect(try ask(box, "GET / HTTP/1.1\r\nConnection: close\r\n\(Self.head)\r\n").status == 200)
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n\(Self.head)\(Self.head)\r\n",
        "GET / HTTP/1.1\r\n\(Self.head)Host: other.example.invalid\r\n\r\n",
        "GET http://other.example.invalid/ HTTP/1.1\r\n\(Self.head)\r\n",
        "GET http://localhost:PORT@other.example.invalid/ HTTP/1.1\r\n\(Self.head)\r\n",
        "GET * HTTP/1.1\r\n\(Self.head)\r\n",
        "POST /api/pair HTTP/1.0\r\n\(Self.head)Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    ])
    func requestThatCanBeTakenInTwoWays_isRefused(_ text: String) async throws {
        let box = try await WebBox()
        #expect(
            try ask(box, text.replacing("\r\n\r\n", with: "\r\nConnection: close\r\n\r\n", maxReplacements: 1)).status
                == 400)
    }

    @Test func targetWithTheHostItself_isServed() async throws {
        let box = try await WebBox()
        let text = "GET http://localhost:PORT/index.html HTTP/1.1\r\nConnection: close\r\n\(Self.head)\r\n"
        #expect(try ask(box, text).status == 200)
        #expect(try ask(box, "GET / HTTP/1.0\r\n\(Self.head)\r\n").status == 200)
    }

    @Test func endlessHeader_isCutOff() async throws {
        let box = try await WebBox()
        let connection = try box.connect()
        // 400 KB of a request that goes on: it is answered before it ends.
        try connection.send("GET / HTTP/1.1\r\n")
        for number in 0..<50 { try connection.send("X-\(number): \(String(repeating: "y", count: 8000))\r\n") }
        #expect(try [400, 431].contains(RawAnswer(connection.receive()).status))
    }

    @Test func oversizedBody_isRefusedBeforeItIsRead() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let answer = try ask(
            box,
            box.request("/api/chat", "", cookie: cookie).replacing(
                "Content-Length: 0", with: "Content-Length: 99999999"))
        #expect(answer.status == 413)
        let chunk = "10000\r\n" + String(repeating: "x", count: 0x10000) + "\r\n"
        let chunked = box.request("/api/chat", "", cookie: cookie)
            .replacing("Content-Length: 0", with: "Transfer-Encoding: chunked")
        #expect(try ask(box, chunked + chunk + chunk + "0\r\n\r\n").status == 413)
    }

    /// RFC 9110, 10.1.1: who asks before he sends a body is told to, or gets the final answer at once.
    @Test func leaveToSendABody_isGivenAtOnce_orTheAnswerIs() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let body = #"{"op":"list"}"#
        func head(_ length: Int, _ version: String = "HTTP/1.1") -> String {
            box.request("/api/chat", "", cookie: cookie)
                .replacing("Content-Length: 0", with: "Content-Length: \(length)\r\nExpect: 100-Continue")
                .replacing(" HTTP/1.1", with: " \(version)").replacing("\r\nConnection: close", with: "")
        }
        let connection = try RawConnection(port: box.port)
        // Twice, for the connection goes on.
        for _ in 0..<2 {
            try connection.send(head(body.utf8.count))
            #expect(try connection.receive(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            try connection.send(body)
            let answer = try connection.receive(until: "\r\n0\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.contains(#""type":"end""#), "\(answer)")
        }
        let refused = try RawConnection(port: box.port)
        try refused.send(head(99_999_999))
        #expect(try refused.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 413 "))
        let old = try RawConnection(port: box.port)
        try old.send(head(body.utf8.count, "HTTP/1.0") + body)
        #expect(try old.answer().status == 200)
    }

    @Test func bodyInAnotherCoding_isRefusedInWords() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let field = "Content-Length: 2\r\nContent-Encoding: gzip"
        let request = box.request("/api/chat", "", cookie: cookie).replacing("Content-Length: 0", with: field)
        let answer = try ask(box, request + "{}")
        #expect(answer.status == 415 && answer.text.contains("not compressed"), "\(answer.text)")
        let other = box.request("/api/chat", "{}", cookie: cookie).replacing(
            "application/json", with: "application/jsonx")
        #expect(try ask(box, other).status == 415)
    }

    @Test(arguments: [
        "gzip", "xchunked", "identity", "gzip, chunked", "chunked;q=1", ",chunked", "",
        "chunked\r\nTransfer-Encoding: chunked",
    ])
    func bodyInAnotherTransferCoding_isAnsweredOnce_andEndsTheConnection(_ coding: String) async throws {
        let box = try await WebBox()
        for (connection, method) in [
            (try box.connect(), "GET / "), (try box.connect(), "POST /api/chat "),
            (try box.connectAsTunnel(), "GET / "),
        ] {
            let head = "\(method)HTTP/1.1\r\n\(Self.head)Transfer-Encoding: \(coding)\r\n\r\n"
            let behind = "2\r\n{}\r\n0\r\n\r\nGET / HTTP/1.1\r\n\(Self.head)\r\n"
            try? connection.send((head + behind).replacing("PORT", with: "\(box.port)"))
            let text = String(decoding: try connection.rest(), as: UTF8.self)
            #expect(text.components(separatedBy: "HTTP/1.1 ").count == 2, "\(coding): \(text)")
            #expect(text.hasPrefix("HTTP/1.1 501 ") || text.hasPrefix("HTTP/1.1 400 "), "\(coding): \(text)")
        }
    }

    /// Not even where something fails that nobody foresaw.
    @Test func storeThatCannotBeWritten_isSaidInWords_withThePolicy() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        try FileManager.default.moveItem(atPath: box.store.path, toPath: box.store.path + ".away")
        let key = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        for (path, body) in [
            ("/api/devices", #"{"op":"leave"}"#), ("/api/devices", #"{"op":"revoke","device":"dev_none"}"#),
            (
                "/api/push",
                #"{"op":"subscribe","endpoint":"https://push.example.invalid/1","p256dh":"\#(key)","auth":"BTBZMqHH6r4Tts7J_aSIgg"}"#
            ),
        ] {
            let answer = try box.post(path, body, cookie: cookie)
            #expect(answer.status == 500 && answer.text.contains(#""type":"error""#), "\(answer.text)")
            #expect(answer.text.contains("was removed or replaced under chat-bridge"), "\(answer.text)")
            #expect(answer.header("content-security-policy")?.contains("default-src 'none'") == true)
        }
    }

    @Test(arguments: ["\"x\"", "true", "[]"])
    func waitThatIsNoNumber_isRefusedInWords(_ wait: String) async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let body = #"{"op":"list","wait":\#(wait)}"#
        let answer = try ask(box, box.request("/api/chat", body, cookie: cookie))
        #expect(answer.status == 400 && answer.text.contains("wait is a number of seconds"), "\(answer.text)")
    }

    /// Bytes that no part of a request is made of, from somebody who is known and has all the time.
    @Test(arguments: ["extensions", "an extension", "trailers", "empty lines"])
    func bytesAroundABody_areBounded(_ name: String) async throws {
        let piece =
            switch name {
            case "extensions": "1;" + String(repeating: "x", count: 8000) + "\r\n{\r\n"
            case "an extension": String(repeating: "1;", count: 4000)
            case "trailers": "0\r\n" + String(repeating: "X-Y: \(String(repeating: "z", count: 8000))\r\n", count: 5)
            case _: String(repeating: "\r\n", count: 4000)
            }
        let box = try await WebBox(limits: ConnectionLimits(stranger: .minutes(10), device: .minutes(10)))
        let cookie = try await box.pair()
        let connection = try box.connect()
        if name != "empty lines" { try connection.send(chunked(box, cookie)) }
        var sent = 0
        // More than the buffers between both hold.
        while sent < 32_000_000, (try? connection.send(piece)) != nil { sent += piece.utf8.count }
        #expect(sent < 32_000_000)
        #expect(RawAnswer((try? connection.rest()) ?? []).status != 200)
    }

    /// Also of a request that comes whole, with its end.
    @Test(arguments: [60_000, 66_000, 100_000])
    func bytesAroundABodyThatCameAtOnce_areBoundedToTheByte(count: Int) async throws {
        let box = try await WebBox(limits: ConnectionLimits(stranger: .minutes(10), device: .minutes(10)))
        let cookie = try await box.pair()
        let body = #"{"op":"list"}"#
        let extended =
            chunked(box, cookie) + "d;" + String(repeating: "a", count: count) + "\r\n\(body)\r\n0\r\n\r\n"
        let empty = String(repeating: "\r\n", count: count / 2) + box.request("/api/chat", body, cookie: cookie)
        for text in [extended, empty] {
            let connection = try box.connect()
            try? connection.send(text)
            let answer = RawAnswer((try? connection.rest()) ?? [])
            #expect((answer.status == 200) == (count < FramingGuard.byteLimit), "\(answer.status)")
        }
    }

    private func chunked(_ box: WebBox, _ cookie: String) -> String {
        box.request("/api/chat", "", cookie: cookie)
            .replacing("Content-Length: 0", with: "Transfer-Encoding: chunked")
    }

    /// The least that a chunk can be, and a request behind another one.
    @Test func bodyInChunksOfAByte_isTaken() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let body = #"{"op":"history","session":"s-0"\#(String(repeating: " ", count: 30_000))}"#
        let text = chunked(box, cookie) + body.map { "1\r\n\($0)\r\n" }.joined() + "0\r\n\r\n"
        let answer = try ask(box, text.replacing("Connection: close\r\n", with: "") + text)
        #expect(answer.text.components(separatedBy: "there is no session s-0").count == 3, "\(answer.text)")
    }

    @Test func requestThatNeverEnds_isClosed() async throws {
        let box = try await WebBox(limits: ConnectionLimits(stranger: .milliseconds(300), device: .milliseconds(600)))
        let silent = try box.connect()
        #expect(try silent.rest().isEmpty)
        let begun = try box.connect()
        try begun.send("GET / HTTP/1.1\r\nHost: loc")
        _ = try begun.rest()
        let body = try box.connect()
        let cookie = try await box.pair()
        try body.send(
            box.request("/api/chat", "", cookie: cookie).replacing("Content-Length: 0", with: "Content-Length: 10")
                + "{")
        #expect(RawAnswer(try body.rest()).status != 200)
    }

    @Test func requestThatDrips_isClosedAsSoonAsOneThatRests() async throws {
        let box = try await WebBox(limits: ConnectionLimits(stranger: .milliseconds(300)))
        let slow = try box.connect()
        // A byte in 20 ms is always something, and never a request: 300 ms are 15 of them, the whole would be 1000.
        var sent = 0
        while sent < 1000, (try? slow.send("y")) != nil {
            sent += 1
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(sent < 1000)
    }

    @Test func answerThatIsNotTaken_isClosed() async throws {
        // Longer than a busy machine leaves a quick reader alone.
        let box = try await WebBox(limits: ConnectionLimits(stranger: .seconds(2)), largeFileBytes: 24_000_000)
        let slow = try box.connect(receiveBuffer: 4096)
        try slow.send("GET /rooms/large.js HTTP/1.1\r\nHost: localhost:\(box.port)\r\n\r\n")
        // It is gone when a write finds nobody; what is in the buffers can still be read.
        while (try? slow.send("\r\n")) != nil { try await Task.sleep(for: .milliseconds(20)) }
        #expect(try slow.rest().count < 24_000_000)
        let quick = try box.connect()
        try quick.send("GET /rooms/large.js HTTP/1.1\r\nConnection: close\r\nHost: localhost:\(box.port)\r\n\r\n")
        #expect(try quick.rest().count > 24_000_000)
    }

    @Test(arguments: [
        "/../secret.js", "/rooms/../../secret.js", "/%2e%2e/secret.js", "/..%2fsecret.js", "//secret.js", "/secret.js",
        "/rooms", "/rooms/", "/.git/config", "/index.html%00.js",
    ])
    func pathThatIsNoFileOfThePage_isNotFound(_ path: String) async throws {
        let box = try await WebBox()
        let answer = try ask(box, "GET \(path) HTTP/1.1\r\nConnection: close\r\n\(Self.head)\r\n")
        #expect([400, 404].contains(answer.status) && !answer.text.contains("not for strangers"))
    }

    @Test(arguments: ["evil.invalid", "localhost", "127.0.0.1.nip.invalid:PORT", "localhost:1"])
    func foreignHost_isRefused(_ host: String) async throws {
        let box = try await WebBox()
        let answer = try ask(box, "GET / HTTP/1.1\r\nConnection: close\r\nHost: \(host)\r\n\r\n")
        #expect(answer.status == 421)
        // None at all is no HTTP/1.1 (RFC 9112, 3.2).
        #expect(try ask(box, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n").status == 400)
    }

    @Test func foreignOrigin_orNone_orNoHeaderOfThePages_isRefused() async throws {
        let box = try await WebBox(url: "https://chat.example.invalid")
        let cookie = try await box.pair()
        let good = box.request("/api/devices", #"{"op":"own"}"#, cookie: cookie)
        #expect(try ask(box, good).status == 200)
        let origin = "Origin: http://localhost:\(box.port)\r\n"
        for other in ["", "Origin: https://evil.invalid\r\n", "Origin: null\r\n", "Origin: http://localhost:1\r\n"] {
            #expect(try ask(box, good.replacing(origin, with: other)).status == 403)
        }
        #expect(try ask(box, good.replacing("X-Nexus: \(box.key(beside: cookie))\r\n", with: "")).status == 403)
        #expect(try ask(box, good.replacing("application/json", with: "text/plain")).status == 415)
        #expect(try ask(box, good.replacing(origin, with: "Origin: https://chat.example.invalid\r\n")).status == 200)
        let method = try ask(box, good.replacing("POST", with: "DELETE"))
        #expect(method.status == 405 && method.header("allow") == "GET, HEAD, POST")
        #expect(try ask(box, good.replacing("POST", with: "GET")).status == 404)
    }

    @Test func everyAnswer_carriesThePolicy() async throws {
        let box = try await WebBox()
        for answer in [
            try ask(box, "GET / HTTP/1.1\r\nConnection: close\r\n\(Self.head)\r\n"),
            try box.post("/api/devices", #"{"op":"own"}"#),
            try ask(box, "GET /no HTTP/1.1\r\nConnection: close\r\n\(Self.head)\r\n"),
        ] {
            let policy = try #require(answer.header("content-security-policy")).split(separator: "; ").map {
                String($0)
            }
            // Whatever names a source names this page alone, or nobody; pictures may stand in the text of the page too.
            let sources = policy.filter { $0.contains("-src ") }
            #expect(policy.contains("default-src 'none'") && sources.contains("img-src 'self' data:"))
            for source in sources {
                #expect(source.firstMatch(of: /^[a-z]+-src '(none|self)'( data:)?$/) != nil, "\(source)")
            }
            for rule in [
                "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'",
                "trusted-types nexus",
            ] {
                #expect(policy.contains(rule), "\(rule)")
            }
            #expect(answer.header("x-content-type-options") == "nosniff")
        }
    }

    @Test func unchangedFile_isNotSentAgain_andComesPacked() async throws {
        let box = try await WebBox(largeFileBytes: 1_000_000)
        let first = try ask(box, "GET / HTTP/1.1\r\nConnection: close\r\n\(Self.head)\r\n")
        let tag = try #require(first.header("etag"))
        // Kept, and never used without asking.
        #expect(first.header("cache-control") == "no-cache" && first.header("vary") == "Accept-Encoding")
        let again = try ask(box, "GET / HTTP/1.1\r\nConnection: close\r\nIf-None-Match: \(tag)\r\n\(Self.head)\r\n")
        #expect(again.status == 304)
        let connection = try box.connect()
        try connection.send(
            "GET /rooms/large.js HTTP/1.1\r\nConnection: close\r\nAccept-Encoding: gzip\r\nHost: localhost:\(box.port)\r\n\r\n"
        )
        let packed = try connection.rest()
        #expect(packed.count < 100_000 && RawAnswer(packed).header("content-encoding") == "gzip")
    }

    @Test(arguments: [
        ("gzip;q=0", false), ("gzip; q=0.000, br", false), ("x-gzip, br", false), ("br, GZIP;q=0.5", true),
        ("*", false), ("deflate,gzip", true),
    ]) func file_comesPackedToWhoTakesItOnly(accepted: String, isPacked: Bool) async throws {
        let box = try await WebBox(largeFileBytes: 100_000)
        let text =
            "GET /rooms/large.js HTTP/1.1\r\nConnection: close\r\nAccept-Encoding: \(accepted)\r\n\(Self.head)\r\n"
        #expect((try ask(box, text).header("content-encoding") == "gzip") == isPacked)
    }

    /// A client of HTTP/1.0 knows no chunks: the answer ends with its connection.
    @Test func streamForAnOldClient_comesWithoutChunks_andEndsTheConnection() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let text = box.request("/api/chat", #"{"op":"list"}"#, cookie: cookie)
            .replacing("HTTP/1.1", with: "HTTP/1.0").replacing("Connection: close\r\n", with: "")
        let answer = try ask(box, text)
        #expect(answer.text.contains(" 200 ") && answer.header("transfer-encoding") == nil, "\(answer.text)")
        #expect(answer.text.hasSuffix("\r\n\r\n{\"type\":\"end\"}\n"), "\(answer.text)")
    }

    @Test func bodyThatIsTooLarge_endsTheConnection() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let connection = try box.connect()
        let text = box.request("/api/chat", "", cookie: cookie).replacing("Connection: close\r\n", with: "")
        try connection.send(text.replacing("Content-Length: 0", with: "Content-Length: 70000"))
        var answer = try connection.receive(until: "too-large")
        try? connection.send(String(repeating: "x", count: 70_000) + text)
        answer += String(decoding: try connection.rest(), as: UTF8.self)
        #expect(answer.components(separatedBy: "HTTP/1.1 ").count == 2, "\(answer)")
    }

    /// A lone surrogate is no character: it is neither stored nor passed on.
    @Test func halfACharacter_isRefusedInWords_whateverIsAsked() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let half = #"a\ud83d b"#
        let requests = [
            ("/api/chat", #"{"op":"send","text":"\#(half)","client_id":"1"}"#),
            ("/api/chat", #"{"op":"rename","session":"s","title":"\#(half)"}"#),
            ("/api/chat", #"{"op":"render","text":"\#(half)"}"#), ("/api/pair", #"{"code":"\#(half)","name":"x"}"#),
            ("/api/pair", #"{"code":"x","name":"\#(half)"}"#),
            ("/api/devices", #"{"op":"revoke","device":"\#(half)"}"#),
            ("/api/push", #"{"op":"subscribe","endpoint":"\#(half)"}"#),
            ("/api/appliance", #"{"op":"why","child":"\#(half)"}"#), ("/api/tunnel", #"{"op":"\#(half)"}"#),
        ]
        for (path, body) in requests {
            let answer = try box.post(path, body, cookie: cookie)
            #expect(answer.status == 400 && answer.text.contains("holds half a character"), "\(path): \(answer.text)")
        }
        #expect(try await box.store.sessions().isEmpty)
    }
}

import Foundation
import Testing

@testable import Outgoing

/// Calls by libcurl to a server on the loopback interface.
@Suite(.timeLimit(.minutes(1))) struct OutgoingTests {
    private let client = OutgoingClient(environment: [:])

    private func failure(_ call: OutgoingCall) async -> OutgoingFailure? {
        do {
            _ = try await client.send(call)
            return nil
        } catch {
            return error
        }
    }

    @Test func post_comesAsItIs_andTheAnswerBack() async throws {
        let receiver = try Receiver(["HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nno"])
        defer { receiver.stop() }
        let answer = try await client.send(
            OutgoingCall(
                "http://127.0.0.1:\(receiver.port)/a?b=c", headers: [("X-One", "1")], body: Array("body".utf8),
                reach: .anywhere, httpsOnly: false))
        #expect(answer == OutgoingAnswer(status: 429, retryAfter: 7, body: Array("no".utf8)))
        var requests = receiver.requests.makeAsyncIterator()
        let request = await requests.next()
        #expect(request?.head.hasPrefix("POST /a?b=c HTTP/1.1") == true && request?.header("x-one") == "1")
        #expect(request?.body == "body")
    }

    @Test func headerThatIsWanted_isKept_andIsBounded() async throws {
        let long = String(repeating: "a", count: 1000)
        let receiver = try Receiver([
            "HTTP/1.1 200 OK\r\nx-one: 7f\r\nX-Other: 8\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX-One: \(long)\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX-One: 7\r\nContent-Length: 0\r\n\r\n",
        ])
        defer { receiver.stop() }
        var call = OutgoingCall(
            "http://127.0.0.1:\(receiver.port)/", reach: .anywhere, httpsOnly: false, keeping: "X-One")
        #expect(try await client.send(call).kept == "7f")
        #expect(try await client.send(call).kept?.count == 256)
        call.keeping = nil
        #expect(try await client.send(call).kept == nil)
    }

    @Test(arguments: ["127.0.0.1", "localhost", "2130706433", "127.1", "0"])
    func machineItself_isNotCalled_underAnyName(host: String) async throws {
        let receiver = try Receiver()
        defer { receiver.stop() }
        let call = OutgoingCall(
            "http://\(host):\(receiver.port)/", body: [], limit: .seconds(5), reach: .publicOnly, httpsOnly: false)
        guard case .forbiddenAddress = await failure(call) else {
            Issue.record("\(host) was called")
            return
        }
    }

    @Test func anotherPlace_isAskedInstead_underTheSameName_withinReach() async throws {
        let receiver = try Receiver(["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"])
        defer { receiver.stop() }
        var call = OutgoingCall(
            "http://chat.example.invalid/a", way: .through("127.0.0.1:\(receiver.port)"), reach: .anywhere,
            httpsOnly: false)
        #expect(try await client.send(call).text == "ok")
        var requests = receiver.requests.makeAsyncIterator()
        #expect(await requests.next()?.header("host") == "chat.example.invalid")
        call.reach = .publicOnly
        #expect(await failure(call) == .forbiddenAddress("127.0.0.1"))
    }

    @Test func unixSocket_isAskedInstead_andIsNoPublicAddress() async throws {
        let path = FileManager.default.temporaryDirectory.path + "/nexus-out-\(UUID().uuidString.prefix(8))"
        let receiver = try Receiver(socketAt: path, ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"])
        defer {
            receiver.stop()
            unlink(path)
        }
        var call = OutgoingCall(
            "http://chat.example.invalid/a", way: .socket(path), reach: .anywhere, httpsOnly: false)
        #expect(try await client.send(call).text == "ok")
        var requests = receiver.requests.makeAsyncIterator()
        #expect(await requests.next()?.header("host") == "chat.example.invalid")
        call.reach = .publicOnly
        guard case .forbiddenAddress = await failure(call) else {
            Issue.record("a socket of this machine was called as a public address")
            return
        }
    }

    @Test func redirect_isNotFollowed() async throws {
        let receiver = try Receiver(["HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"]
        )
        defer { receiver.stop() }
        let answer = try await client.send(
            OutgoingCall("http://127.0.0.1:\(receiver.port)/", reach: .anywhere, httpsOnly: false))
        #expect(answer.status == 302)
    }

    @Test func plainHTTP_andOtherProtocols_areRefusedWhereHTTPSIsAsked() async throws {
        for url in ["http://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/", "nonsense"] {
            let call = OutgoingCall(url, limit: .seconds(5), reach: .anywhere, httpsOnly: true)
            let failure = await failure(call)
            #expect(failure != nil && failure != .timedOut(.seconds(5)), "\(url)")
        }
    }

    @Test func answerThatIsTooLong_isCut() async throws {
        let receiver = try Receiver(["HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 5000)])
        defer { receiver.stop() }
        let call = OutgoingCall(
            "http://127.0.0.1:\(receiver.port)/", answerLimit: 1000, reach: .anywhere, httpsOnly: false)
        #expect(await failure(call) == .tooLong(1000))
    }

    @Test func certificateOfNobody_isNotTrusted_andSilenceEnds() async throws {
        // A listener that takes the connection and says nothing: neither TLS nor an answer comes.
        let receiver = try Receiver([""])
        defer { receiver.stop() }
        let limit = Duration.milliseconds(200)
        let silent = OutgoingCall(
            "https://127.0.0.1:\(receiver.port)/", limit: limit, reach: .anywhere, httpsOnly: true)
        let failure = await failure(silent)
        #expect(
            failure == .timedOut(limit) || failure.map { if case .unreachable = $0 { true } else { false } } == true)
    }

    @Test func cancelledCall_endsAtOnce() async throws {
        let receiver = try Receiver()
        defer { receiver.stop() }
        // Nothing is answered to half a request: TLS is awaited for an hour, and the cancellation ends it.
        let call = OutgoingCall(
            "https://127.0.0.1:\(receiver.port)/", limit: .seconds(3600), reach: .anywhere, httpsOnly: true)
        let task = Task { await failure(call) }
        task.cancel()
        #expect(await task.value == .cancelled)
    }
}

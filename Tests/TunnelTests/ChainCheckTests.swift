import Foundation
import Testing

@testable import Tunnel

/// Whose page the public address gives: the files of all machines are the same, and the mark of a chat-bridge is not.
@Suite(.timeLimit(.minutes(1))) struct ChainCheckTests {
    private static let url = "https://chat.example.invalid"

    /// A chat-bridge, or what stands at the public address. Its mark is of its own name and of the question, as a real one's.
    private static func page(_ name: String?, _ head: String, body: String = "the page") -> String {
        let lines = head.components(separatedBy: "\r\n")
        let nonce = lines.first { $0.hasPrefix("X-Nexus-Nonce: ") }?.dropFirst("X-Nexus-Nonce: ".count)
        return PageServer.http(
            "200 OK", name.flatMap { name in nonce.map { ["X-Nexus-Mark: \(name)-\($0)"] } } ?? [], body: body)
    }

    private func outside(_ own: PageServer, _ edge: PageServer) async -> ChainCheck.Verdict {
        await ChainCheck(url: Self.url, socket: own.place, edge: edge.place).outside()
    }

    /// `own` is on the socket, the other one at the address.
    private func outside(own: String?, _ other: String?, body: String = "the page") async throws -> ChainCheck.Verdict {
        await outside(
            try PageServer(isSocket: true) { head, _ in Self.page(own, head) },
            try PageServer(isSocket: false) { head, _ in Self.page(other, head, body: body) })
    }

    @Test func samePage_ofThisMachine_isGood() async throws {
        let verdict = try await outside(own: "here", "here")
        #expect(verdict == .init(true, "\(Self.url) leads to this machine's page"))
    }

    /// Of the same version, so its page is the same: a second connector of the tunnel, or a Nexus of before, or a copy of it.
    @Test(arguments: ["there", nil]) func samePage_ofAnotherMachine_isSaid(_ other: String?) async throws {
        let verdict = try await outside(own: "here", other)
        #expect(!verdict.isGood && verdict.look == .anothers)
        #expect(verdict.words.hasPrefix("\(Self.url) answers with another machine's page"), "\(verdict.words)")
        // Of another version too.
        #expect(try await outside(own: "here", "there", body: "a later page").look == .anothers)
    }

    @Test func anythingElse_isNobodysPage() async throws {
        let verdict = try await outside(own: "here", nil, body: "Welcome to nginx!")
        #expect(verdict == .init(false, "\(Self.url) answers, but not with this machine's page"))
    }

    /// While an update is on its way.
    @Test func chatBridgeWithoutAMark_isComparedByItsPage() async throws {
        #expect(try await outside(own: nil, nil).isGood)
        #expect(try await !outside(own: nil, nil, body: "another").isGood)
    }

    /// It has another mark then, before the look through the address came to it or after that.
    @Test(arguments: ["before", "after"]) func chatBridgeThatIsStartedAnewMeanwhile_isNoOther(
        _ answering: String
    ) async throws {
        let own = try PageServer(isSocket: true) { head, before in Self.page(before == 0 ? "before" : "after", head) }
        let edge = try PageServer(isSocket: false) { head, _ in Self.page(answering, head) }
        let verdict = await outside(own, edge)
        #expect(verdict.isGood, "\(verdict.words)")
    }

    @Test func chatThatDoesNotAnswer_leavesItOpenWhosePageItIs() async throws {
        let edge = try PageServer(isSocket: false) { head, _ in Self.page("here", head) }
        let verdict = await ChainCheck(url: Self.url, socket: "/tmp/nexus-door-none.sock", edge: edge.place).outside()
        #expect(!verdict.isGood && verdict.look == .unsaid)
        #expect(verdict.words.contains("whose page it is cannot be said"), "\(verdict.words)")
    }

    /// Both are asked the same, by the public name; nobody can give an answer of before again.
    @Test func eachLook_asksAnewAndBoth() async throws {
        let own = try PageServer(isSocket: true) { head, _ in Self.page("here", head) }
        let edge = try PageServer(isSocket: false) { head, _ in Self.page("here", head) }
        for _ in 0..<2 { _ = await outside(own, edge) }
        func nonces(_ server: PageServer) -> [String] {
            server.heads.flatMap { $0.components(separatedBy: "\r\n") }.filter { $0.hasPrefix("X-Nexus-Nonce: ") }
        }
        #expect(nonces(own).count == 2 && nonces(own) == nonces(edge) && Set(nonces(own)).count == 2)
        for head in own.heads + edge.heads {
            #expect(head.hasPrefix("GET /page.webmanifest HTTP/1.1\r\n"))
            #expect(head.contains("\r\nHost: chat.example.invalid\r\n"))
            #expect(head.contains(/\r\nX-Nexus-Nonce: [0-9a-f]{32}\r\n/))
        }
    }

    @Test(
        arguments: [
            ("530 ", "Cloudflare knows of no connection of this tunnel (530)", .lost),
            ("502 Bad Gateway", "the tunnel does not reach the chat (502)", .lost),
            ("522 ", "https://chat.example.invalid answers with 522", .lost),
            ("503 Service Unavailable", "the tunnel has no rules yet (503)", .unsaid),
            ("404 Not Found", "no rule of the tunnel is for chat.example.invalid (404)", .unsaid),
            ("302 Found", "something in front of the tunnel asks who comes (302)", .asked),
            ("403 Forbidden", "something in front of the tunnel asks who comes (403)", .asked),
            ("429 Too Many Requests", "https://chat.example.invalid answers with 429", .unsaid),
        ] as [(String, String, OutsideLook)])
    func answerOfTheEdge_isSaidInWords(_ status: String, _ words: String, _ look: OutsideLook) async throws {
        let own = try PageServer(isSocket: true) { head, _ in Self.page("here", head) }
        let verdict = await outside(own, try PageServer(isSocket: false) { _, _ in PageServer.http(status) })
        #expect(verdict == .init(false, words, look))
    }

    @Test func addressWhereNobodyIs_doesNotAnswer() async throws {
        let own = try PageServer(isSocket: true) { head, _ in Self.page("here", head) }
        let verdict = await ChainCheck(url: Self.url, socket: own.place, edge: "127.0.0.1:1").outside()
        #expect(verdict.look == .unreached)
        #expect(!verdict.isGood && verdict.words.hasPrefix("\(Self.url) does not answer: "), "\(verdict.words)")
    }

    /// Connections are taken (by the kernel), and no request is answered.
    @Test func edgeThatHoldsARequest_hasATunnelThatCarriesNothing() async throws {
        let own = try PageServer(isSocket: true) { head, _ in Self.page("here", head) }
        let (descriptor, place) = try boundOnLoopback(SOCK_STREAM)
        defer { close(descriptor) }
        try #require(listen(descriptor, 8) == 0)
        let verdict = await ChainCheck(url: Self.url, socket: own.place, edge: place).outside()
        #expect(!verdict.isGood && verdict.look == .lost, "\(verdict)")
    }
}

import Testing

@testable import ChatWeb

/// By the mark tunnel-worker tells the page of this machine from another's.
@Suite(.timeLimit(.minutes(1))) struct PageMarkTests {
    private static let nonce = String(repeating: "0123456789abcdef", count: 2)

    private func ask(
        _ box: WebBox, _ headers: [String], path: String = "/page.webmanifest", tunnel: Bool = true
    ) throws -> RawAnswer {
        let connection = try tunnel ? box.connectAsTunnel() : box.connect()
        let host = tunnel ? "chat.example.invalid" : "localhost:\(box.port)"
        try connection.send(
            (["GET \(path) HTTP/1.1", "Host: \(host)", "Connection: close"] + headers).joined(separator: "\r\n")
                + "\r\n\r\n")
        return try connection.answer()
    }

    @Test func canaryWithANonce_hasTheMarkOfThisServer_andIsNotKept() async throws {
        let (box, other) = (try await WebBox(), try await WebBox())
        let asked = "X-Nexus-Nonce: \(Self.nonce)"
        let answer = try ask(box, [asked])
        let mark = try #require(answer.header("x-nexus-mark"))
        #expect(answer.status == 200 && mark.contains(/^[0-9a-f]{64}$/))
        #expect(answer.header("cache-control") == "no-store")
        // On the port as on the socket, again the same; another question and another server have another.
        #expect(try ask(box, [asked], tunnel: false).header("x-nexus-mark") == mark)
        let second = try ask(box, ["X-Nexus-Nonce: \(String(Self.nonce.reversed()))"]).header("x-nexus-mark")
        let theirs = try ask(other, [asked])
        #expect(second != nil && second != mark)
        #expect(theirs.header("x-nexus-mark") != nil && theirs.header("x-nexus-mark") != mark)
        #expect(theirs.status == 200)
    }

    /// What is no nonce of ours is no question: neither a longer text nor another file gets a code.
    @Test func canaryWithoutANonce_isTheFileAlone() async throws {
        let box = try await WebBox()
        let nonce = Self.nonce
        for nonces in [
            [], [""], [nonce + "0"], ["\(nonce.dropLast())"], [nonce.uppercased()], ["\(nonce.dropLast())g"],
            [nonce, nonce],
        ] {
            let answer = try ask(box, nonces.map { "X-Nexus-Nonce: \($0)" })
            #expect(answer.status == 200 && answer.header("x-nexus-mark") == nil, "\(nonces)")
            #expect(answer.header("cache-control") == "no-cache")
        }
        let other = try ask(box, ["X-Nexus-Nonce: \(nonce)"], path: "/")
        #expect(other.status == 200 && other.header("x-nexus-mark") == nil)
    }
}

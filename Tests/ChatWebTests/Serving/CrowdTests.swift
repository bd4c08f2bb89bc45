import NIOCore
import Testing

@testable import ChatWeb

/// Strangers who hold connections.
@Suite(.timeLimit(.minutes(2)))
struct CrowdTests {
    private let own = #"{"op":"own"}"#

    @Test func strangersWhoHoldConnections_keepNoDeviceOut() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let stream = try box.connect()
        try stream.send(box.request("/api/chat", #"{"op":"send","text":"x","client_id":"c"}"#, cookie: cookie))
        await box.agent.turnBegins()
        var held: [RawConnection] = []
        for number in 0..<600 {
            // From twelve addresses, the device's own among them.
            let connection = try box.connect(host: UInt8(1 + number % 12))
            try connection.send("POST /api/chat HTTP/1.1\r\nHost: localhost:\(box.port)\r\n")
            held.append(connection)
        }
        #expect(try box.post("/api/devices", own, cookie: cookie).status == 200)
        #expect(box.server.connections.counts.strangers <= ConnectionBook.strangerLimit)
        #expect((1...2).contains(box.server.connections.counts.devices))
        // The first ones were closed for the later ones, long before their time.
        #expect(try held[0].rest().isEmpty)
        // What is told to the device goes on.
        box.agent.say("still here")
        #expect(try stream.receive(until: "still here").contains("still here"))
    }

    @Test func stranger_hasLessTimeThanADevice() async throws {
        let box = try await WebBox(limits: ConnectionLimits(stranger: .milliseconds(200), device: .seconds(60)))
        let cookie = try await box.pair()
        let body = "{"
        func begin(_ cookie: String) throws -> RawConnection {
            let connection = try box.connect()
            try connection.send(
                box.request("/api/devices", body, cookie: cookie)
                    .replacing("Content-Length: 1", with: "Content-Length: \(own.utf8.count)"))
            return connection
        }
        let known = try begin(cookie)
        let stranger = try begin("__Host-nexus=\(String(repeating: "0", count: 64))")
        // A stranger is told so before his body is there, and his place is free again.
        #expect(try RawAnswer(stranger.rest()).status == 401)
        let silent = try box.connect()
        #expect(try silent.rest().isEmpty)
        // The device's had begun before that and goes on.
        try known.send(String(own.dropFirst()))
        #expect(try known.answer().status == 200)
    }
}

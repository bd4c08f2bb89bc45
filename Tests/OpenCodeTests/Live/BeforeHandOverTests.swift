import AgentModel
import Foundation
import Synchronization
import Testing

@testable import OpenCode

/// What opencode answers before a message is handed over: it has certainly not seen that one, which waits, in our words.
@Suite(.timeLimit(.minutes(1)))
struct BeforeHandOverTests: Sendable {
    private static let passing: [Listener.Reply] = [
        Listener.Reply(status: "401 Unauthorized", body: "{}"),
        Listener.Reply(status: "429 Too Many Requests", body: "{}"),
        Listener.Reply(status: "500 Internal Server Error", body: #"{"message":"upset"}"#),
        Listener.Reply(status: "403 Forbidden", body: "{}"), Listener.Reply(status: "302 Found", body: ""),
        Listener.Reply(type: "text/html", body: "<html></html>"), Listener.Reply(body: #"{"id":"#),
        Listener.Reply(body: "{}"),
        Listener.Reply(body: "[1]"), Listener.Reply(type: "", body: ""),
    ]

    private func client(_ line: EchoAgentProcess.Line, _ reply: Listener.Reply) throws -> (Listener, OpenCodeClient) {
        let server = try Listener.scripted { _ in reply }
        let endpoint = AgentEndpoint(port: server.port, password: "x")
        let calls: any OpenCodeLine =
            switch line {
            case .v1: V1Calls(loop: try CurlLoop(), endpoint: endpoint)
            case .v2: V2Calls(loop: try CurlLoop(), endpoint: endpoint, version: "2.1.2")
            }
        return (server, OpenCodeClient(calls, version: line == .v1 ? "1.18.34" : "2.1.2"))
    }

    @Test(arguments: EchoAgentProcess.Line.allCases)
    func sessionThatIsNotMade_letsTheMessageWait(line: EchoAgentProcess.Line) async throws {
        for reply in Self.passing {
            let (server, client) = try client(line, reply)
            defer { server.stop() }
            let session = AgentSessionID(rawValue: "ses_1")
            let made = await #expect(throws: AgentFailure.self) {
                try await client.openSession(title: "a", directory: "/w")
            }
            let found = await #expect(throws: AgentFailure.self) { try await client.directory(of: session) }
            for failure in [made, found] {
                let words = failure?.message ?? ""
                #expect(failure?.code == .unavailable, "\(reply.status) \(reply.type) \(reply.body): \(words)")
                #expect(words.contains("nothing was handed over"), "\(words)")
                #expect(!words.contains("DecodingError") && !words.contains("with ,"), "\(words)")
            }
        }
    }

    /// It would be answered so for ever.
    @Test(arguments: EchoAgentProcess.Line.allCases)
    func callThatIsWrong_isNotMadeAgain(line: EchoAgentProcess.Line) async throws {
        let (server, client) = try client(
            line, Listener.Reply(status: "400 Bad Request", body: #"{"message":"no title"}"#))
        defer { server.stop() }
        let failure = await #expect(throws: AgentFailure.self) {
            try await client.openSession(title: "a", directory: "/w")
        }
        #expect(failure?.code == .badRequest && failure?.message.contains("no title") == true)
    }

    /// Who is turned away with the message itself was not given it; one that failed over it may have it.
    @Test func messageThatIsTurnedAway_waits_andOneThatFailed_doesNot() async throws {
        for (status, code) in [
            ("401 Unauthorized", AgentFailure.Code.unavailable), ("429 Too Many Requests", .unavailable),
            ("500 Internal Server Error", .failed),
        ] {
            let (server, client) = try client(.v1, Listener.Reply(status: status, body: "{}"))
            defer { server.stop() }
            let failure = await #expect(throws: AgentFailure.self) {
                try await client.runTurn(AgentSessionID(rawValue: "ses_1"), directory: "/w", text: "hi") { _ in }
            }
            #expect(failure?.code == code, "\(status): \(failure?.message ?? "")")
        }
    }
}

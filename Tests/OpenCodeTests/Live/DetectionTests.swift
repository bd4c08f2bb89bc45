import AgentModel
import Foundation
import Synchronization
import Testing

@testable import OpenCode

/// Who answers on the port, and whether its event stream still lives: by servers that say what they are told to.
@Suite(.timeLimit(.minutes(1)))
struct DetectionTests: Sendable {
    private let scratch: Scratch
    private let connection: AgentConnection

    init() throws {
        scratch = try Scratch()
        var timing = AgentConnection.Timing()
        timing.silence = .seconds(3)
        timing.refusedPause = .milliseconds(100)
        connection = AgentConnection(try CurlLoop(), timing: timing)
    }

    @Test(arguments: EchoAgentProcess.Line.allCases)
    func wrongPassword_isSaidAtOnce(line: EchoAgentProcess.Line) async throws {
        let agent = try EchoAgentProcess(state: scratch.url, line: line)
        await connection.update(AgentEndpoint(port: agent.port, password: "wrong"))
        let failure = await #expect(throws: AgentFailure.self) { try await connection.readyClient() }
        #expect(failure?.code == .unavailable)
        #expect(failure?.message.contains("password") == true)
        #expect(failure?.message.contains("wrong") == false)
    }

    /// 2.1 says it at another place than 2.0, and the health is asked where it said it.
    @Test(arguments: [("/api/info", "2.1.2"), ("/api/health", "2.0.14")])
    func version2_isRecognised(path: String, version: String) async throws {
        let server = try Listener.scripted { asked in
            switch asked {
            case path: .init(body: #"{"healthy":true,"version":"\#(version)","pid":4711}"#)
            case "/api/event":
                .init(
                    type: "text/event-stream",
                    body: "data: {\"id\":\"e\",\"type\":\"server.connected\",\"data\":{}}\n\n",
                    staysOpen: true)
            case _: .init(type: "text/html", body: "<html></html>")
            }
        }
        await connection.update(AgentEndpoint(port: server.port, password: "x"))
        #expect(try await connection.readyClient().identity == AgentIdentity(version: version))
        #expect(await connection.health() == .healthy)
        server.stop()
    }

    @Test func version2ThatStarts_isWaitedFor() async throws {
        let looks = Mutex(0)
        let server = try Listener.scripted { asked in
            switch asked {
            case "/api/health":
                .init(status: "503 Service Unavailable", body: #"{"healthy":true,"version":"2.1.2","pid":1}"#)
            case "/api/info":
                looks.withLock { looks in
                    looks += 1
                    return looks < 3
                        ? .init(status: "503 Service Unavailable", body: #"{"code":"service_starting"}"#)
                        : .init(body: #"{"version":"2.1.2","pid":1,"urls":[],"paths":{"tmp":"/tmp"}}"#)
                }
            case "/api/event":
                .init(
                    type: "text/event-stream",
                    body: "data: {\"id\":\"e\",\"type\":\"server.connected\",\"data\":{}}\n\n",
                    staysOpen: true)
            case _: .init(status: "503 Service Unavailable", body: #"{"code":"service_starting"}"#)
            }
        }
        await connection.update(AgentEndpoint(port: server.port, password: "x"))
        #expect(try await connection.readyClient().identity.version == "2.1.2")
        server.stop()
    }

    @Test func webPage_isNoOpencode() async throws {
        let server = try Listener.scripted { _ in .init(type: "text/html", body: "<html></html>") }
        await connection.update(AgentEndpoint(port: server.port, password: "x"))
        let failure = await #expect(throws: AgentFailure.self) { try await connection.readyClient() }
        #expect(failure?.message.contains("is no opencode server") == true)
        server.stop()
    }

    /// 1.18 answers 2.0's question too, as a preview, and is none.
    @Test func previewOfVersion1_isNotTakenForVersion2() async throws {
        let server = try Listener.scripted { asked in
            switch asked {
            case "/global/health": .init(body: #"{"healthy":true,"version":"1.18.4"}"#)
            case "/api/health": .init(body: #"{"healthy":true,"version":"2.0.0","pid":4711}"#)
            case "/global/event":
                .init(type: "text/event-stream", body: Self.hello(.v1), staysOpen: true)
            case _: .init(type: "text/html", body: "<html></html>")
            }
        }
        await connection.update(AgentEndpoint(port: server.port, password: "x"))
        #expect(try await connection.readyClient().identity == AgentIdentity(version: "1.18.4"))
        server.stop()
    }

    /// The first frame of a line's event stream.
    private static func hello(_ line: EchoAgentProcess.Line) -> String {
        let fields = line == .v1 ? "properties" : "data"
        return "data: {\"id\":\"evt_1\",\"type\":\"server.connected\",\"\(fields)\":{}}\n\n"
    }

    /// Ten beats in five seconds keep a stream whose silence may last three; the silence after them ends it.
    @Test(arguments: EchoAgentProcess.Line.allCases)
    func beatingStream_isKept_andASilentOneIsLeftAndMadeAnew(line: EchoAgentProcess.Line) async throws {
        let beat =
            line == .v1
            ? "data: {\"id\":\"evt_2\",\"type\":\"server.heartbeat\",\"properties\":{}}\n\n" : ": heartbeat\n\n"
        let left = Mutex(10)
        let (opened, open) = AsyncStream<Int>.makeStream()
        let server = try Listener.scripted { path in
            switch (line, path) {
            case (.v1, "/global/health"): return .init(body: #"{"healthy":true,"version":"1.18.34"}"#)
            case (.v2, "/api/info"): return .init(body: #"{"version":"2.1.2","pid":1}"#)
            case (.v1, "/global/event"), (.v2, "/api/event"):
                open.yield(left.withLock { $0 })
                return .init(
                    type: "text/event-stream", body: Self.hello(line), staysOpen: true,
                    beat: {
                        left.withLock { left in
                            left -= 1
                            return left >= 0 ? beat : nil
                        }
                    })
            case _: return .init(type: "text/html", body: "")
            }
        }
        await connection.update(AgentEndpoint(port: server.port, password: "x"))
        var streams = opened.makeAsyncIterator()
        #expect(await streams.next() == 10)
        // The second was opened when all beats of the first had been heard.
        let second = try #require(await streams.next())
        #expect(second < 0)
        server.stop()
    }
}

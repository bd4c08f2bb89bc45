import AgentModel
import Foundation
import Testing

@testable import OpenCode

/// The stand-in by itself: its command line, its door, its memory.
@Suite(.timeLimit(.minutes(1)))
struct EchoAgentTests {
    private let scratch: Scratch
    private let loop: CurlLoop

    init() throws {
        scratch = try Scratch()
        loop = try CurlLoop()
    }

    @Test func withoutPassword_doesNotStart() throws {
        let ended = try EchoAgentProcess.run(["serve"], environment: ["HOME": scratch.url.path])
        #expect(ended.status == 1)
        #expect(ended.errors.contains("OPENCODE_SERVER_PASSWORD is not set"))
    }

    @Test(arguments: [
        ["serve", "--bogus"], ["serve", "--port"], ["serve", "--sessions", "0"], ["serve", "--port", "70000"],
        ["dance"],
    ])
    func wrongArguments_areRefusedWithStatus1(arguments: [String]) throws {
        let ended = try EchoAgentProcess.run(arguments, environment: ["OPENCODE_SERVER_PASSWORD": "x"])
        #expect(ended.status == 1)
        #expect(!ended.errors.isEmpty)
    }

    @Test func otherInterfaces_areRefused() throws {
        let ended = try EchoAgentProcess.run(
            ["serve", "--hostname", "0.0.0.0"], environment: ["OPENCODE_SERVER_PASSWORD": "x"])
        #expect(ended.status == 1)
        #expect(ended.errors.contains("loopback"))
    }

    @Test func busyPort_isRefusedWithStatus1() throws {
        let listener = try Listener { _ in }
        let ended = try EchoAgentProcess.run(
            ["serve", "--port", String(listener.port), "--state", scratch.url.path],
            environment: ["OPENCODE_SERVER_PASSWORD": "x"])
        #expect(ended.status == 1)
        #expect(ended.errors.contains("port \(listener.port)"))
        listener.stop()
    }

    @Test func portZero_takesAnyAndSaysWhich() async throws {
        let first = try EchoAgentProcess(state: scratch.url, port: 0)
        let second = try EchoAgentProcess(state: scratch.url.appendingPathComponent("second"), port: 0)
        #expect(first.port != second.port)
        for agent in [first, second] {
            #expect(try await loop.send(.get("/global/health"), to: agent.endpoint).head.status == 200)
        }
    }

    @Test func secondOneOnTheSameState_isRefused() throws {
        let first = try EchoAgentProcess(state: scratch.url)
        let ended = try EchoAgentProcess.run(
            ["serve", "--state", scratch.url.path], environment: ["OPENCODE_SERVER_PASSWORD": "x"])
        #expect(ended.status == 1)
        #expect(ended.errors.contains("another echo-agent"))
        first.kill()
    }

    @Test(arguments: [
        "/global/health", "/session", "/event", "/global/event", "/permission", "/agent", "/nothing-there",
    ])
    func withoutThePassword_nothingIsShown(path: String) async throws {
        let agent = try EchoAgentProcess(state: scratch.url)
        for endpoint in [
            AgentEndpoint(port: agent.port, password: "wrong"),
            AgentEndpoint(port: agent.port, user: "root", password: EchoAgentProcess.password),
        ] {
            let answer = try await loop.send(.get(path), to: endpoint)
            #expect(answer.head.status == 401)
            #expect(answer.head.fields["www-authenticate"] == "Basic realm=\"Secure Area\"")
            #expect(answer.body.isEmpty)
        }
    }

    @Test func tokenInTheQuery_isTakenToo() async throws {
        let agent = try EchoAgentProcess(state: scratch.url)
        let token = Data("opencode:\(EchoAgentProcess.password)".utf8).base64EncodedString()
        let answer = try await loop.send(
            .get("/global/health", [("auth_token", token)]), to: AgentEndpoint(port: agent.port, password: "wrong"))
        #expect(answer.head.status == 200)
    }

    @Test func sessions_surviveTheProcess() async throws {
        var agent = try EchoAgentProcess(state: scratch.url)
        var calls = V1Calls(loop: loop, endpoint: agent.endpoint)
        let session = try await calls.createSession(title: "kept", directory: "/srv/work")
        let prompt = PromptID.make()
        #expect(
            try await calls.prompt(
                session, id: prompt, text: "/slow 1000", choice: TurnChoice(), directory: "/srv/work"))
        agent.kill()
        agent = try EchoAgentProcess(state: scratch.url)
        calls = V1Calls(loop: loop, endpoint: agent.endpoint)
        #expect(try await calls.directory(of: session) == "/srv/work")
        let state = try await calls.state(
            session, family: [session.rawValue], since: prompt, directory: "/srv/work")
        #expect(!state.isBusy)
        let messages = state.facts.compactMap { fact -> MessageFact? in
            if case .message(let message) = fact { message } else { nil }
        }
        #expect(messages.first == MessageFact(id: prompt, author: .user, end: nil))
        // Cut by the kill: as in opencode, the answer has no `finish`.
        #expect(messages.dropFirst().allSatisfy { $0.end == nil })
    }

    @Test func oneSessionMoreThanAreKept_removesTheOldest() async throws {
        let agent = try EchoAgentProcess(state: scratch.url, arguments: ["--sessions", "2"])
        let calls = V1Calls(loop: loop, endpoint: agent.endpoint)
        let first = try await calls.createSession(title: "first", directory: "/w")
        for title in ["second", "third"] { _ = try await calls.createSession(title: title, directory: "/w") }
        await #expect(throws: (any Error).self) { try await calls.directory(of: first) }
    }

    @Test func halfWrittenLastLine_isSkipped() async throws {
        var agent = try EchoAgentProcess(state: scratch.url)
        let session = try await V1Calls(loop: loop, endpoint: agent.endpoint).createSession(title: "a", directory: "/w")
        agent.kill()
        let file = try FileHandle(forWritingTo: scratch.url.appendingPathComponent("sessions.jsonl"))
        try file.seekToEnd()
        try file.write(contentsOf: Data(#"{"message":{"id":"msg_"#.utf8))
        try file.close()
        agent = try EchoAgentProcess(state: scratch.url)
        #expect(try await V1Calls(loop: loop, endpoint: agent.endpoint).directory(of: session) == "/w")
    }

    @Test func messagePages_goBackToTheBeginning() async throws {
        let agent = try EchoAgentProcess(state: scratch.url, delay: 0)
        let calls = V1Calls(loop: loop, endpoint: agent.endpoint)
        let session = try await calls.createSession(title: "long", directory: "/w")
        let first = PromptID.make()
        for number in 0..<60 {
            let body =
                #"{"messageID":"\#(number == 0 ? first : PromptID.make())","parts":[{"type":"text","text":"x"}]}"#
            let answer = try await loop.send(
                .post(V1Calls.path(session, "/message"), body: Array(body.utf8)), to: agent.endpoint)
            #expect(answer.head.status == 200)
        }
        let state = try await calls.state(session, family: [], since: first, directory: "/w")
        #expect(state.facts.count { if case .message = $0 { true } else { false } } == 120)
    }

    /// What a lost event would have told of the lists is read back by the prompt.
    @Test func listsOfATurn_areReadBack() async throws {
        let agent = try EchoAgentProcess(state: scratch.url, delay: 0)
        let calls = V1Calls(loop: loop, endpoint: agent.endpoint)
        let session = try await calls.createSession(title: "lists", directory: "/w")
        let prompt = PromptID.make()
        let body = #"{"messageID":"\#(prompt)","parts":[{"type":"text","text":"/todo /diff"}]}"#
        _ = try await calls.answer(.post(V1Calls.path(session, "/message"), body: Array(body.utf8)))
        let facts = await calls.lists(session, since: prompt, directory: "/w")
        let todos = facts.lazy.compactMap { if case .todos(let list) = $0 { list } else { nil } }.first
        let changes = facts.lazy.compactMap { if case .changes(let list) = $0 { list } else { nil } }.first
        #expect(todos?.map(\.status) == [.completed, .inProgress, .pending])
        #expect(changes?.map(\.path) == ["notes.txt"])
    }

    @Test func readerThatTakesNothing_isDroppedAndHoldsNobodyUp() async throws {
        let agent = try EchoAgentProcess(state: scratch.url, delay: 0)
        let calls = V1Calls(loop: loop, endpoint: agent.endpoint)
        // A reader that never reads: its socket and then its queue fill up.
        let stuck = try stuckReader(agent)
        defer { close(stuck) }
        let session = try await calls.createSession(title: "flood", directory: "/w")
        let text = String(repeating: "a ", count: 2000)
        let body = #"{"parts":[{"type":"text","text":"\#(text)"}]}"#
        for _ in 0..<12 {
            let answer = try await loop.send(
                .post(V1Calls.path(session, "/message"), body: Array(body.utf8)), to: agent.endpoint)
            #expect(answer.head.status == 200)
        }
        // What was queued before comes, then the end of the connection.
        var bytes = 0
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(stuck, &buffer, buffer.count)
            if count <= 0 {
                #expect(count == 0 || errno != EAGAIN, "it was not dropped")
                break
            }
            bytes += count
        }
        #expect(bytes > 0)
    }

    private func stuckReader(_ agent: EchoAgentProcess) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var size: Int32 = 4096
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4)
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = Listener.address(port: agent.port)
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(connected == 0)
        let token = Data("opencode:\(EchoAgentProcess.password)".utf8).base64EncodedString()
        let request = Array("GET /global/event HTTP/1.1\r\nHost: x\r\nAuthorization: Basic \(token)\r\n\r\n".utf8)
        try #require(write(descriptor, request, request.count) == request.count)
        return descriptor
    }
}

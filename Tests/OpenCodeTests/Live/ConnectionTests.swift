import AgentModel
import Foundation
import Synchronization
import Testing

@testable import OpenCode

/// The client against the real echo-agent, and against servers that misbehave.
@Suite(.timeLimit(.minutes(1)))
struct ConnectionTests: Sendable {
    private let scratch: Scratch
    private let loop: CurlLoop
    private let connection: AgentConnection

    init() throws {
        scratch = try Scratch()
        loop = try CurlLoop()
        var timing = AgentConnection.Timing()
        timing.silence = .seconds(2)
        timing.refusedPause = .milliseconds(100)
        connection = AgentConnection(loop, timing: timing)
    }

    /// What a reader of a turn sees so far.
    private final class Reader: Sendable {
        let screen = Mutex(Screen())
        private let words = AsyncStream<Int>.makeStream()

        func show(_ event: AgentEvent) {
            words.continuation.yield(
                screen.withLock { screen in
                    screen.show(event)
                    return screen.wholeText.split(separator: " ").count
                })
        }

        /// Waits until so many words were shown.
        func sees(words count: Int) async { for await seen in words.stream where seen >= count { return } }
    }

    private final class Asked: Sendable { let directories = Mutex<[String]>([]) }

    private func run(
        _ client: any AgentClient, _ session: AgentSessionID, _ text: String, _ reader: Reader = Reader()
    ) async throws -> Screen {
        try await client.runTurn(session, directory: "/srv/work", text: text) { reader.show($0) }
        return reader.screen.withLock { $0 }
    }

    private func connected(to agent: EchoAgentProcess) async throws -> (any AgentClient, AgentSessionID) {
        await connection.update(agent.endpoint)
        let client = try await connection.readyClient()
        return (client, try await client.openSession(title: "test", directory: "/srv/work"))
    }

    @Test(arguments: EchoAgentProcess.Line.allCases)
    func turn_streamsAndIsDone(line: EchoAgentProcess.Line) async throws {
        let agent = try EchoAgentProcess(state: scratch.url, line: line)
        let (client, session) = try await connected(to: agent)
        #expect(client.identity.product == "echo-agent")
        let screen = try await run(client, session, "Grüße 👋🏽")
        #expect(screen.outcome == .done)
        #expect(screen.wholeText.hasPrefix("You wrote: Grüße 👋🏽\n\nI am the built-in echo agent, not an AI"))
        #expect(await connection.health() == .healthy)
    }

    @Test(arguments: EchoAgentProcess.Line.allCases)
    func killedMidTurn_isInterruptedAndTheNextTurnWorks(line: EchoAgentProcess.Line) async throws {
        let agent = try EchoAgentProcess(state: scratch.url, line: line)
        let (client, session) = try await connected(to: agent)
        let reader = Reader()
        async let turn = run(client, session, "/slow 1000", reader)
        await reader.sees(words: 2)
        agent.kill()
        let screen = try await turn
        guard case .interrupted(let why) = screen.outcome else { return #expect(Bool(false), "\(screen)") }
        #expect(why.contains("kept"))
        #expect(screen.wholeText.hasPrefix("word-1 word-2 "))
        // Back on the same port, as a supervisor would bring it back.
        let next = try EchoAgentProcess(state: scratch.url, port: Int(agent.port), line: line)
        let again = try await connection.readyClient()
        #expect(try await run(again, session, "still there?").outcome == .done)
        next.kill()
    }

    /// Its process lives and its port accepts: only that nothing is answered shows that it hangs.
    @Test(arguments: EchoAgentProcess.Line.allCases)
    func thatHangs_isSaidInWords_untilItAnswersAgain(line: EchoAgentProcess.Line) async throws {
        let agent = try EchoAgentProcess(state: scratch.url, line: line)
        var timing = AgentConnection.Timing()
        timing.silence = .seconds(30)
        let connection = AgentConnection(loop, timing: timing)
        await connection.update(agent.endpoint)
        _ = try await connection.readyClient()
        kill(agent.process.processIdentifier, SIGSTOP)
        let health = await connection.health()
        #expect(health == .unhealthy("it did not answer in time"))
        let words = await connection.current.words
        #expect(words.contains("does not answer since 5 s"), "\(words)")
        await #expect(throws: AgentFailure.self) { _ = try await connection.readyClient(within: .milliseconds(100)) }
        kill(agent.process.processIdentifier, SIGCONT)
        #expect(await connection.health() == .healthy)
        #expect(await connection.current.words.contains("connected to echo-agent"))
    }

    /// The stream was left for its silence, and nothing answers: the words stay those of a hang.
    @Test func hangThatOutlivesTheStream_isStillOne() async throws {
        let agent = try EchoAgentProcess(state: scratch.url)
        let (states, state) = AsyncStream<String>.makeStream()
        var timing = AgentConnection.Timing()
        timing.silence = .seconds(2)
        let connection = AgentConnection(loop, timing: timing) { state.yield($0.words) }
        await connection.update(agent.endpoint)
        _ = try await connection.readyClient()
        kill(agent.process.processIdentifier, SIGSTOP)
        var seen: [String] = []
        for await words in states {
            seen.append(words)
            if words.contains("does not answer since") { break }
        }
        #expect(!seen.contains { $0.contains("no connection") }, "\(seen)")
        kill(agent.process.processIdentifier, SIGCONT)
        _ = try await connection.readyClient()
    }

    @Test(arguments: EchoAgentProcess.Line.allCases)
    func anotherPort_interruptsAndTheNextTurnWorks(line: EchoAgentProcess.Line) async throws {
        let agent = try EchoAgentProcess(state: scratch.url, line: line)
        let (client, session) = try await connected(to: agent)
        let reader = Reader()
        async let turn = run(client, session, "/slow 1000", reader)
        await reader.sees(words: 2)
        agent.kill()
        let next = try EchoAgentProcess(state: scratch.url, line: line)
        await connection.update(next.endpoint)
        guard case .interrupted = try await turn.outcome else { return #expect(Bool(false)) }
        #expect(try await run(try await connection.readyClient(), session, "hello").outcome == .done)
    }

    @Test(arguments: EchoAgentProcess.Line.allCases)
    func brokenConnections_loseNothingAndDoubleNothing(line: EchoAgentProcess.Line) async throws {
        let agent = try EchoAgentProcess(state: scratch.url, line: line)
        let proxy = try Listener.proxy(to: agent.port)
        await connection.update(AgentEndpoint(port: proxy.port, password: EchoAgentProcess.password))
        let client = try await connection.readyClient()
        let session = try await client.openSession(title: "test", directory: "/srv/work")
        let reader = Reader()
        async let turn = run(client, session, "/slow 30", reader)
        await reader.sees(words: 3)
        proxy.cut()
        await reader.sees(words: 5)
        let screen = try await turn
        #expect(screen.outcome == .done)
        let words = (1...30).map { "word-\($0) " }.joined()
        #expect(screen.wholeText.hasPrefix(words + "\n\nI am the built-in echo agent"))
        proxy.stop()
    }

    /// What is asked while nobody hears is read back from each directory that is in use.
    @Test(arguments: EchoAgentProcess.Line.allCases, ["/permission", "/question"])
    func brokenConnection_isMadeUpForInEveryDirectoryInUse(line: EchoAgentProcess.Line, ask: String) async throws {
        let agent = try EchoAgentProcess(state: scratch.url, line: line)
        let proxy = try Listener.proxy(to: agent.port)
        await connection.update(AgentEndpoint(port: proxy.port, password: EchoAgentProcess.password))
        let client = try await connection.readyClient()
        let (begun, begin) = AsyncStream<Void>.makeStream()
        let asked = Asked()
        @Sendable func turn(_ directory: String) async throws {
            let session = try await client.openSession(title: "test", directory: directory)
            try await client.runTurn(session, directory: directory, text: "/stall 1 \(ask)") { event in
                switch event {
                case .turnStarted: begin.yield()
                case .permissionAsked(let ask):
                    asked.directories.withLock { $0.append(directory) }
                    try await client.answerPermission(
                        session, id: ask.id, reply: .once, message: nil, directory: directory)
                case .questionAsked(let ask):
                    asked.directories.withLock { $0.append(directory) }
                    try await client.answerQuestion(
                        session, id: ask.id, answers: [["SQLite"], ["red"]], directory: directory)
                case _: break
                }
            }
        }
        async let first: Void = turn("/srv/work")
        async let second: Void = turn("/srv/other")
        var count = 0
        for await _ in begun {
            count += 1
            if count == 2 { break }
        }
        // Each asks a second later, when nobody hears it; the line comes back when both have asked.
        proxy.hold()
        let calls = calls(line, agent)
        for directory in ["/srv/work", "/srv/other"] {
            while try await calls.permissions(directory: directory).isEmpty,
                try await calls.questions(directory: directory).isEmpty
            {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        proxy.release()
        try await first
        try await second
        #expect(asked.directories.withLock { $0.sorted() } == ["/srv/other", "/srv/work"])
        proxy.stop()
    }

    /// The calls of a line, to the agent itself.
    private func calls(_ line: EchoAgentProcess.Line, _ agent: EchoAgentProcess) -> any OpenCodeLine {
        switch line {
        case .v1: V1Calls(loop: loop, endpoint: agent.endpoint)
        case .v2: V2Calls(loop: loop, endpoint: agent.endpoint, version: "2.1.2")
        }
    }

    @Test(arguments: EchoAgentProcess.Line.allCases)
    func abort_interruptsAndTheSessionTakesTheNextTurn(line: EchoAgentProcess.Line) async throws {
        let agent = try EchoAgentProcess(state: scratch.url, line: line)
        let (client, session) = try await connected(to: agent)
        let reader = Reader()
        async let turn = run(client, session, "/slow 1000", reader)
        await reader.sees(words: 1)
        try await client.abort(session, directory: "/srv/work")
        #expect(try await turn.outcome == .interrupted(reason: "The turn was stopped."))
        #expect(try await run(client, session, "go on").outcome == .done)
    }

    @Test(arguments: EchoAgentProcess.Line.allCases)
    func readerThatGoesAway_leavesTheTurn_whichIsToldAgainWhole(line: EchoAgentProcess.Line) async throws {
        let agent = try EchoAgentProcess(state: scratch.url, line: line)
        let (client, session) = try await connected(to: agent)
        let reader = Reader()
        let turn = Task { try await run(client, session, "/slow 10", reader) }
        await reader.sees(words: 1)
        turn.cancel()
        _ = await turn.result
        let prompt = try #require(reader.screen.withLock { $0.prompt })
        // While it runs, and once more when it is over.
        for _ in 0..<2 {
            let again = Reader()
            try await client.followTurn(session, directory: "/srv/work", prompt: prompt) { again.show($0) }
            let screen = again.screen.withLock { $0 }
            #expect(screen.outcome == .done)
            #expect(screen.wholeText.hasPrefix((1...10).map { "word-\($0) " }.joined()), "\(screen.wholeText)")
        }
        #expect(try await run(client, session, "next").outcome == .done)
    }

    /// A block that grows is stored by the agent at its end only: what was said while nobody listened was heard all the same.
    @Test(arguments: EchoAgentProcess.Line.allCases)
    func readerThatGoesAway_goesOnInTheMiddleOfABlock(line: EchoAgentProcess.Line) async throws {
        let agent = try EchoAgentProcess(state: scratch.url, line: line)
        let (client, session) = try await connected(to: agent)
        var reader = Reader()
        var turn = Task { [reader] in _ = try await run(client, session, "/slow 1000", reader) }
        await reader.sees(words: 2)
        // Twice: the one that goes on may go away too.
        for count in [6, 10] {
            turn.cancel()
            _ = await turn.result
            let prompt = try #require(reader.screen.withLock { $0.prompt })
            reader = Reader()
            turn = Task { [reader] in
                try await client.followTurn(session, directory: "/srv/work", prompt: prompt) { reader.show($0) }
            }
            await reader.sees(words: count)
            let text = reader.screen.withLock { $0.wholeText }
            #expect(text.hasPrefix((1...count).map { "word-\($0) " }.joined()), "\(text)")
        }
        turn.cancel()
        _ = await turn.result
    }

    @Test(arguments: EchoAgentProcess.Line.allCases)
    func slowReader_getsTheWholeText(line: EchoAgentProcess.Line) async throws {
        let agent = try EchoAgentProcess(state: scratch.url, delay: 0, line: line)
        let (client, session) = try await connected(to: agent)
        let text = (0..<700).map { "w\($0)" }.joined(separator: " ")
        let screen = Mutex(Screen())
        try await client.runTurn(session, directory: "/srv/work", text: text) { event in
            try await Task.sleep(for: .milliseconds(2))
            screen.withLock { $0.show(event) }
        }
        #expect(screen.withLock { $0.outcome } == .done)
        #expect(screen.withLock { $0.wholeText }.hasPrefix("You wrote: \(text)\n\nI am"))
    }

    @Test(arguments: EchoAgentProcess.Line.allCases)
    func secondTurnInASession_isBusy(line: EchoAgentProcess.Line) async throws {
        let agent = try EchoAgentProcess(state: scratch.url, line: line)
        let (client, session) = try await connected(to: agent)
        let reader = Reader()
        let turn = Task { try await run(client, session, "/slow 1000", reader) }
        await reader.sees(words: 1)
        let failure = await #expect(throws: AgentFailure.self) { try await run(client, session, "me too") }
        #expect(failure?.code == .busy)
        turn.cancel()
    }

    @Test(arguments: EchoAgentProcess.Line.allCases)
    func unknownSession_isRefusedWithoutAnEvent(line: EchoAgentProcess.Line) async throws {
        let agent = try EchoAgentProcess(state: scratch.url, line: line)
        let (client, _) = try await connected(to: agent)
        let reader = Reader()
        let failure = await #expect(throws: AgentFailure.self) {
            try await run(client, AgentSessionID(rawValue: "ses_nobody/../x"), "hello", reader)
        }
        #expect(failure?.code == .unknown)
        #expect(reader.screen.withLock { $0.outcome } == nil)
    }

    /// What was handed over to a 2.x that was killed before it began it is taken back, not done behind the user's back.
    @Test func promptLeftInTheInbox_isNotDoneByTheNextTurn() async throws {
        let agent = try EchoAgentProcess(state: scratch.url, line: .v2)
        let (client, session) = try await connected(to: agent)
        let calls = V2Calls(loop: loop, endpoint: agent.endpoint, version: "2.1.2")
        // As it stands there after such a death: accepted, ours, and nobody about to begin it; and one of somebody else.
        for (id, mark) in [("msg_left", #"{"nexus":true}"#), ("msg_foreign", "{}")] {
            let body = #"{"id":"\#(id)","text":"left \#(id)","resume":false,"metadata":\#(mark)}"#
            try await calls.carryOut(.post(V2Calls.path(session.rawValue, "/prompt"), body: Array(body.utf8)))
        }
        #expect(try await run(client, session, "the next").outcome == .done)
        let answer = try await calls.answer(.get(V2Calls.path(session.rawValue, "/message")))
        let said = String(decoding: answer.body, as: UTF8.self)
        #expect(!said.contains("left msg_left") && said.contains("left msg_foreign") && said.contains("the next"))
    }

    @Test func agentThatComesLate_isWaitedFor() async throws {
        let waiting = Task { try await connection.readyClient() }
        let agent = try EchoAgentProcess(state: scratch.url)
        await connection.update(agent.endpoint)
        #expect(try await waiting.value.identity.product == "echo-agent")
    }

    @Test func agentThatDoesNotCome_isUnavailable() async throws {
        let failure = await #expect(throws: AgentFailure.self) {
            try await connection.readyClient(within: .milliseconds(100))
        }
        #expect(failure?.code == .unavailable)
        #expect(failure?.message.contains("nothing was handed over") == true)
    }
}

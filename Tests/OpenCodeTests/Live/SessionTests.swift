import AgentModel
import Foundation
import Synchronization
import Testing

@testable import OpenCode

/// What is done to a session as a whole, in both lines, at the real echo-agent.
@Suite(.timeLimit(.minutes(1)))
struct SessionTests: Sendable {
    private typealias Line = EchoAgentProcess.Line
    private let scratch: Scratch
    private let loop: CurlLoop
    private let connection: AgentConnection
    private let directory = "/srv/work"

    init() throws {
        scratch = try Scratch()
        loop = try CurlLoop()
        connection = AgentConnection(loop)
    }

    private func begin(_ line: EchoAgentProcess.Line) async throws -> (
        EchoAgentProcess, any AgentClient, AgentSessionID
    ) {
        let agent = try EchoAgentProcess(state: scratch.url, delay: 0, line: line)
        await connection.update(agent.endpoint)
        let client = try await connection.readyClient()
        return (agent, client, try await client.openSession(title: "first", directory: directory))
    }

    /// Runs a turn to its end; the id of its prompt, and what was seen.
    private func run(
        _ text: String, _ client: any AgentClient, _ session: AgentSessionID
    ) async throws -> (prompt: String, screen: Screen) {
        let seen = Mutex((prompt: "", screen: Screen()))
        try await client.runTurn(session, directory: directory, text: text) { event in
            seen.withLock {
                if case .turnStarted(let prompt?) = event { $0.prompt = prompt }
                $0.screen.show(event)
            }
        }
        return seen.withLock { $0 }
    }

    /// How many messages the agent remembers, which its summary tells.
    private func remembered(_ client: any AgentClient, _ session: AgentSessionID) async throws -> String {
        try await run("/compact", client, session).screen.wholeText
    }

    private func titles(_ agent: EchoAgentProcess, _ line: EchoAgentProcess.Line) async throws -> String {
        let answer = try await loop.send(.get(line == .v1 ? "/session" : "/api/session"), to: agent.endpoint)
        return String(decoding: answer.body, as: UTF8.self)
    }

    @Test(arguments: EchoAgentProcess.Line.allCases)
    func titleAndEnd_areCarriedOut(line: EchoAgentProcess.Line) async throws {
        let (agent, client, session) = try await begin(line)
        try await client.rename(session, to: "Grüße \"2\"", directory: directory)
        #expect(try await titles(agent, line).contains(#"Grüße \"2\""#))
        try await client.remove(session, directory: directory)
        #expect(try await !titles(agent, line).contains(session.rawValue))
        let failure = await #expect(throws: AgentFailure.self) {
            try await client.remove(session, directory: directory)
        }
        #expect(failure?.code == .unknown)
    }

    @Test(arguments: EchoAgentProcess.Line.allCases)
    func summary_isATurnLikeOthers(line: EchoAgentProcess.Line) async throws {
        let (agent, client, session) = try await begin(line)
        defer { agent.kill() }
        _ = try await run("one", client, session)
        _ = try await run("two", client, session)
        #expect(
            try await client.catalog(directory: directory).contains {
                if case .command(let command) = $0 { command.name == "compact" } else { false }
            })
        let summary = try await run("/compact", client, session).screen
        #expect(summary.outcome == .done && summary.wholeText == "So far you wrote 2 times.")
        #expect(summary.notices == [TurnFact.compacted])
        #expect(try await run("three", client, session).screen.outcome == .done)
    }

    /// 1.x gives the message that asks for a summary an id of its own.
    @Test(arguments: EchoAgentProcess.Line.allCases)
    func summary_isForkedFromAndTakenBack_likeOtherTurns(line: EchoAgentProcess.Line) async throws {
        let (agent, client, session) = try await begin(line)
        defer { agent.kill() }
        _ = try await run("one", client, session)
        let summary = try await run("/compact", client, session).prompt
        _ = try await run("two", client, session)
        let part = try await client.fork(session, before: summary, directory: directory)
        #expect(try await remembered(client, part) == "So far you wrote 1 times.")
        try await client.revert(session, to: summary, directory: directory)
        #expect(try await remembered(client, session) == "So far you wrote 1 times.")
    }

    @Test(arguments: EchoAgentProcess.Line.allCases)
    func fork_remembersWhatWasSaidBefore(line: EchoAgentProcess.Line) async throws {
        let (agent, client, session) = try await begin(line)
        defer { agent.kill() }
        _ = try await run("one", client, session)
        let second = try await run("two", client, session).prompt
        let part = try await client.fork(session, before: second, directory: directory)
        let whole = try await client.fork(session, before: nil, directory: directory)
        #expect(Set([session, part, whole]).count == 3)
        #expect(try await client.directory(of: part) == directory)
        #expect(try await remembered(client, part) == "So far you wrote 1 times.")
        #expect(try await remembered(client, whole) == "So far you wrote 2 times.")
        #expect(try await run("three", client, session).screen.outcome == .done)
        let failure = await #expect(throws: AgentFailure.self) {
            try await client.fork(session, before: "msg_none", directory: directory)
        }
        #expect(failure?.code == .unknown)
    }

    @Test(arguments: EchoAgentProcess.Line.allCases)
    func revert_forgetsAfterTheNextMessage(line: EchoAgentProcess.Line) async throws {
        let (agent, client, session) = try await begin(line)
        defer { agent.kill() }
        _ = try await run("one", client, session)
        let second = try await run("two", client, session).prompt
        _ = try await run("three", client, session)
        try await client.revert(session, to: second, directory: directory)
        #expect(try await run("two again", client, session).screen.outcome == .done)
        #expect(try await remembered(client, session) == "So far you wrote 2 times.")
        let failure = await #expect(throws: AgentFailure.self) {
            try await client.revert(session, to: second, directory: directory)
        }
        #expect(failure?.code == .unknown)
    }

    @Test(arguments: EchoAgentProcess.Line.allCases)
    func unrevert_bringsAllBack(line: EchoAgentProcess.Line) async throws {
        let (agent, client, session) = try await begin(line)
        defer { agent.kill() }
        let first = try await run("one", client, session).prompt
        _ = try await run("two", client, session)
        try await client.revert(session, to: first, directory: directory)
        try await client.unrevert(session, directory: directory)
        #expect(try await remembered(client, session) == "So far you wrote 2 times.")
    }

    @Test(arguments: EchoAgentProcess.Line.allCases)
    func whileATurnRuns_nothingIsTakenBack(line: EchoAgentProcess.Line) async throws {
        let (agent, client, session) = try await begin(line)
        defer { agent.kill() }
        let prompt = try await run("one", client, session).prompt
        let (begun, tell) = AsyncStream<Void>.makeStream()
        let turn = Task {
            try await client.runTurn(session, directory: directory, text: "/slow 1000") { event in
                if case .textDelta = event { tell.yield() }
            }
        }
        for await _ in begun { break }
        for change in [
            { try await client.revert(session, to: prompt, directory: directory) },
            { try await client.unrevert(session, directory: directory) },
            { try await client.remove(session, directory: directory) },
        ] as [@Sendable () async throws -> Void] {
            let failure = await #expect(throws: AgentFailure.self) { try await change() }
            #expect(failure?.code == .busy)
        }
        turn.cancel()
        _ = await turn.result
    }

    @Test(arguments: EchoAgentProcess.Line.allCases)
    func files_goWithTheMessage(line: EchoAgentProcess.Line) async throws {
        let (agent, client, session) = try await begin(line)
        defer { agent.kill() }
        let seen = Mutex(Screen())
        let prompt = Prompt(
            text: "/twice look",
            files: [
                PromptFile(name: "notes.txt", mime: "text/plain", content: Array("hello".utf8)),
                PromptFile(name: "p.png", mime: "image/png", content: [UInt8](repeating: 0x89, count: 3_000_000)),
            ])
        try await client.runTurn(session, directory: directory, prompt: prompt, choice: TurnChoice()) { event in
            seen.withLock { $0.show(event) }
        }
        let screen = seen.withLock { $0 }
        #expect(screen.outcome == .done)
        // With files even what looks like a command is a message.
        #expect(screen.wholeText.hasPrefix("You wrote: /twice look"))
        #expect(screen.wholeText.contains("notes.txt (text/plain, 5 bytes), p.png (image/png, 3000000 bytes) left out"))
    }
}

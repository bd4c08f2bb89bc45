import AgentModel
import Foundation
import Synchronization
import Testing

@testable import OpenCode

/// Models, agents and commands of the real echo-agent, through the client.
@Suite(.timeLimit(.minutes(1)))
struct AgentChoiceTests: Sendable {
    private let scratch: Scratch
    private let loop: CurlLoop
    private let connection: AgentConnection
    private let directory = "/srv/work"

    init() throws {
        scratch = try Scratch()
        loop = try CurlLoop()
        connection = AgentConnection(loop)
    }

    /// An agent of the test's own, which ends with it.
    private func begin(
        _ line: EchoAgentProcess.Line = .v1
    ) async throws -> (client: any AgentClient, agent: EchoAgentProcess) {
        let agent = try EchoAgentProcess(state: scratch.url, delay: 0, line: line)
        await connection.update(agent.endpoint)
        return (try await connection.readyClient(), agent)
    }

    private func run(
        _ text: String, _ client: any AgentClient, in session: AgentSessionID? = nil,
        _ choice: TurnChoice = TurnChoice()
    ) async throws -> Screen {
        let screen = Mutex(Screen())
        let new = try await client.openSession(title: "test", directory: directory)
        try await client.runTurn(session ?? new, directory: directory, text: text, choice: choice) { event in
            screen.withLock { $0.show(event) }
        }
        return screen.withLock { $0 }
    }

    @Test(arguments: EchoAgentProcess.Line.allCases)
    func catalog_hasWhatMayBeChosen(line: EchoAgentProcess.Line) async throws {
        let (client, agent) = try await begin(line)
        defer { agent.kill() }
        let catalog = try await client.catalog(directory: directory)
        let models = catalog.compactMap { if case .model(let model) = $0 { model } else { nil } }
        #expect(models.map(\.id) == ["nexus/echo", "nexus/meter"])
        #expect(models.allSatisfy { $0.context > 0 && $0.name.contains("not an AI") })
        let names: [String] = catalog.compactMap {
            switch $0 {
            case .model: nil
            case .agent(let agent): agent.name
            case .command(let command): "/" + command.name
            }
        }
        // The agent that only others call is not among them; of 2.x's commands there is one.
        #expect(names == ["echo", "capitals"] + (line == .v1 ? ["/twice"] : []) + ["/compact"])
    }

    @Test(arguments: EchoAgentProcess.Line.allCases)
    func chosenAgent_answers_andTheSessionKeepsIt(line: EchoAgentProcess.Line) async throws {
        let (client, agent) = try await begin(line)
        defer { agent.kill() }
        let session = try await client.openSession(title: "loud", directory: directory)
        let loud = try await run("grüße dich", client, in: session, TurnChoice(model: "nexus/meter", agent: "capitals"))
        #expect(loud.outcome == .done && loud.wholeText.hasPrefix("YOU WROTE: GRÜSSE DICH"))
        let used = try #require(loud.used.last)
        #expect(used.model == "nexus/meter" && used.input == 2 && used.output > 0 && used.cost > 0.002, "\(used)")
        struct Form: Decodable {
            struct Model: Decodable { var id: String }
            var agent: String
            var model: Model
        }
        let form =
            switch line {
            case .v1:
                try await V1Calls(loop: loop, endpoint: agent.endpoint).read(Form.self, .get(V1Calls.path(session, "")))
            case .v2:
                try await V2Calls(loop: loop, endpoint: agent.endpoint, version: "2.1.2")
                    .read(V2Answer<Form>.self, .get(V2Calls.path(session.rawValue, ""))).data
            }
        #expect(form.agent == "capitals" && form.model.id == "meter")
        // Nothing chosen leaves what the session has.
        #expect(try await run("again", client, in: session).wholeText.hasPrefix("YOU WROTE: AGAIN"))
    }

    /// What opencode says of it does not help: what to do is said before it.
    @Test(arguments: EchoAgentProcess.Line.allCases)
    func noProviderAtAll_saysWhatToDo(line: EchoAgentProcess.Line) async throws {
        let agent = try EchoAgentProcess(state: scratch.url, line: line, arguments: ["--no-provider"])
        await connection.update(agent.endpoint)
        let client = try await connection.readyClient()
        guard case .failed(let why) = try await run("hello", client).outcome else { return #expect(Bool(false)) }
        #expect(why.hasPrefix("opencode has no model provider. Log in with `nexusctl agent login`"), "\(why)")
        #expect(why.hasSuffix("opencode reported: no providers found"))
        #expect(
            try await client.catalog(directory: directory).allSatisfy { if case .model = $0 { false } else { true } })
        agent.kill()
    }

    @Test(arguments: [401, 403, 500]) func statusOfAProvider_saysWhatToDo(status: Int) throws {
        let json = #"{"name":"APIError","data":{"message":"invalid key","statusCode":\#(status),"isRetryable":false}}"#
        let words = try JSONDecoder().decode(V1Problem.self, from: Data(json.utf8)).problem.words
        #expect(words.contains("status \(status)") && words.contains("invalid key"))
        #expect(words.contains("opencode auth login") == (status != 500))
    }

    @Test(arguments: [
        (TurnChoice(model: "nexus/oracle"), "Model not found: nexus/oracle"),
        (TurnChoice(agent: "oracle"), "Agent not found"),
    ])
    func unknownChoice_failsTheTurnInWords(choice: TurnChoice, words: String) async throws {
        let (client, agent) = try await begin()
        defer { agent.kill() }
        guard case .failed(let why) = try await run("hello", client, choice).outcome else {
            return #expect(Bool(false))
        }
        #expect(why.contains(words), "\(why)")
    }

    @Test func modelWithoutAProvider_isRefusedBeforeAnythingIsSaid() async throws {
        let (client, agent) = try await begin()
        defer { agent.kill() }
        let failure = await #expect(throws: AgentFailure.self) {
            _ = try await run("hello", client, TurnChoice(model: "oracle"))
        }
        #expect(failure?.code == .badRequest)
    }

    @Test func command_isDone_andOtherSlashesArePrompts() async throws {
        let (client, agent) = try await begin()
        defer { agent.kill() }
        let twice = try await run("/twice a b", client, TurnChoice(agent: "capitals"))
        #expect(twice.outcome == .done && twice.wholeText.hasPrefix("YOU WROTE: A B A B\n"))
        let none = try await run("/nothing of that name", client)
        #expect(none.outcome == .done && none.wholeText.hasPrefix("You wrote: /nothing of that name"))
    }

    @Test func compact_summarizes_asATurnLikeOthers() async throws {
        let (client, agent) = try await begin()
        defer { agent.kill() }
        let session = try await client.openSession(title: "long", directory: directory)
        _ = try await run("one", client, in: session)
        _ = try await run("two", client, in: session)
        let screen = try await run("/compact", client, in: session)
        #expect(screen.outcome == .done && screen.wholeText == "So far you wrote 2 times.")
        #expect(screen.notices == ["The conversation was compacted to fit the model."])
        #expect(try await run("three", client, in: session).outcome == .done)
    }

    @Test func command_canBeStopped() async throws {
        let (client, agent) = try await begin()
        defer { agent.kill() }
        let session = try await client.openSession(title: "slow", directory: directory)
        let (words, said) = AsyncStream<Void>.makeStream()
        let turn = Task {
            let screen = Mutex(Screen())
            try await client.runTurn(session, directory: directory, text: "/twice /slow 1000") { event in
                if case .textDelta = event { said.yield() }
                screen.withLock { $0.show(event) }
            }
            return screen.withLock { $0.outcome }
        }
        for await _ in words { break }
        try await client.abort(session, directory: directory)
        #expect(try await turn.value == .interrupted(reason: "The turn was stopped."))
    }
}

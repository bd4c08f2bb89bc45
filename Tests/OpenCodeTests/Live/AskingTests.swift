import AgentModel
import Foundation
import Synchronization
import Testing

@testable import OpenCode

/// Permissions and questions of the real echo-agent, answered through the client.
@Suite(.timeLimit(.minutes(1)))
struct AskingTests: Sendable {
    private let scratch: Scratch
    private let connection: AgentConnection
    private let directory = "/srv/work"

    init() throws {
        scratch = try Scratch()
        connection = AgentConnection(
            try CurlLoop(), policy: AnswerPolicy(permission: .reject, timeout: .milliseconds(1)))
    }

    private func patient() throws -> AgentConnection { AgentConnection(try CurlLoop()) }

    private struct Run {
        var screen: Screen
        var events: [AgentEvent]
    }

    /// Runs a turn; each ask is answered by `answer`.
    private func run(
        _ connection: AgentConnection, _ text: String,
        answer: @escaping @Sendable (any AgentClient, AgentSessionID, AgentEvent) async throws -> Void
    ) async throws -> Run {
        let agent = try EchoAgentProcess(state: scratch.url, delay: 0)
        await connection.update(agent.endpoint)
        let client = try await connection.readyClient()
        let session = try await client.openSession(title: "test", directory: directory)
        let run = Mutex(Run(screen: Screen(), events: []))
        try await client.runTurn(session, directory: directory, text: text) { event in
            run.withLock {
                $0.screen.show(event)
                $0.events.append(event)
            }
            switch event {
            case .permissionAsked, .questionAsked: try await answer(client, session, event)
            case .turnStarted, .textDelta, .textBlock, .reasoningDelta, .tool, .answered, .todos, .changes, .usage,
                .notice,
                .turnEnded:
                break
            }
        }
        return run.withLock { $0 }
    }

    @Test(arguments: ["/permission", "/subagent"], [PermissionReply.once, .always])
    func allowed_goesOn(prompt: String, reply: PermissionReply) async throws {
        let run = try await run(try patient(), prompt) { client, session, event in
            guard case .permissionAsked(let ask) = event else { return }
            #expect(!ask.always.isEmpty && ask.tool?.hasSuffix("/call_1") == true)
            try await client.answerPermission(session, id: ask.id, reply: reply, message: nil, directory: directory)
        }
        #expect(run.screen.outcome == .done)
        #expect(run.screen.wholeText.hasPrefix("Allowed: \(reply.rawValue)."))
        #expect(run.screen.answered.map(\.by) == [.user] && run.screen.answered[0].answer == .init(reply))
        // The card belongs to the call of the tool that waits.
        let ask = run.events.compactMap { if case .permissionAsked(let ask) = $0 { ask } else { nil } }
        #expect(ask.count == 1 && run.screen.tools[ask[0].tool ?? ""]?.status == .completed)
    }

    @Test func rejectedWithWords_isToldToTheAgent() async throws {
        let run = try await run(try patient(), "/permission") { client, session, event in
            guard case .permissionAsked(let ask) = event else { return }
            try await client.answerPermission(
                session, id: ask.id, reply: .reject, message: "too dangerous", directory: directory)
        }
        #expect(run.screen.outcome == .done)
        #expect(run.screen.wholeText.hasPrefix("Not allowed: too dangerous."))
        #expect(run.screen.tools.values.map(\.status) == [.failed])
    }

    @Test func nobody_isAnsweredForByTheDefault() async throws {
        let run = try await run(connection, "/permission") { _, _, _ in }
        #expect(run.screen.outcome == .done)
        #expect(run.screen.answered.map(\.by) == [.default])
        #expect(run.screen.notices.contains { $0.contains("it is rejected") })
    }

    @Test func question_isAnsweredByLabelsAndOwnWords() async throws {
        let run = try await run(try patient(), "/question") { client, session, event in
            guard case .questionAsked(let ask) = event else { return }
            #expect(ask.questions.map(\.header) == ["Database", "Colours"])
            #expect(ask.questions.map(\.multiple) == [false, true] && ask.questions.map(\.custom) == [false, true])
            let wrong = await #expect(throws: AgentFailure.self) {
                try await client.answerQuestion(
                    session, id: ask.id, answers: [["Oracle"], []], directory: directory)
            }
            #expect(wrong?.message.contains("there is: SQLite, Postgres") == true)
            try await client.answerQuestion(
                session, id: ask.id, answers: [["SQLite"], ["red", "mauve"]], directory: directory)
        }
        #expect(run.screen.wholeText.hasPrefix("You chose: SQLite; red + mauve."))
        #expect(run.screen.answered.map(\.answer) == [.answered])
    }

    @Test func answers_ofOtherSessionsOrTwice_areRefused() async throws {
        let run = try await run(try patient(), "/permission") { client, session, event in
            guard case .permissionAsked(let ask) = event else { return }
            let other = try await client.openSession(title: "other", directory: directory)
            let foreign = await #expect(throws: AgentFailure.self) {
                try await client.answerPermission(
                    other, id: ask.id, reply: .once, message: nil, directory: directory)
            }
            #expect(foreign?.code == .refused)
            try await client.answerPermission(session, id: ask.id, reply: .once, message: nil, directory: directory)
            let late = await #expect(throws: AgentFailure.self) {
                try await client.answerPermission(
                    session, id: ask.id, reply: .reject, message: nil, directory: directory)
            }
            #expect(late?.code == .unknown)
        }
        #expect(run.screen.outcome == .done)
    }

    @Test(arguments: [
        ("/401", "opencode auth login"), ("/error", "status 500"),
    ])
    func providerErrors_failInWords(prompt: String, words: String) async throws {
        let run = try await run(try patient(), prompt) { _, _, _ in }
        guard case .failed(let why) = run.screen.outcome else { return #expect(Bool(false), "\(run.screen)") }
        #expect(why.contains(words), "\(why)")
    }

    @Test func retries_areSaidAndGoOn() async throws {
        let run = try await run(try patient(), "/429 /reasoning /tool") { _, _, _ in }
        #expect(run.screen.outcome == .done)
        #expect(run.screen.notices.count { $0.contains("status 429") } == 2)
        #expect(run.screen.reasoning.values.contains("Somebody wants to see me think."))
        #expect(run.screen.tools.values.map(\.output) == ["notes.txt\nplan.md\n"])
        let running = run.events.contains {
            if case .tool(let call) = $0 { call.status == .running && call.output == "notes.txt\n" } else { false }
        }
        #expect(running, "the output so far is shown while a tool runs")
    }

    @Test func todosAndChanges_areTold() async throws {
        let run = try await run(try patient(), "/todo /diff /todo") { _, _, _ in }
        #expect(run.screen.todos.map { $0.map(\.status) } == [[.completed, .inProgress, .pending]])
        #expect(run.screen.changes.map { $0.map(\.path) } == [["notes.txt"]])
        #expect(run.screen.changes[0][0].patch.contains("+new words") && run.screen.changes[0][0].status == .modified)
    }

    @Test func crash_interruptsAndKeepsTheWords() async throws {
        let run = try await run(try patient(), "/crash") { _, _, _ in }
        guard case .interrupted = run.screen.outcome else { return #expect(Bool(false), "\(run.screen)") }
        // Words that were on their way may die with it; what came is kept, in order.
        #expect(run.screen.wholeText.hasPrefix("These are"))
        #expect("These are my last words ".hasPrefix(run.screen.wholeText))
    }
}

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
    private typealias Line = EchoAgentProcess.Line

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
        _ connection: AgentConnection, _ line: Line, _ text: String,
        answer: @escaping @Sendable (any AgentClient, AgentSessionID, AgentEvent) async throws -> Void
    ) async throws -> Run {
        let agent = try EchoAgentProcess(state: scratch.url, delay: 0, line: line)
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

    @Test(arguments: [
        (EchoAgentProcess.Line.v1, "/permission", PermissionReply.once), (.v1, "/subagent", .always),
        (.v2, "/permission", .always), (.v2, "/subagent", .once),
    ])
    func allowed_goesOn(line: EchoAgentProcess.Line, prompt: String, reply: PermissionReply) async throws {
        let run = try await run(try patient(), line, prompt) { client, session, event in
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

    @Test(arguments: EchoAgentProcess.Line.allCases) func rejectedWithWords_isToldToTheAgent(
        line: EchoAgentProcess.Line
    ) async throws {
        let run = try await run(try patient(), line, "/permission") { client, session, event in
            guard case .permissionAsked(let ask) = event else { return }
            try await client.answerPermission(
                session, id: ask.id, reply: .reject, message: "too dangerous", directory: directory)
        }
        #expect(run.screen.outcome == .done)
        #expect(run.screen.wholeText.hasPrefix("Not allowed: too dangerous."))
        #expect(run.screen.tools.values.map(\.status) == [.failed])
    }

    @Test(arguments: EchoAgentProcess.Line.allCases) func nobody_isAnsweredForByTheDefault(line: EchoAgentProcess.Line)
        async throws
    {
        let run = try await run(connection, line, "/permission") { _, _, _ in }
        // A plain no ends the turn: in 1.x it rests, in 2.x it is interrupted.
        let why = "Nobody said within 1 ms whether the agent may use shell, and without that it ended the turn."
        #expect(run.screen.outcome == (line == .v1 ? .done : .interrupted(reason: why)))
        #expect(run.screen.answered.map(\.by) == [.default])
        #expect(run.screen.notices.contains { $0.contains("it is rejected") })
    }

    /// opencode rests for good behind a plain no: nobody waits for whether it goes on.
    @Test(arguments: EchoAgentProcess.Line.allCases, ["/permission", "/question"])
    func plainNo_isTheEndAtOnce(line: EchoAgentProcess.Line, prompt: String) async throws {
        let said = Mutex<ContinuousClock.Instant?>(nil)
        let run = try await run(try patient(), line, prompt) { client, session, event in
            if case .permissionAsked(let ask) = event {
                try await client.answerPermission(
                    session, id: ask.id, reply: .reject, message: nil, directory: directory)
            } else if case .questionAsked(let ask) = event {
                try await client.answerQuestion(session, id: ask.id, answers: nil, directory: directory)
            }
            said.withLock { $0 = .now }
        }
        #expect(run.screen.outcome != nil)
        let began = try #require(said.withLock { $0 })
        #expect(ContinuousClock.now - began < Limits.idleTime / 2)
    }

    /// Whoever is asked knows what comes of it when he says nothing, and when.
    @Test func ask_saysWhatComesOfItWhenNobodyAnswers_andWhen() async throws {
        for (prompt, answer) in [("/permission", "reject"), ("/question", "dismissed")] {
            let run = try await run(connection, .v2, prompt) { _, _, _ in }
            let asks = try run.events.compactMap { event -> [String: Any]? in
                switch event {
                case .permissionAsked, .questionAsked:
                    try JSONSerialization.jsonObject(with: try JSONEncoder().encode(event)) as? [String: Any]
                case _: nil
                }
            }
            let unanswered = try #require(asks.first?["unanswered"] as? [String: Any], "\(asks)")
            #expect(unanswered["answer"] as? String == answer)
            let at = try #require(unanswered["at"] as? Double)
            #expect(abs(at / 1000 - Date().timeIntervalSince1970) < 60)
        }
    }

    @Test func noByAPerson_isTheReasonOfTheEnd() async throws {
        for (prompt, words) in [("/permission", "may not use shell"), ("/question", "was put aside")] {
            let run = try await run(try patient(), .v2, prompt) { client, session, event in
                if case .permissionAsked(let ask) = event {
                    try await client.answerPermission(
                        session, id: ask.id, reply: .reject, message: nil, directory: directory)
                } else if case .questionAsked(let ask) = event {
                    try await client.answerQuestion(session, id: ask.id, answers: nil, directory: directory)
                }
            }
            guard case .interrupted(let why) = run.screen.outcome else { return #expect(Bool(false), "\(run.screen)") }
            #expect(why.contains(words) && !why.contains("stopped"), "\(why)")
        }
    }

    @Test(arguments: EchoAgentProcess.Line.allCases) func question_isAnsweredByLabelsAndOwnWords(
        line: EchoAgentProcess.Line
    ) async throws {
        let run = try await run(try patient(), line, "/question") { client, session, event in
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

    @Test(arguments: EchoAgentProcess.Line.allCases) func answers_ofOtherSessionsOrTwice_areRefused(
        line: EchoAgentProcess.Line
    ) async throws {
        let run = try await run(try patient(), line, "/permission") { client, session, event in
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

    @Test(
        arguments: EchoAgentProcess.Line.allCases,
        [("/401", "nexusctl agent login"), ("/error", "status 500")])
    func providerErrors_failInWords(line: EchoAgentProcess.Line, said: (prompt: String, words: String)) async throws {
        let (prompt, words) = said
        let run = try await run(try patient(), line, prompt) { _, _, _ in }
        guard case .failed(let why) = run.screen.outcome else { return #expect(Bool(false), "\(run.screen)") }
        #expect(why.contains(words), "\(why)")
    }

    @Test(arguments: EchoAgentProcess.Line.allCases) func retries_areSaidAndGoOn(line: EchoAgentProcess.Line)
        async throws
    {
        let run = try await run(try patient(), line, "/429 /reasoning /tool") { _, _, _ in }
        #expect(run.screen.outcome == .done)
        #expect(run.screen.notices.count { $0.contains("status 429") } == 2)
        #expect(run.screen.reasoning.values.contains("Somebody wants to see me think."))
        #expect(run.screen.tools.values.map(\.output) == ["notes.txt\nplan.md\n"])
        let running = run.events.contains {
            if case .tool(let call) = $0 { call.status == .running && call.output == "notes.txt\n" } else { false }
        }
        #expect(running, "the output so far is shown while a tool runs")
    }

    @Test(arguments: EchoAgentProcess.Line.allCases) func todosAndChanges_areTold(line: EchoAgentProcess.Line)
        async throws
    {
        let run = try await run(try patient(), line, "/todo /diff /todo") { _, _, _ in }
        // 2.x has no such list.
        #expect(
            run.screen.todos.map { $0.map(\.status) } == (line == .v1 ? [[.completed, .inProgress, .pending]] : []))
        #expect(run.screen.changes.map { $0.map(\.path) } == [["notes.txt"]])
        #expect(run.screen.changes[0][0].patch.contains("+new words") && run.screen.changes[0][0].status == .modified)
    }

    @Test(arguments: EchoAgentProcess.Line.allCases) func crash_interruptsAndKeepsTheWords(line: EchoAgentProcess.Line)
        async throws
    {
        let run = try await run(try patient(), line, "/crash") { _, _, _ in }
        guard case .interrupted = run.screen.outcome else { return #expect(Bool(false), "\(run.screen)") }
        // Words that were on their way may die with it; what came is kept, in order.
        #expect(run.screen.wholeText.hasPrefix("These are"))
        #expect("These are my last words ".hasPrefix(run.screen.wholeText))
    }
}

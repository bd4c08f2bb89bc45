import AgentModel
import Foundation
import Testing

@testable import OpenCode

/// `echo-agent --line v2`, and what of 2.x shows only against a server.
@Suite(.timeLimit(.minutes(1)))
struct V2EchoAgentTests {
    private let scratch: Scratch
    private let loop: CurlLoop

    init() throws {
        scratch = try Scratch()
        loop = try CurlLoop()
    }

    private func calls(_ agent: EchoAgentProcess) -> V2Calls {
        V2Calls(loop: loop, endpoint: agent.endpoint, version: "2.1.2")
    }

    private func wait(for session: AgentSessionID, _ calls: V2Calls) async throws {
        let path = "/api/experimental/session/\(session.rawValue)/wait"
        try await calls.carryOut(.post(path))
    }

    @Test func detected_asItsLine() async throws {
        let agent = try EchoAgentProcess(state: scratch.url, line: .v2)
        #expect(await LineDetection.detect(loop, agent.endpoint) == .v2("2.1.2+echo-agent.0.1.0"))
        #expect(AgentIdentity(version: "2.1.2+echo-agent.0.1.0").product == "echo-agent")
        #expect(await calls(agent).health() == nil)
        let wrong = AgentEndpoint(port: agent.port, password: "wrong")
        #expect(await LineDetection.detect(loop, wrong) == .wrongPassword)
    }

    /// Both lines are views of one world.
    @Test func sessionOfTheFirstLine_goesOnInTheSecond() async throws {
        let first = try EchoAgentProcess(state: scratch.url, delay: 0)
        let old = V1Calls(loop: loop, endpoint: first.endpoint)
        let session = try await old.createSession(title: "both", directory: "/w")
        let prompt = PromptID.make()
        let body = #"{"messageID":"\#(prompt)","parts":[{"type":"text","text":"/tool in the first"}]}"#
        _ = try await old.answer(.post(V1Calls.path(session, "/message"), body: Array(body.utf8)))
        first.kill()
        let second = try EchoAgentProcess(state: scratch.url, delay: 0, line: .v2)
        defer { second.kill() }
        let calls = calls(second)
        #expect(try await calls.directory(of: session) == "/w")
        let state = try await calls.state(session, family: [session.rawValue], since: prompt, directory: "/w")
        let tools = state.facts.compactMap { if case .tool(let call, _) = $0 { call } else { nil } }
        #expect(tools.map(\.name) == ["shell"] && tools.map(\.output) == ["notes.txt\nplan.md\n"])
        #expect(!state.isBusy)
    }

    /// More messages than a page, and a prompt that lies pages back.
    @Test func messagePages_goBackToThePrompt() async throws {
        let agent = try EchoAgentProcess(state: scratch.url, delay: 0, line: .v2)
        let calls = calls(agent)
        let session = try await calls.createSession(title: "pages", directory: "/w")
        var prompts: [String] = []
        for number in 0..<40 {
            prompts.append(PromptID.make())
            #expect(
                try await calls.prompt(session, id: prompts[number], text: "x", choice: TurnChoice(), directory: "/w"))
            try await wait(for: session, calls)
        }
        for number in [0, 20, 39] {
            let state = try await calls.state(session, family: [], since: prompts[number], directory: "/w")
            let messages = state.facts.compactMap { if case .message(let message) = $0 { message } else { nil } }
            #expect(messages.count == (40 - number) * 2 && messages.first?.id == prompts[number])
            #expect(messages.dropFirst().first?.end == .finished)
        }
    }

    /// A text that was being written when the process died is nowhere.
    @Test func killedMidTurn_hasNothingOfItsText() async throws {
        let agent = try EchoAgentProcess(state: scratch.url, line: .v2)
        let session = try await calls(agent).createSession(title: "dies", directory: "/w")
        let prompt = PromptID.make()
        #expect(
            try await calls(agent).prompt(session, id: prompt, text: "/crash", choice: TurnChoice(), directory: "/w"))
        agent.process.waitUntilExit()
        let next = try EchoAgentProcess(state: scratch.url, line: .v2)
        defer { next.kill() }
        let calls = calls(next)
        let state = try await calls.state(session, family: [session.rawValue], since: prompt, directory: "/w")
        let ends = state.facts.compactMap { if case .message(let message) = $0 { message.end } else { nil } }
        let texts = state.facts.compactMap { if case .block(let block) = $0 { block } else { nil } }
        #expect(ends.isEmpty && !state.isBusy)
        // The words before the crash were a whole text.
        #expect(texts.map(\.text) == ["These are my last words "] && texts.allSatisfy(\.isComplete))
    }

    /// 409 in place of 404: it was settled since the list was read.
    @Test func questionThatWasAnsweredMeanwhile_isUnknown_asOneThatNeverWas() async throws {
        let agent = try EchoAgentProcess(state: scratch.url, delay: 0, line: .v2)
        let calls = calls(agent)
        let session = try await calls.createSession(title: "asks", directory: "/w")
        #expect(
            try await calls.prompt(
                session, id: PromptID.make(), text: "/question", choice: TurnChoice(), directory: "/w"))
        while try await calls.questions(directory: "/w").isEmpty { await Task.yield() }
        let asked = try #require(try await calls.questions(directory: "/w").first).ask
        let answers = asked.questions.map { [$0.options[0].label] }
        try await calls.reply(toQuestion: asked.id, of: session.rawValue, answers, directory: "/w")
        for (id, said) in [(asked.id, answers), (asked.id, nil), ("form_none", answers)] {
            let failure = await #expect(throws: AgentFailure.self) {
                try await calls.reply(toQuestion: id, of: session.rawValue, said, directory: "/w")
            }
            #expect(failure?.code == .unknown && failure?.message.contains("does not wait") == true, "\(id)")
        }
    }

    @Test func stoppedWhileItWaits_isTakenBackAndNeverDone() async throws {
        let agent = try EchoAgentProcess(state: scratch.url, delay: 0, line: .v2)
        let calls = calls(agent)
        let session = try await calls.createSession(title: "waits", directory: "/w")
        let slow = #"{"text":"/slow 1000"}"#
        try await calls.carryOut(.post(V2Calls.path(session.rawValue, "/prompt"), body: Array(slow.utf8)))
        let prompt = PromptID.make()
        #expect(try await calls.prompt(session, id: prompt, text: "later", choice: TurnChoice(), directory: "/w"))
        let before = try await calls.state(session, family: [session.rawValue], since: prompt, directory: "/w")
        #expect(before.isBusy && before.facts.isEmpty)
        try await calls.abort(session, directory: "/w")
        try await wait(for: session, calls)
        let next = PromptID.make()
        #expect(try await calls.prompt(session, id: next, text: "next", choice: TurnChoice(), directory: "/w"))
        try await wait(for: session, calls)
        let after = try await calls.state(session, family: [session.rawValue], since: next, directory: "/w")
        #expect(after.facts.contains(.message(MessageFact(id: next, author: .user, end: nil))))
        let gone = try await calls.outcome(of: .get(V2Calls.path(session.rawValue, "/message/\(prompt)")))
        #expect(gone.head.status == 404)
    }
}

import AgentModel
import Foundation
import SupervisorCore
import Testing
import Wire

/// Answers to what the agent asks, from a client through the real chat-bridge.
@Suite(.timeLimit(.minutes(1)), .serialized)
struct AnswerTests {
    private func asked(_ play: Play) throws -> (id: FrameID, session: String, turn: AgentPlay.Turn) {
        let (id, session, turn) = try play.handOver("/permission")
        play.agent.pending = ["per_1", "que_1"]
        try play.agent.tell(
            turn, .turnStarted(),
            .permissionAsked(
                PermissionAsk(id: "per_1", action: "bash", resources: ["ls"], always: ["ls *"], tool: "m/c")),
            .questionAsked(
                QuestionAsk(
                    id: "que_1",
                    questions: [.init(header: "h", question: "?", options: [], multiple: false, custom: true)])),
            to: play.bridge)
        try play.until("both to be asked") { $0.client.types(id).suffix(2) == ["permission", "question"] }
        let ask = try #require(play.client.events[id]?.first { $0["type"] as? String == "permission" })
        #expect(ask["action"] as? String == "bash" && ask["resources"] as? [String] == ["ls"])
        #expect(ask["always"] as? [String] == ["ls *"] && ask["tool"] as? String == "m/c")
        let question = try #require(play.client.last(id)["questions"] as? [[String: Any]])
        #expect(question[0]["custom"] as? Bool == true && question[0]["header"] as? String == "h")
        return (id, session, turn)
    }

    @Test func answers_reachTheAgentAndAreToldToWhoeverWatches() throws {
        let play = try Play()
        let (first, session, turn) = try asked(play)
        for (request, said) in [
            (
                #""id":"per_1","reply":"reject","message":"no""#,
                AgentRequest.answerPermission(session: turn.session, id: "per_1", reply: .reject, message: "no")
            ),
            (
                #""id":"que_1","answers":[["blue"]]"#,
                .answerQuestion(session: turn.session, id: "que_1", answers: [["blue"]])
            ),
        ] {
            let reply = try play.answer(#"{"op":"answer","session":"\#(session)",\#(request)}"#)
            #expect(reply.first?["type"] as? String == "taken")
            #expect(play.agent.answers.last == said)
        }
        try play.agent.tell(
            turn, .answered(Answered(id: "per_1", answer: .reject, by: .user)), .turnEnded(.done), to: play.bridge)
        try play.until("the end") { $0.client.finished.contains(first) }
        // Who comes later is told what was asked, and that it does not wait any more.
        let resumed = try play.answer(#"{"op":"resume","session":"\#(session)"}"#)
        let types = resumed.compactMap { $0["type"] as? String }
        #expect(types == ["accepted", "started", "permission", "question", "answered", "ended"])
        let answered = try #require(resumed.first { $0["type"] as? String == "answered" })
        #expect(answered["answer"] as? String == "reject" && answered["by"] as? String == "user")
    }

    @Test func answerThatNobodyWaitsFor_isUnknownInWords() throws {
        let play = try Play()
        let (_, session, _) = try asked(play)
        play.agent.pending = []
        let id = play.bridge.ask(#"{"op":"answer","session":"\#(session)","id":"que_1","reply":"dismiss"}"#)
        try play.until("the refusal") { $0.client.finished.contains(id) }
        #expect(play.client.failures[id] == "unknown")
        #expect(play.client.words[id]?.contains("does not wait") == true)
    }

    @Test(arguments: [
        (#""id":"per_1","reply":"dismiss""#, "a permission: it takes"),
        (#""id":"per_1","answers":[["a"]]"#, "a permission: it takes"),
        (#""id":"que_1","reply":"once""#, "a question: it takes"),
    ])
    func answerOfTheWrongKind_isRefusedInWords_andTheAskingWaits(members: String, words: String) throws {
        let play = try Play()
        let (_, session, _) = try asked(play)
        let id = play.bridge.ask(#"{"op":"answer","session":"\#(session)",\#(members)}"#)
        try play.until("the refusal") { $0.client.finished.contains(id) }
        #expect(play.client.failures[id] == "bad-request" && play.agent.answers.isEmpty)
        #expect(play.client.words[id]?.contains(words) == true, "\(play.client.words[id] ?? "")")
    }

    /// It was the user who ended the waiting.
    @Test func askingOfATurnThatTheUserStopped_isNotSaidToBeAnsweredElsewhere() throws {
        let play = try Play()
        let (id, session, turn) = try asked(play)
        let stop = play.bridge.ask(#"{"op":"abort","session":"\#(session)"}"#)
        try play.until("the stop at the agent") { $0.agent.aborted == [turn.session] }
        try play.agent.tell(
            turn, .answered(Answered(id: "per_1", answer: .unknown, by: .elsewhere)),
            .turnEnded(.interrupted(reason: "aborted")), to: play.bridge)
        try play.until("both ends") { $0.client.finished.isSuperset(of: [id, stop]) }
        let answered = try #require(play.client.events[id]?.first { $0["type"] as? String == "answered" })
        #expect(answered["answer"] as? String == "unknown" && answered["by"] as? String == "user")
    }

    @Test(arguments: [
        #""id":"per_1","reply":"perhaps""#, #""id":"per_1""#, #""reply":"once""#, #""id":"q","answers":["flat"]"#,
    ])
    func nonsense_isRefused(members: String) throws {
        let play = try Play()
        let (_, session, _) = try asked(play)
        let id = play.bridge.ask(#"{"op":"answer","session":"\#(session)",\#(members)}"#)
        try play.until("the refusal") { $0.client.finished.contains(id) }
        #expect(play.client.failures[id] == "bad-request")
        #expect(play.agent.answers.isEmpty)
    }
}

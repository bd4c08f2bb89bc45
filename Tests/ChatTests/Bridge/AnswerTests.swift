import AgentModel
import Foundation
import SupervisorCore
import Testing
import Wire

/// Answers to what the agent asks, from a client through the real chat-bridge.
@Suite(.timeLimit(.minutes(1)), .serialized)
struct AnswerTests {
    private func asked(
        _ play: Play, prompt: String? = nil
    ) throws -> (id: FrameID, session: String, turn: AgentPlay.Turn) {
        let (id, session, turn) = try play.handOver("/permission")
        play.agent.pending = ["per_1", "que_1"]
        try play.agent.tell(
            turn, .turnStarted(prompt: prompt),
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
        #expect(types == ["accepted", "started", "permission", "question", "answered", "answered", "notice", "ended"])
        let answered = try #require(resumed.first { $0["type"] as? String == "answered" })
        #expect(answered["answer"] as? String == "reject" && answered["by"] as? String == "user")
    }

    /// agent-worker ends between an answer and the agent's word on it.
    @Test func answerWhoseWordWasLost_isKnownWhenTheAgentEndsItsTurn() throws {
        let play = try Play()
        let (first, session, turn) = try asked(play)
        _ = try play.answer(#"{"op":"answer","session":"\#(session)","id":"per_1","reply":"once"}"#)
        try play.agent.tell(turn, .textDelta(block: "b", text: "It is done."), .turnEnded(.done), to: play.bridge)
        try play.until("the end") { $0.client.finished.contains(first) }
        let told = try play.answer(#"{"op":"history","session":"\#(session)"}"#).filter { $0["answer"] != nil }
        #expect(told.map { $0["id"] as? String } == ["per_1", "que_1"])
        #expect(told.map { $0["answer"] as? String } == ["once", "unknown"])
        #expect(told[0]["who"] as? String == "nexusctl" && told[1]["by"] as? String == "elsewhere")
    }

    /// In line v1 a plain refusal is the end of a turn, and nothing else of the agent's says so.
    @Test(arguments: [
        (Answered.Answer.reject, "when it was refused that"), (.dismissed, "when its question was put aside"),
    ])
    func turnThatEndsAtARefusal_saysSo_unlessTheAgentHasMoreToSay(answer: Answered.Answer, words: String) throws {
        for isSilent in [true, false] {
            let play = try Play()
            let (first, _, turn) = try asked(play)
            let failed = ToolCall(id: "c", name: "bash", status: .failed, title: "ls", output: "refused")
            try play.agent.tell(
                turn, .answered(Answered(id: "per_1", answer: answer, by: .user)), .tool(failed), to: play.bridge)
            if !isSilent { try play.agent.tell(turn, .textDelta(block: "b", text: "Well."), to: play.bridge) }
            try play.agent.tell(turn, .turnEnded(.done), to: play.bridge)
            try play.until("the end") { $0.client.finished.contains(first) }
            let notices = play.client.events[first]?.filter { $0["type"] as? String == "notice" } ?? []
            #expect(notices.map { ($0["text"] as? String)?.contains(words) } == (isSilent ? [true] : []))
        }
    }

    /// Who looks at the list sees which session needs him, also after a restart, and as it changes.
    @Test func sessionThatWaitsForAnAnswer_saysSoInTheList_untilNothingWaits() throws {
        let play = try Play()
        let (_, _, turn) = try asked(play, prompt: "msg_1")
        func asking() throws -> Int? { try play.answer(#"{"op":"list"}"#).first?["asking"] as? Int }
        #expect(try asking() == 2)
        let number = try #require(try play.answer(#"{"op":"list","numbered":true}"#).last?["number"] as? Int)
        let changes = play.bridge.ask(#"{"op":"changes","after":\#(number)}"#)
        try play.agent.tell(turn, .answered(Answered(id: "per_1", answer: .once, by: .user)), to: play.bridge)
        try play.until("the change of the list") { $0.client.last(changes)["asking"] as? Int == 1 }
        play.agent.remembersTurns = true
        try play.restart()
        #expect(try asking() == 1)
    }

    @Test func turnThatEnds_leavesNothingThatWaitsInTheList() throws {
        let play = try Play()
        let (first, _, turn) = try asked(play)
        try play.agent.tell(turn, .turnEnded(.done), to: play.bridge)
        try play.until("the end") { $0.client.finished.contains(first) }
        let list = try play.answer(#"{"op":"list"}"#)
        #expect(list.first?["state"] as? String == "done" && list.first?["asking"] == nil, "\(list)")
    }

    /// Who has read that leave was given finds it again, whatever is killed in the next moment.
    @Test func answerThatWasShown_outlivesAKillInThatMoment() throws {
        let play = try Play()
        let (first, session, turn) = try asked(play)
        _ = try play.answer(#"{"op":"answer","session":"\#(session)","id":"per_1","reply":"once"}"#)
        try play.agent.tell(turn, .answered(Answered(id: "per_1", answer: .once, by: .user)), to: play.bridge)
        try play.until("the answer to be shown") { $0.client.types(first).contains("answered") }
        try play.restart()
        let told = try play.answer(#"{"op":"history","session":"\#(session)"}"#)
        let answered = try #require(told.first { $0["type"] as? String == "answered" })
        #expect(answered["answer"] as? String == "once" && answered["who"] as? String == "nexusctl")
    }

    /// Own words may be a secret: what was offered is kept of an answer, and that there were others.
    @Test func historyAndExport_tellWhatWasAsked_whoAnswered_andWhatWasChosen() throws {
        let play = try Play()
        let (first, session, turn) = try play.handOver("/question")
        play.agent.pending = ["per_1", "que_1", "per_2"]
        let options = ["SQLite", "Postgres"].map { QuestionAsk.Option(label: $0, description: "") }
        let question = QuestionAsk.Question(
            header: "", question: "Which?", options: options, multiple: true, custom: true)
        try play.agent.tell(
            turn, .turnStarted(), .permissionAsked(PermissionAsk(id: "per_1", action: "bash", resources: ["ls"])),
            .questionAsked(QuestionAsk(id: "que_1", questions: [question])),
            .permissionAsked(PermissionAsk(id: "per_2", action: "edit", resources: ["a"])), to: play.bridge)
        try play.until("all to be asked") { $0.client.types(first).count { $0 == "permission" } == 2 }
        _ = try play.answer(#"{"op":"answer","session":"\#(session)","id":"per_1","reply":"once"}"#)
        _ = try play.answer(
            #"{"op":"answer","session":"\#(session)","id":"que_1","answers":[["hunter2","SQLite"]]}"#)
        try play.agent.tell(
            turn, .answered(Answered(id: "per_1", answer: .once, by: .user)),
            .answered(Answered(id: "que_1", answer: .answered, by: .user)),
            .answered(Answered(id: "per_2", answer: .reject, by: .default)), .turnEnded(.done), to: play.bridge)
        try play.until("the end") { $0.client.finished.contains(first) }
        for request in [#""op":"history""#, #""op":"open""#] {
            let told = try play.answer(#"{\#(request),"session":"\#(session)"}"#)
                .filter { !["position", "turn"].contains($0["type"] as? String) }
            #expect(
                told.compactMap { $0["type"] as? String } == [
                    "permission", "question", "permission", "answered", "answered", "answered", "notice",
                ])
            #expect(told.dropLast().allSatisfy { $0["seq"] == nil && $0["id"] != nil })
            #expect(told.compactMap { $0["who"] as? String } == ["nexusctl", "nexusctl"])
            let chosen = try #require(told[4]["chosen"] as? [[Any]])
            #expect(chosen.count == 1 && chosen[0][0] as? String == "SQLite" && chosen[0][1] is NSNull)
        }
        let text = try play.answer(#"{"op":"export","session":"\#(session)","format":"markdown"}"#)
            .compactMap { $0["text"] as? String }.joined()
        for words in [
            "*Leave for bash: Allowed once by nexusctl*\n\n```\nls\n```\n",
            "*Question: Answered: SQLite, own words by nexusctl*\n\n```\nWhich?\n- SQLite\n- Postgres\n```\n",
            "*Leave for edit: Not allowed, because nobody answered in time*",
        ] { #expect(text.contains(words), "\(words) in \(text)") }
        let files = try FileManager.default.contentsOfDirectory(atPath: play.directory)
            .filter { $0.hasPrefix("chat.sqlite") }
        for file in files {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: play.directory + "/" + file))
            #expect(bytes.range(of: Data("hunter2".utf8)) == nil, "\(file)")
        }
    }

    @Test func export_saysOfWhatStillWaitsThatItDoes() throws {
        let play = try Play()
        let (first, session, turn) = try asked(play)
        func text() throws -> String {
            try play.answer(#"{"op":"export","session":"\#(session)","format":"markdown"}"#)
                .compactMap { $0["text"] as? String }.joined()
        }
        // What was asked goes to the store with its batch.
        var waits = try text()
        while !waits.contains("Question") { waits = try text() }
        #expect(waits.contains("*Leave for bash: Waits for an answer*") && !waits.contains("Not answered"), "\(waits)")
        try play.agent.tell(turn, .turnEnded(.interrupted(reason: "x")), to: play.bridge)
        try play.until("the end") { $0.client.finished.contains(first) }
        let over = try text()
        #expect(over.contains("*Leave for bash: Not answered*") && !over.contains("Waits"), "\(over)")
    }

    private func choice(_ play: Play) throws -> (id: FrameID, session: String, turn: AgentPlay.Turn) {
        let (first, session, turn) = try play.handOver("/question")
        play.agent.pending = ["que_1"]
        let options = ["red", "blue"].map { QuestionAsk.Option(label: $0, description: "") }
        let question = QuestionAsk.Question(
            header: "", question: "Which?", options: options, multiple: false, custom: false)
        try play.agent.tell(
            turn, .turnStarted(), .questionAsked(QuestionAsk(id: "que_1", questions: [question])), to: play.bridge)
        try play.until("the question") { $0.client.types(first).last == "question" }
        return (first, session, turn)
    }

    private func give(_ label: String, _ session: String, _ play: Play) -> FrameID {
        play.bridge.ask(#"{"op":"answer","session":"\#(session)","id":"que_1","answers":[["\#(label)"]]}"#)
    }

    /// What was chosen as the history tells it, and as the agent had it.
    private func chosen(_ play: Play, _ session: String) throws -> [[[String]]?] {
        let told = try play.answer(#"{"op":"history","session":"\#(session)"}"#)
        return try told.filter { $0["type"] as? String == "answered" }.map {
            try #require($0["chosen"] as? [[String]]?)
        }
    }

    @Test func twoAnswersAtOnce_theOneThatTheAgentTookIsTold_andTheOtherIsUnknown() throws {
        let play = try Play()
        let (first, session, turn) = try choice(play)
        let both = ["red", "blue"].map { give($0, session, play) }
        try play.until("both ends") { $0.client.finished.isSuperset(of: both) }
        #expect(both.compactMap { play.client.failures[$0] } == ["unknown"])
        #expect(both.compactMap { play.client.words[$0] }.allSatisfy { $0.contains("another one came first") })
        let taken = try #require(both.first { play.client.failures[$0] == nil })
        let label = taken == both[0] ? "red" : "blue"
        #expect(
            play.agent.answers == [.answerQuestion(session: turn.session, id: "que_1", answers: [[label]])])
        try play.agent.tell(
            turn, .answered(Answered(id: "que_1", answer: .answered, by: .user)), .turnEnded(.done), to: play.bridge)
        try play.until("the end") { $0.client.finished.contains(first) }
        #expect(try chosen(play, session) == [[[label]]])
    }

    @Test func answerThatTheAgentRefused_leavesNoTrace_andTheNextIsTaken() throws {
        let play = try Play()
        let (first, session, turn) = try choice(play)
        play.agent.objection = "only one answer is taken"
        let refused = give("red", session, play)
        try play.until("the refusal") { $0.client.finished.contains(refused) }
        #expect(play.client.failures[refused] == "failed")
        #expect(play.client.words[refused]?.contains("did not take the answer, and que_1 waits on") == true)
        let taken = give("blue", session, play)
        try play.until("the other") { $0.client.finished.contains(taken) }
        #expect(play.client.failures[taken] == nil)
        try play.agent.tell(
            turn, .answered(Answered(id: "que_1", answer: .answered, by: .user)), .turnEnded(.done), to: play.bridge)
        try play.until("the end") { $0.client.finished.contains(first) }
        #expect(try chosen(play, session) == [[["blue"]]])
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

import AgentModel
import Testing

@testable import OpenCode

/// What the agent asks, who answers it, and what happens when nobody does.
struct TurnAskingTests {
    private typealias Turn = TurnUnderTest

    private let permission = PermissionAsk(id: "per_1", action: "bash", resources: ["rm -rf build"])
    private let question = QuestionAsk(
        id: "que_1",
        questions: [
            .init(
                header: "Database", question: "Which database?",
                options: [.init(label: "SQLite", description: ""), .init(label: "Postgres", description: "")],
                multiple: false, custom: false)
        ])

    private func asked(_ policy: AnswerPolicy = AnswerPolicy()) -> TurnUnderTest {
        var turn = TurnUnderTest()
        turn.reducer = TurnReducer(prompt: "msg_1", policy: policy)
        turn.tell(Turn.user, .busy, Turn.assistant(), .permission(permission))
        return turn
    }

    @Test func permission_isShownOnceAndHoldsTheEnd() {
        var turn = asked()
        turn.reread([Turn.assistant("msg_2", .finished)], permissions: [permission])
        turn.reread([Turn.assistant("msg_2", .finished)], permissions: [permission])
        #expect(turn.screen.asked == ["per_1"])
        #expect(turn.screen.outcome == nil)
        turn.reread([Turn.assistant("msg_2", .finished)])
        #expect(turn.screen.outcome == .done)
    }

    @Test func answerOfTheUser_isHisOnce() {
        var turn = asked()
        let said = Answered(id: "per_1", answer: .always, by: .user)
        turn.tell(.answering(said), .answered(id: "per_1", .always), .taken(said), .answered(id: "per_1", .always))
        turn.reread(busy: true)
        #expect(turn.screen.answered == [said])
        // The reply came first, or the end of the turn.
        turn = asked()
        turn.tell(.answering(said), .taken(said), .answered(id: "per_1", .always))
        #expect(turn.screen.answered == [said])
        turn = asked()
        turn.tell(.answering(said), .answered(id: "per_1", .always))
        turn.reread([Turn.assistant("msg_2", .finished)])
        #expect(turn.screen.answered == [said] && turn.screen.outcome == .done)
    }

    @Test func answerOfAnotherClient_isFromElsewhere() {
        var turn = asked()
        turn.tell(.answered(id: "per_1", .reject))
        #expect(turn.screen.answered == [Answered(id: "per_1", answer: .reject, by: .elsewhere)])
        // Two at the same time: the server's word counts.
        turn = asked()
        turn.tell(.answering(Answered(id: "per_1", answer: .once, by: .user)), .answered(id: "per_1", .reject))
        #expect(turn.screen.answered == [Answered(id: "per_1", answer: .reject, by: .elsewhere)])
    }

    /// The event tells what was said, and nobody by whom: the server's reply to ours does.
    @Test func sameAnswerOfAnotherClient_isFromElsewhere_whenOursIsRefused() {
        for answer in [Answered.Answer.once, .always] {
            let said = Answered(id: "per_1", answer: answer, by: .user)
            var turn = asked()
            turn.tell(.answering(said), .answered(id: "per_1", answer))
            turn.reread(busy: true)
            #expect(turn.screen.answered == [])
            turn.tell(.notAnswered(said))
            #expect(turn.screen.answered == [Answered(id: "per_1", answer: answer, by: .elsewhere)])
        }
        var turn = asked()
        turn.tell(.question(question))
        let said = Answered(id: "que_1", answer: .answered, by: .user)
        turn.tell(.answering(said), .answered(id: "que_1", .answered), .notAnswered(said))
        #expect(turn.screen.answered == [Answered(id: "que_1", answer: .answered, by: .elsewhere)])
    }

    /// Each is told before it goes out; the server takes one, and says no to the others.
    @Test func devicesThatAnswerAtOnce_areUsersAllTheSame() {
        let said = [PermissionReply.once, .reject, .always].map {
            Answered(id: "per_1", answer: .init($0), by: .user)
        }
        for taken in said {
            var turn = asked()
            turn.tell(.answering(said[0]), .answering(said[1]), .answering(said[2]))
            turn.tell(.answered(id: "per_1", taken.answer))
            for other in said where other != taken { turn.tell(.notAnswered(other)) }
            turn.tell(.taken(taken))
            #expect(turn.screen.answered == [taken])
            // The event was lost: who was refused does not take away whose it was.
            turn = asked()
            turn.tell(.answering(said[0]), .answering(said[1]), .answering(said[2]))
            for other in said where other != taken { turn.tell(.notAnswered(other)) }
            turn.reread(busy: true)
            #expect(turn.screen.answered == [taken])
        }
        var turn = asked()
        turn.tell(.answering(said[0]), .answering(said[1]))
        turn.reread(busy: true)
        #expect(turn.screen.answered == [Answered(id: "per_1", answer: .unknown, by: .user)])
    }

    @Test func answerThatTheServerDidNotTake_isNone() {
        var turn = asked()
        let said = Answered(id: "per_1", answer: .once, by: .user)
        turn.tell(.answering(said), .notAnswered(said))
        turn.reread(busy: true, permissions: [permission])
        #expect(turn.screen.answered == [])
    }

    @Test func lostEvent_isMadeUpForByTheReread() {
        var turn = asked()
        turn.reread(busy: true)
        #expect(turn.screen.answered == [Answered(id: "per_1", answer: .unknown, by: .elsewhere)])
        turn = asked()
        let said = Answered(id: "per_1", answer: .once, by: .user)
        turn.tell(.answering(said))
        turn.reread(busy: true)
        #expect(turn.screen.answered == [said])
    }

    @Test(arguments: [PermissionReply.reject, .once])
    func nobody_isAnsweredForByTheDefault(reply: PermissionReply) {
        var turn = asked(AnswerPolicy(permission: reply, timeout: .seconds(90)))
        turn.tell(.question(question))
        turn.tick(after: .seconds(89))
        #expect(turn.defaults.isEmpty)
        turn.tick(after: .seconds(1))
        let expected: [String: PermissionReply?] = ["per_1": reply, "que_1": nil]
        #expect(turn.defaults == expected)
        turn.tick(after: .seconds(1))
        // Somebody may be faster.
        #expect(turn.screen.notices.isEmpty)
        turn.tell(.answered(id: "per_1", .init(reply)), .answered(id: "que_1", .dismissed))
        #expect(turn.screen.answered.map(\.by) == [.default, .default])
        #expect(turn.screen.notices.count == 2)
        #expect(turn.screen.notices.allSatisfy { $0.contains("90 s") })
        #expect(turn.aborts == 0)
    }

    /// Both go out at once, and the server takes one of them.
    @Test(arguments: [PermissionReply.once, .reject])
    func answerAtTheTimeLimit_isHis_orNobodysInTime(reply: PermissionReply) {
        let said = Answered(id: "per_1", answer: .init(reply), by: .user)
        let byDefault = Answered(id: "per_1", answer: .reject, by: .default)
        var turn = asked()
        turn.tick(after: .seconds(600))
        turn.tell(.answered(id: "per_1", .reject), .answering(said), .notAnswered(said))
        turn.reread(busy: true)
        #expect(turn.screen.answered == [byDefault] && turn.screen.notices.count == 1)
        // He was faster, whether or not the event comes before the state is read.
        for isTold in [true, false] {
            turn = asked()
            turn.tick(after: .seconds(600))
            let rereads = turn.rereads
            turn.tell(.notAnswered(byDefault))
            #expect(turn.rereads == rereads + 1)
            turn.tell(.answering(said))
            if isTold { turn.tell(.answered(id: "per_1", said.answer)) }
            turn.reread(busy: true)
            turn.tell(.taken(said), .answered(id: "per_1", said.answer))
            #expect(turn.screen.answered == [said] && turn.screen.notices.isEmpty)
        }
    }

    /// The event and the reply were lost: nobody else said anything.
    @Test func defaultOfWhichNothingIsHeard_isTheOneThatWasTaken() {
        var turn = asked()
        turn.tick(after: .seconds(600))
        turn.reread(busy: true)
        #expect(turn.screen.answered == [Answered(id: "per_1", answer: .reject, by: .default)])
        #expect(turn.screen.notices.count == 1)
    }

    @Test func whatIsSaidHere_comesBeforeWhatTheServerSaysOfIt() async {
        let inbox = TurnInbox()
        let said = TurnFact.answering(Answered(id: "per_1", answer: .once, by: .user))
        inbox.post([.answered(id: "per_1", .once)])
        inbox.post(said: said)
        #expect(await inbox.next() == .fact(said))
        #expect(await inbox.next() == .fact(.answered(id: "per_1", .once)))
        inbox.post(said: said)
        #expect(inbox.takeSaid(to: []) == [said] && inbox.takeSaid(to: []).isEmpty)
    }

    /// A re-read shows that nobody waits any more while the event that says why is not handled yet.
    @Test func eventOfAnAnswer_isKnownBeforeWhatARereadShows() async {
        let inbox = TurnInbox()
        let (mine, other) = (TurnFact.answered(id: "per_1", .reject), TurnFact.answered(id: "per_2", .once))
        inbox.post([.busy, mine, .permission(permission), other])
        let said = TurnFact.answering(Answered(id: "per_1", answer: .once, by: .user))
        inbox.post(said: said)
        #expect(inbox.takeSaid(to: ["per_1"]) == [said, mine])
        // What is asked in an event that waits itself is answered behind it.
        for fact in [.busy, .permission(permission), other] { #expect(await inbox.next() == .fact(fact)) }
        var turn = asked()
        turn.tell(mine)
        turn.reread(busy: true)
        #expect(turn.screen.answered == [Answered(id: "per_1", answer: .reject, by: .elsewhere)])
    }

    /// In 2.x a plain no ends the turn as a stop does.
    @Test func turnThatANoEnded_saysSo_andOneThatWentOnBehindIt_wasStopped() {
        var turn = asked()
        let said = Answered(id: "per_1", answer: .reject, by: .user)
        turn.tell(.answering(said), .answered(id: "per_1", .reject), .taken(said))
        var other = turn
        turn.reread([Turn.assistant("msg_2", .failed(.stopped))])
        #expect(
            turn.screen.outcome
                == .interrupted(reason: "The agent may not use bash, and without that it ended the turn."))
        other.reread([Turn.assistant("msg_2", .toolCalls), Turn.assistant("msg_3", .failed(.stopped))])
        #expect(other.screen.outcome == .interrupted(reason: "The turn was stopped."))
    }

    @Test func defaultThatIsNotTaken_stopsTheTurnOnce() {
        var turn = asked()
        turn.tick(after: .seconds(600))
        turn.tick(after: Limits.defaultAnswerTime - .seconds(1))
        #expect(turn.aborts == 0)
        turn.tick(after: .seconds(1))
        turn.tick(after: .seconds(1))
        #expect(turn.aborts == 1)
        #expect(turn.screen.notices.last?.contains("the turn is stopped") == true)
    }

    @Test(arguments: [
        ([["SQLite"]], true), ([["sqlite"]], false), ([["SQLite", "Postgres"]], false), ([], false), ([[]], true),
    ])
    func answers_areCheckedBeforeTheyGoOut(answers: [[String]], areTaken: Bool) {
        #expect((question.objection(to: answers) == nil) == areTaken)
    }
}

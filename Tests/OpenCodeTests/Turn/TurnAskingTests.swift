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
        turn.tell(.answering(said), .answered(id: "per_1", .always), .answered(id: "per_1", .always))
        turn.reread(busy: true)
        #expect(turn.screen.answered == [said])
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
        #expect(turn.screen.notices.count == 2)
        #expect(turn.screen.notices.allSatisfy { $0.contains("90 s") })
        turn.tick(after: .seconds(1))
        #expect(turn.screen.notices.count == 2)
        turn.tell(.answered(id: "per_1", .init(reply)), .answered(id: "que_1", .dismissed))
        #expect(turn.screen.answered.map(\.by) == [.default, .default])
        #expect(turn.aborts == 0)
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

import AgentModel
import Testing

@testable import OpenCode

/// When a turn is over, and how.
struct TurnEndTests {
    private typealias Turn = TurnUnderTest

    private func started() -> TurnUnderTest {
        var turn = TurnUnderTest()
        turn.tell(Turn.user, .busy, Turn.assistant())
        return turn
    }

    @Test func idleEvent_onlyAsksForTheState() {
        var turn = started()
        turn.tell(Turn.assistant("msg_2", .finished), .idle)
        #expect(turn.screen.outcome == nil)
        #expect(turn.rereads == 1)
        turn.reread([Turn.assistant("msg_2", .finished)])
        #expect(turn.screen.outcome == .done)
    }

    @Test func listsThatMayBeLost_areReadBackOnce() {
        var turn = started()
        let todos = [Todo(content: "it", status: .pending, priority: "high")]
        #expect(!turn.reducer.mayLackLists)
        turn.miss()
        #expect(turn.reducer.mayLackLists)
        turn.reread([.todos(todos), .changes([])], busy: true)
        #expect(!turn.reducer.mayLackLists && turn.screen.todos == [todos] && turn.screen.changes.isEmpty)
    }

    /// 1.1 tells which files a turn changed behind its word that the session rests: the end does not wait for events.
    @Test func listsThatComeBehindTheRest_areReadBeforeTheEnd() {
        let change = FileChange(path: "a.txt", status: .modified, additions: 1, deletions: 0, patch: "")
        var turn = started()
        turn.tell(Turn.assistant("msg_2", .finished), .idle)
        #expect(turn.reducer.mayLackLists)
        turn.reread([Turn.assistant("msg_2", .finished), .changes([change])])
        #expect(turn.screen.outcome == .done && turn.screen.changes == [[change]])
        // To read of none takes nothing away.
        turn = started()
        turn.tell(Turn.assistant("msg_2", .finished), .changes([change]), .idle)
        turn.reread([Turn.assistant("msg_2", .finished), .changes([]), .todos([])])
        #expect(turn.screen.outcome == .done && turn.screen.changes == [[change]])
    }

    @Test func noticeFirstSeenInAReread_isToldOnce() {
        var turn = started()
        turn.reread([.notice("compacted")], busy: true)
        turn.tell(.notice("compacted"))
        #expect(turn.screen.notices == ["compacted"])
    }

    @Test func usage_isTheSumOfTheTurnsMessages_subagentsIncluded() {
        var turn = started()
        turn.tell(.usage(Usage(), message: "msg_2"), .usage(Usage(input: 9), message: "msg_0"))
        #expect(turn.screen.used.isEmpty)
        turn.tell(.usage(Usage(input: 5, output: 1, cost: 0.5, model: "p/a"), message: "msg_2"))
        turn.tell(.usage(Usage(output: 2, cost: 0.25, model: "p/b"), message: "msg_3"))
        turn.reread(
            [Turn.assistant("msg_2"), .usage(Usage(output: 2, cost: 0.25, model: "p/b"), message: "msg_3")], busy: true)
        #expect(turn.screen.used.map(\.tokens) == [6, 8])
        #expect(turn.screen.used.last == Usage(input: 5, output: 3, cost: 0.75, model: "p/b"))
    }

    @Test func idleBetweenTwoSteps_goesOn() {
        var turn = started()
        turn.tell(Turn.assistant("msg_2", .toolCalls), .idle)
        turn.reread([Turn.assistant("msg_2", .toolCalls)])
        turn.tick(after: .seconds(1))
        turn.tell(.busy, Turn.assistant("msg_3"))
        turn.tick(after: .seconds(10))
        #expect(turn.screen.outcome == nil)
        turn.tell(Turn.assistant("msg_3", .finished), .idle)
        turn.reread([Turn.assistant("msg_3", .finished)])
        #expect(turn.screen.outcome == .done)
    }

    @Test func restAfterToolCalls_isTheEndAfterAWhile() {
        var turn = started()
        turn.reread([Turn.assistant("msg_2", .toolCalls)])
        turn.now = Limits.idleTime
        turn.reread([Turn.assistant("msg_2", .toolCalls)])
        #expect(turn.screen.outcome == .done)
    }

    /// No further step comes behind a plain no; one with words is gone on from.
    @Test func restAfterAPlainNo_isTheEndAtOnce_andAfterOneWithWordsNot() {
        for isExplained in [false, true] {
            var turn = started()
            turn.tell(.permission(PermissionAsk(id: "per_1", action: "bash", resources: [])))
            let said = Answered(id: "per_1", answer: .reject, by: .user)
            if isExplained { turn.tell(.explaining(id: "per_1")) }
            turn.tell(.answering(said), .taken(said), .idle)
            turn.reread([Turn.assistant("msg_2", .toolCalls)])
            #expect(turn.screen.outcome == (isExplained ? nil : .done))
        }
    }

    @Test func unfinishedAtRest_isInterruptedAfterAWhile() {
        var turn = started()
        turn.reread([Turn.assistant()])
        #expect(turn.screen.outcome == nil)
        turn.now = Limits.idleTime
        turn.reread([Turn.assistant()])
        guard case .interrupted = turn.screen.outcome else { return #expect(Bool(false), "\(turn.screen)") }
    }

    @Test func unfinishedAfterALostConnection_isInterruptedAtOnce() {
        var turn = started()
        turn.tell(Turn.text("Hel"))
        turn.miss()
        #expect(turn.rereads == 1)
        turn.reread([Turn.assistant(), Turn.text("")])
        guard case .interrupted(let why) = turn.screen.outcome else { return #expect(Bool(false), "\(turn.screen)") }
        #expect(why.contains("kept"))
        #expect(turn.screen.wholeText == "Hel")
    }

    @Test func lostEvents_turnIsEndedByTheQuietTime() {
        var turn = started()
        turn.tick(after: Limits.quietTime - .seconds(1))
        #expect(turn.rereads == 0)
        turn.tick(after: .seconds(1))
        #expect(turn.rereads == 1)
        turn.reread([Turn.assistant("msg_2", .finished), Turn.text("all of it", complete: true)])
        #expect(turn.screen.outcome == .done)
        #expect(turn.screen.wholeText == "all of it")
    }

    @Test func busyChild_isNotTheEnd() {
        var turn = started()
        turn.reread([Turn.assistant("msg_2", .finished)], busy: true)
        #expect(turn.screen.outcome == nil)
    }

    @Test func oldAnswers_doNotCount() {
        var turn = TurnUnderTest()
        turn.tell(Turn.user)
        turn.reread([Turn.assistant("msg_0", .finished)])
        #expect(turn.screen.outcome == nil)
    }

    @Test func abort_isInterrupted() {
        var turn = started()
        let abort = AgentProblem(isAbort: true, words: "The turn was stopped.")
        turn.tell(.problem(abort))
        turn.reread([Turn.assistant("msg_2", .failed(abort))])
        guard case .interrupted = turn.screen.outcome else { return #expect(Bool(false), "\(turn.screen)") }
    }

    @Test func problemWithoutAnswer_isFailedInItsWords() {
        var turn = TurnUnderTest()
        turn.tell(Turn.user, .problem(AgentProblem(isAbort: false, words: "no such model")), .idle)
        turn.reread([Turn.user])
        #expect(turn.screen.outcome == .failed(reason: "no such model"))
    }

    @Test func promptThatIsNowhere_isFailed() {
        var turn = TurnUnderTest()
        turn.reread()
        turn.now = Limits.beginTime
        turn.reread()
        guard case .failed(let why) = turn.screen.outcome else { return #expect(Bool(false), "\(turn.screen)") }
        #expect(why.contains("Send it again"))
    }

    @Test func cutAnswer_isDoneAndSaysSo() {
        var turn = started()
        turn.reread([Turn.assistant("msg_2", .cut)])
        #expect(turn.screen.outcome == .done)
        #expect(turn.screen.notices.count == 1)
    }

    @Test func unreadableServer_isGivenUpAfterItsTime() {
        var turn = started()
        turn.take(turn.reducer.rereadFailed("it did not answer in time", at: turn.now))
        turn.now += Limits.lostTime - .seconds(1)
        turn.take(turn.reducer.rereadFailed("it did not answer in time", at: turn.now))
        #expect(turn.screen.outcome == nil)
        turn.now += .seconds(1)
        turn.take(turn.reducer.rereadFailed("it did not answer in time", at: turn.now))
        guard case .interrupted(let why) = turn.screen.outcome else { return #expect(Bool(false), "\(turn.screen)") }
        #expect(why.contains("in time"))
    }

    @Test func retry_isSaidOnceAnAttempt() {
        var turn = started()
        turn.tell(.retrying(attempt: 1, words: "overloaded"), .retrying(attempt: 1, words: "overloaded"))
        turn.tell(.retrying(attempt: 2, words: "overloaded"))
        #expect(turn.screen.notices.count == 2)
    }

    @Test func deniedState_isFailedOrAfterALossInterrupted() {
        var turn = started()
        turn.take(turn.reducer.denied("unknown session"))
        #expect(turn.screen.outcome == .failed(reason: "unknown session"))
        turn = started()
        turn.miss()
        turn.take(turn.reducer.denied("unknown session."))
        guard case .interrupted(let why) = turn.screen.outcome else { return #expect(Bool(false), "\(turn.screen)") }
        #expect(why.hasPrefix("unknown session. ") && why.contains("kept"))
    }

    @Test func goneProcess_isInterruptedAndNothingComesAfterwards() {
        var turn = started()
        turn.take(turn.reducer.gone("opencode ended"))
        #expect(turn.screen.outcome == .interrupted(reason: "opencode ended"))
        turn.tell(Turn.text("late"), .idle)
        turn.tick(after: .seconds(100))
        turn.take(turn.reducer.denied("late"))
        #expect(turn.screen.outcome == .interrupted(reason: "opencode ended"))
        #expect(turn.screen.wholeText == "")
        #expect(turn.rereads == 0)
    }
}

import AgentModel
import Chance
import Testing

@testable import OpenCode

/// Text that is shown is never lost and never doubled, whatever is lost on the way.
struct TurnTextTests {
    private typealias Turn = TurnUnderTest

    private func started() -> TurnUnderTest {
        var turn = TurnUnderTest()
        turn.tell(Turn.user, Turn.assistant())
        return turn
    }

    @Test func deltas_areShownAsTheyCome() {
        var turn = started()
        turn.tell(Turn.text(""), Turn.delta("Hel"), Turn.delta("lo"))
        #expect(turn.screen.text == ["prt_1": "Hello"])
        turn.tell(Turn.text("Hello", complete: true))
        #expect(turn.screen.text == ["prt_1": "Hello"])
    }

    @Test func usersOwnText_isNotShown() {
        var turn = TurnUnderTest()
        turn.tell(Turn.user, Turn.text("my prompt", complete: true, in: "msg_1"))
        turn.tell(.message(MessageFact(id: "msg_15", author: .user, end: nil)))
        turn.tell(Turn.text("continue", complete: true, in: "msg_15"))
        #expect(turn.screen.text.isEmpty)
    }

    @Test func hiddenText_isNotShown() {
        var turn = started()
        turn.tell(.block(BlockFact(id: "h", message: "msg_2", kind: .hidden, text: "secret", isComplete: true)))
        turn.tell(Turn.delta("x", block: "h"))
        #expect(turn.screen.text.isEmpty)
    }

    @Test func gap_appendsNothingUntilTheBlockComesWhole() {
        var turn = started()
        turn.tell(Turn.text(""), Turn.delta("One "))
        turn.miss()
        turn.tell(Turn.delta("three "))
        #expect(turn.screen.text == ["prt_1": "One "])
        turn.tell(Turn.text("One two three ", complete: true))
        #expect(turn.screen.text == ["prt_1": "One two three "])
    }

    @Test func rereadThenWaitingDeltas_doNotDouble() {
        var turn = started()
        turn.tell(Turn.text(""), Turn.delta("One "))
        turn.miss(connectionLost: false)
        turn.reread([Turn.assistant("msg_2", .finished), Turn.text("One two", complete: true)], busy: true)
        turn.tell(Turn.text(""), Turn.delta("One "), Turn.delta("two"))
        #expect(turn.screen.text == ["prt_1": "One two"])
    }

    @Test func rereadOfAnOpenBlock_takesNothingBack() {
        var turn = started()
        turn.tell(Turn.text(""), Turn.delta("One "))
        turn.reread([Turn.assistant(), Turn.text("")], busy: true)
        turn.tell(Turn.delta("two"))
        #expect(turn.screen.text == ["prt_1": "One two"])
    }

    @Test func whatWasHeardWhileNobodyListened_isTold_andGoesOn() {
        var left = started()
        left.tell(Turn.text(""), Turn.reasoning(""), Turn.delta("One "), Turn.delta("I ", block: "prt_r"))
        var turns = LeftTurns()
        turns.leave(left.reducer, of: "s")
        turns.hear([Turn.delta("two "), Turn.delta("think ", block: "prt_r"), Turn.delta("x", block: "none")], of: "s")
        turns.hear([Turn.delta("of another")], of: "other")
        #expect(turns.take("s", prompt: "msg_0").isEmpty, "another turn's")
        turns.leave(left.reducer, of: "s")
        turns.hear([Turn.delta("two "), Turn.delta("think ", block: "prt_r")], of: "s")
        let heard = turns.take("s", prompt: "msg_1")
        #expect(turns.take("s", prompt: "msg_1").isEmpty, "taken once")
        var turn = started()
        turn.miss()
        turn.reread([Turn.assistant(), Turn.text(""), Turn.reasoning("I ")], busy: true)
        turn.take(turn.reducer.recall(heard))
        turn.tell(Turn.delta("three"), Turn.delta("so", block: "prt_r"))
        #expect(turn.screen.text == ["prt_1": "One two three"])
        #expect(turn.screen.reasoning == ["prt_r": "I think so"])
        turn.tell(Turn.text("One two three", complete: true))
        #expect(turn.screen.text == ["prt_1": "One two three"])
    }

    /// What was read back is never taken back by what was heard before.
    @Test func whatWasHeard_isLeftOut_whereTheServerKnowsMore() {
        var left = started()
        left.tell(Turn.text(""), Turn.delta("One "))
        for (read, isComplete) in [("One two", true), ("One two", false), ("Another", false)] {
            var turn = started()
            turn.miss()
            turn.reread([Turn.assistant(), Turn.text(read, complete: isComplete)], busy: true)
            turn.take(turn.reducer.recall(left.reducer.blocks))
            turn.tell(Turn.delta("lost"))
            #expect(turn.screen.text == ["prt_1": read])
        }
        // Of one in which something was missed nothing goes on either.
        left.miss()
        var turn = started()
        turn.take(turn.reducer.recall(left.reducer.blocks))
        #expect(turn.screen.text.isEmpty)
    }

    /// As when nothing could be read back at once: what came until then was not heard.
    @Test func whatWasHeard_isLeftOut_whileThePromptIsNotKnown() {
        var left = started()
        left.tell(Turn.text(""), Turn.delta("One "))
        var turn = TurnUnderTest()
        turn.reducer = TurnReducer(prompt: "msg_1", order: .byArrival)
        turn.take(turn.reducer.recall(left.reducer.blocks))
        turn.tell(Turn.delta("two "), Turn.user, Turn.assistant(), Turn.delta("three"))
        #expect(turn.screen.text.isEmpty, "no hole in it")
    }

    @Test func leftTurns_areBounded_andForgotten() {
        var turns = LeftTurns()
        let left = started()
        for index in 0...Limits.leftTurns { turns.leave(left.reducer, of: "s\(index)") }
        turns.hear([Turn.text("kept")], of: "s0")
        turns.hear([Turn.text("kept")], of: "s1")
        turns.hear([Turn.text("kept")], of: "s2")
        #expect(turns.take("s0", prompt: "msg_1").isEmpty, "the oldest")
        #expect(turns.take("s1", prompt: "msg_1").count == 1)
        turns.forgetAll()
        #expect(turns.take("s2", prompt: "msg_1").isEmpty)
    }

    @Test func unknownBlocksDelta_asksForTheState() {
        var turn = started()
        turn.tell(Turn.delta("lost beginning"))
        #expect(turn.rereads == 1)
        turn.reread([Turn.assistant(), Turn.text("")], busy: true)
        turn.tell(Turn.delta(" and more"))
        #expect(turn.screen.text.isEmpty)
        turn.tell(Turn.text("The lost beginning and more", complete: true))
        #expect(turn.screen.text == ["prt_1": "The lost beginning and more"])
    }

    /// 1.1 sends the whole text each time, and no deltas.
    @Test func growingWholeBlocks_areShownAsTheyGrow() {
        var turn = started()
        turn.tell(Turn.text("Here"), Turn.text("Here we"), Turn.text("Here we"), Turn.text("Here we go"))
        #expect(turn.screen.text == ["prt_1": "Here we go"])
        turn.tell(Turn.text("Here we go", complete: true))
        #expect(turn.screen.text == ["prt_1": "Here we go"])
    }

    @Test func changedText_replacesWhatWasShown() {
        var turn = started()
        turn.tell(Turn.text("Helo"), Turn.text("Hello"))
        #expect(turn.screen.text == ["prt_1": "Hello"])
    }

    @Test func combiningMarkInItsOwnDelta_isNotLost() {
        var turn = started()
        turn.tell(Turn.text(""), Turn.delta("e"), Turn.delta("\u{301}"), Turn.delta("🇩"), Turn.delta("🇪"))
        #expect(turn.screen.text == ["prt_1": "e\u{301}🇩🇪"])
        turn.tell(Turn.reasoning(""), .delta(block: "prt_r", message: "msg_2", text: "e"))
        turn.miss()
        turn.tell(Turn.reasoning("e\u{301}!", complete: true))
        #expect(turn.screen.reasoning == ["prt_r": "e\u{301}!"])
    }

    @Test func reasoningAfterAGap_getsItsRestOnce() {
        var turn = started()
        turn.tell(Turn.reasoning(""), .delta(block: "prt_r", message: "msg_2", text: "I th"))
        turn.miss()
        turn.tell(.delta(block: "prt_r", message: "msg_2", text: "more"))
        turn.reread([Turn.assistant(), Turn.reasoning("I think more", complete: true)], busy: true)
        turn.tell(Turn.reasoning("I think more", complete: true))
        #expect(turn.screen.reasoning == ["prt_r": "I think more"])
    }

    @Test func removedBlock_isEmptied() {
        var turn = started()
        turn.tell(Turn.text("half"), .blockRemoved(block: "prt_1"))
        #expect(turn.screen.text == ["prt_1": ""])
    }

    @Test func toolThatIsDone_doesNotRunAgain() {
        var turn = started()
        let running = ToolCall(id: "t", name: "bash", status: .running, title: "ls", output: "")
        var done = running
        done.status = .completed
        turn.tell(.tool(running, message: "msg_2"))
        turn.reread([Turn.assistant(), .tool(done, message: "msg_2")], busy: true)
        turn.tell(.tool(running, message: "msg_2"))
        #expect(turn.screen.tools == ["t": done])
    }

    @Test func textAboveTheBound_isCutAndSaidOnce() {
        var turn = started()
        turn.tell(Turn.text(""))
        let megabyte = String(repeating: "x", count: 1 << 20)
        for _ in 0..<12 { turn.tell(Turn.delta(megabyte)) }
        #expect(turn.screen.wholeText.utf8.count == Limits.turnTextBytes)
        #expect(turn.screen.notices.count == 1)
    }

    @Test func partsBeyondTheBound_areSaidToBeLeftOutOnce() {
        var turn = started()
        for number in 1...(Limits.turnIDs + 50) {
            turn.tell(
                .block(BlockFact(id: "prt_\(number)", message: "msg_2", kind: .text, text: "x", isComplete: true)))
        }
        #expect(turn.screen.text.count == Limits.turnIDs)
        #expect(turn.screen.notices == ["The answer has more than 10000 parts; the rest is not shown here."])
    }

    /// A server with a random answer, a connection that loses facts and re-reads that come late.
    @Test func randomLosses_endWithExactlyTheText() {
        let seed = Chance.seed()
        var random = SplitMix(seed: seed)
        for round in 0..<300 {
            let blocks = (1...Int.random(in: 1...4, using: &random)).map { number in
                (1...Int.random(in: 1...12, using: &random)).map { "\(number).\($0) " }
            }
            #expect(play(blocks, &random) == blocks.map { $0.joined() }.joined(), "seed \(seed), round \(round)")
        }
    }

    /// Gives all text that the reader saw at the end.
    private func play(_ blocks: [[String]], _ random: inout SplitMix) -> String {
        var turn = started()
        var stored: [TurnFact] = []
        for (number, words) in blocks.enumerated() {
            let id = "prt_\(number)"
            var facts = [Turn.text("", block: id)] + words.map { Turn.delta($0, block: id) }
            facts.append(Turn.text(words.joined(), complete: true, block: id))
            stored.append(Turn.text("", block: id))
            let losses = Int.random(in: 0...2, using: &random)
            for (index, fact) in facts.enumerated() {
                if index == facts.count - 1 { stored[number] = fact }
                if losses > 0, Int.random(in: 0..<4, using: &random) == 0 {
                    // The driver reads the state at once, before it handles what comes after the gap.
                    turn.miss(connectionLost: false)
                    turn.reread([Turn.assistant()] + stored, busy: true)
                } else {
                    turn.tell(fact)
                }
                if Int.random(in: 0..<6, using: &random) == 0 { turn.reread([Turn.assistant()] + stored, busy: true) }
                let shown = turn.screen.text[id] ?? ""
                #expect(words.joined().hasPrefix(shown))
            }
        }
        turn.reread([Turn.assistant("msg_2", .finished)] + stored)
        #expect(turn.screen.outcome == .done)
        return turn.screen.wholeText
    }
}

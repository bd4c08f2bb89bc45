import AgentModel
import Chance
import Foundation
import Testing

@testable import OpenCode

/// Turns of 2.x, from bytes to what a reader sees. No real server's frames were at hand: these were written by the
/// contract and the order in opencode's own sources, and the others recorded from echo-agent.
struct V2TurnTests {
    private static let session = "ses_0199c3a1e5f0001gTzFvSGKcQJAM"
    private static let prompt = "msg_0199c3a1e600001aaaaaaaaaaaaa"
    private static let first = "msg_0199c3a1e700001bbbbbbbbbbbbb"
    private static let second = "msg_0199c3a1e900001cccccccccccc"

    private func facts(of recording: String = "v2-tool-turn") throws -> [TurnFact] {
        let url = try #require(Bundle.module.url(forResource: recording, withExtension: "sse", subdirectory: "Frames"))
        var parser = SSEParser()
        let frames = try parser.feed(Data(contentsOf: url)).map { try #require(V2Frame.read($0)) }
        return frames.flatMap { frame -> [TurnFact] in
            guard frame.session == Self.session, case .facts(let facts) = frame.content else { return [] }
            return facts
        }
    }

    private func turn() -> TurnUnderTest {
        var turn = TurnUnderTest()
        turn.reducer = TurnReducer(prompt: Self.prompt, order: .byArrival)
        return turn
    }

    /// The messages as a re-read has them at the end.
    private static let messages = #"""
        [{"id":"\#(prompt)","type":"user","time":{"created":1},"text":"Which files are here?"},
        {"id":"\#(first)","type":"assistant","time":{"created":2,"completed":3},"agent":"build","model":{"id":"m","providerID":"p"},
         "content":[{"type":"reasoning","text":"They want a list.","time":{"created":1,"completed":2}},
         {"type":"text","text":"I will look, grüße 👋🏽."},
         {"type":"tool","id":"call_1","name":"shell","state":{"status":"completed","input":{"command":"ls && rm -rf build"},
          "content":[{"type":"text","text":"a\nb"},{"type":"text","text":"Command exited with code 0."}]},"time":{"created":1}}],
         "finish":"tool-calls","snapshot":{"files":["build"]}},
        {"id":"msg_switch","type":"model-switched","time":{"created":3},"model":{"id":"m","providerID":"p"}},
        {"id":"\#(second)","type":"assistant","time":{"created":4,"completed":5},"agent":"build","model":{"id":"m","providerID":"p"},
         "content":[{"type":"text","text":"There are two files."}],"finish":"stop"},
        {"id":"msg_idle","type":"idle","time":{"created":5},"outcome":"succeeded"}]
        """#

    private func stored() throws -> [V2Message] {
        try JSONDecoder().decode([V2Message].self, from: Data(Self.messages.utf8))
    }

    private func expectWhole(_ turn: TurnUnderTest, seed: UInt64? = nil) {
        let screen = turn.screen
        #expect(screen.outcome == .done, "seed \(seed ?? 0): \(screen)")
        #expect(screen.wholeText == "I will look, grüße 👋🏽.There are two files.", "seed \(seed ?? 0)")
        #expect(Array(screen.reasoning.values) == ["They want a list."], "seed \(seed ?? 0)")
        let tool = ToolCall(
            id: "\(Self.first)/call_1", name: "shell", status: .completed, title: "ls && rm -rf build",
            input: "command: ls && rm -rf build", output: "a\nb\nCommand exited with code 0.")
        #expect(Array(screen.tools.values) == [tool], "seed \(seed ?? 0)")
    }

    @Test func toolTurn_isShownWholeAndDone() throws {
        var turn = turn()
        for fact in try facts() { turn.tell(fact) }
        #expect(turn.screen.outcome == nil && turn.rereads > 0)
        #expect(turn.screen.asked == ["per_01k5"])
        #expect(turn.screen.answered == [Answered(id: "per_01k5", answer: .once, by: .elsewhere)])
        #expect(turn.screen.notices == ["Trying again: slow down"])
        turn.reread(try stored().flatMap(\.facts))
        expectWhole(turn)
        #expect(try stored().map(\.changedFiles) == [false, true, false, false, false])
    }

    /// Any events lost, with a re-read of what was stored by then: the same text, whatever the losses.
    @Test func randomLosses_endWithExactlyTheText() throws {
        let facts = try facts()
        let stored = try stored().flatMap(\.facts)
        for seed in 1...UInt64(ProcessInfo.processInfo.environment["NEXUS_LONG"] == "1" ? 5000 : 200) {
            var random = SplitMix(seed: seed)
            var turn = turn()
            for (place, fact) in facts.enumerated() {
                if Int.random(in: 0..<4, using: &random) == 0 {
                    turn.miss(connectionLost: false)
                    turn.reread(facts[...place].filter(\.isStored), busy: true)
                } else {
                    turn.tell(fact)
                }
            }
            turn.reread(stored)
            expectWhole(turn, seed: seed)
        }
    }

    /// Ids tell nothing about the age: what came before the prompt is not this turn's.
    @Test func answerOfATurnBefore_isNotOurs() throws {
        var turn = turn()
        turn.tell(TurnUnderTest.assistant("msg_9"), TurnUnderTest.text("old", in: "msg_9"))
        #expect(turn.screen.text.isEmpty && turn.rereads == 0)
        for fact in try facts() { turn.tell(fact) }
        turn.reread(try stored().flatMap(\.facts))
        #expect(turn.screen.wholeText == "I will look, grüße 👋🏽.There are two files.")
    }

    /// A killed opencode has nothing of a text that was not whole: what was shown stays.
    @Test func diedInTheMiddle_isInterruptedWithWhatHadStreamed() throws {
        var turn = turn()
        for fact in try facts().prefix(8) { turn.tell(fact) }
        turn.tell(.delta(block: "\(Self.first)/text-0", message: Self.first, text: ""))
        for fact in try facts().dropFirst(8).prefix(3) { turn.tell(fact) }
        #expect(turn.screen.wholeText == "I will look, grüße 👋🏽.")
        turn.miss()
        let half = #"""
            [{"id":"\#(Self.prompt)","type":"user","time":{"created":1},"text":"x"},
            {"id":"\#(Self.first)","type":"assistant","time":{"created":2},"agent":"a","model":{"id":"m","providerID":"p"},
             "content":[{"type":"reasoning","text":""},{"type":"text","text":""}]}]
            """#
        turn.reread(try JSONDecoder().decode([V2Message].self, from: Data(half.utf8)).flatMap(\.facts))
        guard case .interrupted(let why) = turn.screen.outcome else { return #expect(Bool(false), "\(turn.screen)") }
        #expect(why.contains("kept"))
        #expect(turn.screen.wholeText == "I will look, grüße 👋🏽.")
    }

    /// No model, so no answer of one: the mark of the run's end says why.
    @Test func runThatFailedBeforeAnAnswer_saysWhy() throws {
        var turn = turn()
        turn.tell(.message(MessageFact(id: Self.prompt, author: .user, end: nil)))
        let stored = #"""
            [{"id":"\#(Self.prompt)","type":"user","time":{"created":1},"text":"x"},
            {"id":"msg_2","type":"idle","time":{"created":2},"outcome":"failed",
             "error":{"type":"provider.no-route","message":"No model selected"}}]
            """#
        turn.reread(try JSONDecoder().decode([V2Message].self, from: Data(stored.utf8)).flatMap(\.facts))
        guard case .failed(let why) = turn.screen.outcome else { return #expect(Bool(false), "\(turn.screen)") }
        #expect(why.contains("No model selected") && why.contains("nexusctl agent login"), "\(why)")
    }

    @Test func promptTakenBackBeforeItWasBegun_isAStoppedTurn() {
        var turn = turn()
        turn.tell(.withdrawn(prompt: "msg_other"))
        #expect(turn.rereads == 0)
        turn.tell(.withdrawn(prompt: Self.prompt))
        turn.reread()
        #expect(turn.screen.outcome == .interrupted(reason: "The turn was stopped."))
        #expect(!turn.reducer.hasBegun)
    }
}

import AgentModel
import Foundation
import Testing
import Wire

/// Who stood between a turn and its owner is gone, and the agent is not: the turn goes on.
@Suite(.timeLimit(.minutes(2)), .serialized)
struct FollowTests {
    /// Hands a turn over of which half is told and stored.
    private func half(_ play: Play) throws -> (id: FrameID, session: String, turn: AgentPlay.Turn) {
        play.agent.remembersTurns = true
        let begun = try play.handOver("hello")
        try play.agent.tell(
            begun.turn, .turnStarted(prompt: "msg_1"), .textDelta(block: "b", text: "half "), to: play.bridge)
        try play.until("the half") { $0.client.types(begun.id).contains("text") }
        return begun
    }

    /// All of it from its beginning, as agent-worker tells it.
    private func tellAgain(_ play: Play, _ count: Int = 1) throws {
        try play.until("the question after it") { $0.agent.followed.count == count }
        let (turn, prompt) = play.agent.followed[count - 1]
        #expect(prompt == "msg_1")
        try play.agent.tell(
            turn, .turnStarted(prompt: prompt), .textDelta(block: "b", text: "half a word"),
            .textDelta(block: "b", text: " and more"), .turnEnded(.done), to: play.bridge)
    }

    /// Until nothing runs in the session.
    private func rest(_ play: Play, _ session: String) throws {
        let watch = play.bridge.ask(#"{"op":"resume","session":"\#(session)","after":0}"#)
        try play.until("the end") { $0.client.finished.contains(watch) }
    }

    private func expectWhole(_ play: Play, _ session: String) throws {
        let history = try play.answer(#"{"op":"history","session":"\#(session)"}"#)
        #expect(history.map { $0["type"] as? String } == ["turn", "text"], "\(history)")
        #expect(history.first?["state"] as? String == "done")
        #expect(history.last?["text"] as? String == "half a word and more")
        #expect(play.agent.turns.count <= 1 && play.agent.aborted.isEmpty)
    }

    @Test func chatBridgeThatIsKilled_turnGoesOnInTheNextOne() throws {
        let play = try Play()
        let (_, session, _) = try half(play)
        try play.restart()
        let watch = play.bridge.ask(#"{"op":"resume","session":"\#(session)","after":0}"#)
        // Behind it a message waits as behind any other.
        let next = play.send("next", session: session)
        try play.until("the next to wait") { $0.client.types(next).contains("waiting") }
        try tellAgain(play)
        try play.until("the next turn") { $0.agent.turns.count == 1 }
        try play.agent.tell(play.agent.turns[0], .turnStarted(prompt: "msg_2"), .turnEnded(.done), to: play.bridge)
        try play.until("the end of all") { $0.client.finished.isSuperset(of: [watch, next]) }
        #expect(play.client.text(watch) == "half a word and more")
        #expect(try play.states(session) == ["done", "done"])
        #expect(play.agent.aborted.isEmpty)
    }

    /// The last words before a crash may not be stored; who has seen them, and goes on behind their number, sees them once.
    @Test func wordsThatWereSeenAndLost_areNotSeenTwice() throws {
        let play = try Play()
        let (id, session, _) = try half(play)
        let seen = play.client.text(id)
        let number = try #require(play.client.last(id)["seq"] as? Int)
        try play.restart()
        let watch = play.bridge.ask(#"{"op":"resume","session":"\#(session)","after":\#(number)}"#)
        try tellAgain(play)
        try play.until("the end") { $0.client.finished.contains(watch) }
        var shown = seen
        for event in play.client.events[watch] ?? [] where event["type"] as? String == "text" {
            let text = event["text"] as? String ?? ""
            shown = event["whole"] as? Bool == true ? text : shown + text
        }
        #expect(shown == "half a word and more")
    }

    @Test func nexusdThatIsKilled_turnGoesOnUnderTheNextOne() throws {
        let play = try Play()
        let (_, session, turn) = try half(play)
        try play.agent.tell(turn, .textDelta(block: "b", text: "a wo"), to: play.bridge)
        #expect(play.bridge.loseNexusd() == 0)
        try play.restart()
        try tellAgain(play)
        try rest(play, session)
        try expectWhole(play, session)
    }

    @Test func agentWorkerThatIsKilled_turnGoesOnByTheNextOne() throws {
        let play = try Play()
        let (id, session, turn) = try half(play)
        play.bridge.write(play.agent.error(turn.id, .peerRestarted, "agent-worker ended"))
        // It may take a moment until it is there.
        try play.until("the question after it") { $0.agent.followed.count == 1 }
        play.bridge.write(play.agent.error(play.agent.followed[0].turn.id, .unavailable, "it is down"))
        try tellAgain(play, 2)
        try play.until("the end") { $0.client.finished.contains(id) }
        #expect(play.client.last(id)["state"] as? String == "done")
        #expect(play.client.text(id) == "half a word and more")
        try expectWhole(play, session)
    }

    @Test func agentThatDoesNotKnowTheTurn_itIsInterruptedInWords() throws {
        let play = try Play()
        let (_, session, turn) = try half(play)
        play.agent.remembersTurns = false
        try play.restart()
        try rest(play, session)
        #expect(try play.states(session) == ["interrupted"])
        let history = try play.answer(#"{"op":"history","session":"\#(session)"}"#)
        #expect((history.first?["reason"] as? String)?.contains("chat-bridge restarted") == true)
        try play.until("the agent to be stopped") { $0.agent.aborted == [turn.session] }
    }

    @Test func turnThatGoesOn_isStoppedByItsOwner() throws {
        let play = try Play()
        let (_, session, turn) = try half(play)
        try play.restart()
        try play.until("the question after it") { $0.agent.followed.count == 1 }
        let again = play.agent.followed[0].turn
        let stop = play.bridge.ask(#"{"op":"abort","session":"\#(session)"}"#)
        try play.until("the stop at the agent") { $0.agent.aborted == [turn.session] }
        try play.agent.tell(again, .turnEnded(.interrupted(reason: "aborted")), to: play.bridge)
        try play.until("its end") { $0.client.finished.contains(stop) }
        try rest(play, session)
        #expect(try play.states(session) == ["interrupted"])
    }

    /// As nexusd ends it for good: what it stops here it stops at the agent too.
    @Test func chatBridgeThatIsTold_toEnd_stopsTheAgent() throws {
        let play = try Play()
        let (_, session, turn) = try half(play)
        play.bridge.terminate()
        try play.until("the stop at the agent") { $0.agent.aborted == [turn.session] }
        #expect(play.bridge.wait() == 0)
        try play.restart()
        #expect(try play.states(session) == ["interrupted"])
    }
}

import AgentModel
import Foundation
import Testing

/// Copies of sessions, what is taken back, and what the agent is told later, in the built chat-bridge.
@Suite(.timeLimit(.minutes(2)))
struct CopyTests {
    /// A session with so many finished turns; their ids.
    private func session(_ play: Play, turns count: Int) throws -> (id: String, turns: [Int]) {
        var session: String?
        var turns: [Int] = []
        for number in 0..<count {
            let sent = try play.handOver("message \(number)", session: session)
            try play.agent.tell(
                sent.turn, .turnStarted(prompt: "msg_\(number)"), .textDelta(block: "b", text: "answer \(number)"),
                .turnEnded(.done), to: play.bridge)
            try play.until("the end") { $0.client.finished.contains(sent.id) }
            session = sent.session
            turns.append(try #require(play.client.events[sent.id]?.first?["turn"] as? Int))
        }
        return (try #require(session), turns)
    }

    private func history(_ play: Play, _ session: String) throws -> [(text: String, isTakenBack: Bool)] {
        try play.answer(#"{"op":"history","session":"\#(session)"}"#).filter { $0["type"] as? String == "turn" }
            .map { ($0["text"] as? String ?? "", $0["taken_back"] as? Bool ?? false) }
    }

    @Test func fork_copiesWhatWasSaidBefore_andGoesOnByItself() throws {
        let play = try Play()
        let (session, turns) = try session(play, turns: 3)
        let answer = try play.answer(#"{"op":"fork","session":"\#(session)","turn":\#(turns[2])}"#)
        let copy = try #require(answer.last?["session"] as? String)
        #expect(play.agent.changes == [.forkSession(AgentSessionID(rawValue: "ses_1"), before: "msg_2")])
        #expect(try history(play, copy).map(\.text) == ["message 0", "message 1"])
        let lines = try play.answer(#"{"op":"history","session":"\#(copy)"}"#)
        #expect(lines.compactMap { $0["text"] as? String }.contains("answer 1"))
        // Nobody is offered to go back to where the agent's memory cannot be found.
        #expect(lines.filter { $0["type"] as? String == "turn" }.allSatisfy { $0["unplaced"] as? Bool == true })
        let original = try play.answer(#"{"op":"open","session":"\#(session)"}"#)
        #expect(original.allSatisfy { $0["unplaced"] == nil })
        // All that is told of it is its own: sessions, turns, numbers.
        let resumed = play.bridge.ask(#"{"op":"resume","session":"\#(copy)","after":0}"#)
        try play.until("the copy's events") { $0.client.finished.contains(resumed) }
        let events = play.client.events[resumed] ?? []
        #expect(events.allSatisfy { $0["session"] as? String == copy && !turns.contains($0["turn"] as? Int ?? 0) })
        let numbers = events.compactMap { $0["seq"] as? Int }
        #expect(numbers == numbers.sorted() && Set(numbers).count == numbers.count && numbers.count >= 6)
        // It goes on at the agent's copy, and the old one as before.
        let next = try play.handOver("on", session: copy)
        #expect(next.turn.session.rawValue == "ses_2")
        #expect(try history(play, session).count == 3)
        let found = try play.answer(#"{"op":"search","text":"answer"}"#)
        #expect(Set(found.compactMap { $0["session"] as? String }) == [session, copy])
    }

    @Test func revert_isShown_broughtBack_andFinalAfterTheNextMessage() throws {
        let play = try Play()
        let (session, turns) = try session(play, turns: 3)
        let about = #""session":"\#(session)""#
        #expect(try play.answer("{\"op\":\"revert\",\(about),\"turn\":\(turns[1])}").last?["turns"] as? Int == 2)
        #expect(play.agent.changes.last == .revert(AgentSessionID(rawValue: "ses_1"), to: "msg_1"))
        #expect(try history(play, session).map(\.isTakenBack) == [false, true, true])
        #expect(try play.answer(#"{"op":"list"}"#).last?["reverted"] as? Int == 2)
        #expect(try play.answer("{\"op\":\"unrevert\",\(about)}").last?["turns"] as? Int == 2)
        #expect(play.agent.changes.last == .unrevert(AgentSessionID(rawValue: "ses_1")))
        #expect(try history(play, session).allSatisfy { !$0.isTakenBack })
        _ = try play.answer("{\"op\":\"revert\",\(about),\"turn\":\(turns[1])}")
        let next = try play.handOver("instead", session: session)
        try play.agent.tell(next.turn, .turnStarted(prompt: "msg_9"), .turnEnded(.done), to: play.bridge)
        try play.until("its end") { $0.client.finished.contains(next.id) }
        #expect(try history(play, session).map(\.isTakenBack) == [false, true, true, false])
        let late = play.bridge.ask("{\"op\":\"unrevert\",\(about)}")
        try play.until("the refusal") { $0.client.finished.contains(late) }
        #expect(play.client.failures[late] == "bad-request")
        // A copy has what the agent remembers.
        let copy = try play.answer("{\"op\":\"fork\",\(about)}").last?["session"] as? String
        #expect(try history(play, try #require(copy)).map(\.text) == ["message 0", "instead"])
    }

    @Test func underWay_nothingIsCopiedOrTakenBack() throws {
        let play = try Play()
        let (session, turns) = try session(play, turns: 1)
        _ = try play.handOver("runs", session: session)
        for op in ["fork", "revert"] {
            let id = play.bridge.ask(#"{"op":"\#(op)","session":"\#(session)","turn":\#(turns[0])}"#)
            try play.until("the refusal") { $0.client.finished.contains(id) }
            #expect(play.client.failures[id] == "busy")
        }
        #expect(play.agent.changes.isEmpty)
    }

    /// Titles and ends are kept for an agent that is away, over a kill of chat-bridge, and carried out once each.
    @Test func titleAndEnd_reachAnAgentThatWasAway() throws {
        let play = try Play()
        let (first, _) = try session(play, turns: 1)
        let (second, _) = try session(play, turns: 1)
        play.agent.isAway = true
        _ = try play.answer(#"{"op":"rename","session":"\#(first)","title":"an older one"}"#)
        _ = try play.answer(#"{"op":"rename","session":"\#(first)","title":"the name"}"#)
        _ = try play.answer(#"{"op":"delete","session":"\#(second)"}"#)
        try play.until("the agent was asked") { !$0.agent.changes.isEmpty }
        play.agent.isAway = false
        play.agent.changes = []
        try play.restart()
        try play.until("all of it") { $0.agent.changes.count == 2 }
        #expect(
            play.agent.changes == [
                .renameSession(AgentSessionID(rawValue: "ses_1"), title: "the name"),
                .deleteSession(AgentSessionID(rawValue: "ses_2")),
            ])
    }
}

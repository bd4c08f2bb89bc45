import AgentModel
import Foundation
import Testing
import Wire

/// A message that its sender does not want done any more, and of which he does not know whether it was taken.
@Suite(.timeLimit(.minutes(2)), .serialized)
struct WithdrawnTests {
    /// Where it is the first one of a session too: the agent never gets it, also when a late copy of it comes, and not after a
    /// crash.
    @Test func messageThatIsNew_isStoredAndNeverDone() throws {
        let play = try Play()
        let session = try play.withdraw("hello", id: "one")
        try play.restart()
        let late = play.send("hello", id: "one")
        try play.until("the late one's end") { $0.client.finished.contains(late) }
        #expect(play.client.last(late)["state"] as? String == "interrupted")
        #expect((play.client.last(late)["reason"] as? String)?.contains("withdrawn") == true)
        let next = try play.handOver("next", session: session)
        #expect(play.agent.turns.map(\.text) == ["next"])
        try play.agent.tell(next.turn, .turnStarted(), .turnEnded(.done), to: play.bridge)
        try play.until("the end") { $0.client.finished.contains(next.id) }
        #expect(try play.states(session) == ["interrupted", "done"])
    }

    /// Who watches the session is told of both, in the order of their numbers, and of what comes then.
    @Test func messageThatIsNewInASession_isToldToWhoWatches() throws {
        let play = try Play()
        let (_, session, running) = try play.handOver("first")
        let watch = play.bridge.ask(#"{"op":"resume","session":"\#(session)","after":0}"#)
        try play.until("the watching") { $0.client.types(watch).contains("accepted") }
        _ = try play.withdraw("second", session: session, id: "two")
        try play.agent.tell(running, .turnStarted(), .turnEnded(.done), to: play.bridge)
        try play.until("the end of all") { $0.client.finished.contains(watch) }
        let events = play.client.events[watch] ?? []
        #expect(play.client.types(watch) == ["accepted", "accepted", "ended", "started", "ended"])
        #expect(events.compactMap { $0["state"] as? String } == ["interrupted", "done"])
        let numbers = events.compactMap { $0["seq"] as? Int }
        #expect(numbers.count == 5 && numbers == numbers.sorted())
        #expect(try play.states(session) == ["done", "interrupted"])
    }

    @Test func messageThatWaits_isWithdrawn() throws {
        let play = try Play()
        let (_, session, _) = try play.handOver("first")
        let waiting = play.send("second", session: session, id: "two")
        try play.until("it to wait") { $0.client.types(waiting).contains("waiting") }
        _ = try play.withdraw("second", session: session, id: "two")
        try play.until("its end") { $0.client.finished.contains(waiting) }
        #expect(try play.states(session) == ["running", "interrupted"])
    }

    @Test func messageThatRuns_isStopped() throws {
        let play = try Play()
        let running = play.send("hello", id: "one")
        try play.until("the turn at the agent") { $0.agent.turns.count == 1 && !$0.client.types(running).isEmpty }
        let turn = play.agent.turns[0]
        try play.agent.tell(turn, .turnStarted(), .textDelta(block: "b", text: "half"), to: play.bridge)
        try play.until("the half") { $0.client.types(running).contains("text") }
        let id = play.bridge.ask(Play.withdrawal("hello", session: nil, id: "one"))
        try play.until("the stop at the agent") { $0.agent.aborted == [turn.session] }
        try play.agent.tell(turn, .turnEnded(.interrupted(reason: "aborted")), to: play.bridge)
        try play.until("both ends") { $0.client.finished.isSuperset(of: [running, id]) }
        #expect(play.client.last(id)["state"] as? String == "interrupted")
        #expect(play.client.text(id) == "half")
        #expect(play.agent.turns.count == 1)
    }

    @Test(arguments: [false, true]) func messageWhoseSessionWasDeleted_isNotDoneAgain(isWithdrawn: Bool) throws {
        let play = try Play()
        let session: String
        if isWithdrawn {
            session = try play.withdraw("hello", id: "one")
        } else {
            let (id, made, turn) = try play.handOver("hello", id: "one")
            try play.agent.tell(turn, .turnStarted(), .turnEnded(.done), to: play.bridge)
            try play.until("the end") { $0.client.finished.contains(id) }
            session = made
        }
        let count = play.agent.turns.count
        _ = try play.answer(#"{"op":"delete","session":"\#(session)"}"#)
        let again = play.send("hello", id: "one")
        try play.until("the refusal") { $0.client.finished.contains(again) }
        #expect(play.client.failures[again] == "unknown")
        #expect(try play.answer(#"{"op":"list"}"#).isEmpty && play.agent.turns.count == count)
    }

    @Test func messageThatIsDone_staysDone() throws {
        let play = try Play()
        let (id, session, turn) = try play.handOver("hello", id: "one")
        try play.agent.tell(turn, .turnStarted(), .turnEnded(.done), to: play.bridge)
        try play.until("the end") { $0.client.finished.contains(id) }
        let answer = try play.answer(Play.withdrawal("hello", session: session, id: "one"))
        #expect(answer.last?["state"] as? String == "done")
        #expect(try play.states(session) == ["done"])
    }
}

extension Play {
    fileprivate static func withdrawal(_ text: String, session: String?, id: String) -> String {
        let session = session.map { "\"\($0)\"" } ?? "null"
        return #"{"op":"send","session":\#(session),"text":"\#(text)","client_id":"\#(id)","withdrawn":true}"#
    }

    /// Withdraws a message and sees it end so; its session.
    fileprivate func withdraw(_ text: String, session: String? = nil, id: String) throws -> String {
        let events = try answer(Self.withdrawal(text, session: session, id: id))
        #expect(events.first?["type"] as? String == "accepted")
        #expect(events.last?["state"] as? String == "interrupted")
        #expect((events.last?["reason"] as? String)?.contains("withdrawn before it was handed") == true)
        return try #require(events.first?["session"] as? String)
    }
}

import AgentModel
import Foundation
import Testing

@testable import Chat

/// What turns used, and the ceiling of a day.
@Suite(.timeLimit(.minutes(1)))
struct SpendingTests {
    private func used(_ tokens: Int, _ cost: Double = 0) -> AgentEvent {
        .usage(Usage(input: tokens - 1, output: 1, cost: cost, model: "p/m"))
    }

    @Test func usage_isKeptByTurnSessionAndDay_andTheDayOutlivesTheSession() async throws {
        let box = try StoreBox()
        let turn = try await box.accept("one")
        _ = try await box.store.reserve(turn.session)
        try await box.store.takeUp(turn.id)
        func event(_ number: Int64, _ what: ChatEvent.What) -> ChatEvent {
            ChatEvent(number: EventNumber(rawValue: number), session: turn.session, turn: turn.id, what: what)
        }
        try await box.store.append([event(1, .usage(Usage(input: 10, cost: 0.5)))])
        let last = Usage(input: 10, output: 5, reasoning: 1, cacheRead: 3, cacheWrite: 1, cost: 0.75, model: "p/m")
        try await box.store.end(
            turn.id, .done, reason: nil, last: [event(2, .usage(last)), event(3, .ended(.done, reason: nil))])
        let session = try #require(try await box.store.sessions().first)
        #expect(session.tokens == 20 && session.cost == 0.75)
        #expect(try await box.store.opening(of: turn.session, Stretch()).turns[0].blocks.map(\.what) == [.usage(last)])
        #expect(try await box.store.spentToday() == Spent(tokens: 20, cost: 0.75))
        try await box.store.delete(turn.session)
        try box.reopen()
        #expect(try await box.store.spentToday() == Spent(tokens: 20, cost: 0.75))
    }

    /// 2026-11-26 15:00 in Berlin; the day ends at midnight there.
    @Test(arguments: [
        (DailyCeiling(), 1_000_000, 900.0, nil),
        (DailyCeiling(dollars: 5), 0, 4.99, nil),
        (
            DailyCeiling(dollars: 5), 0, 5.031,
            "5.03 of 5 US dollars a day are spent (daily-dollars); messages are taken again from 2026-11-27 00:00 "
                + "(Europe/Berlin). The ceiling is in [agent] of Supervisor.toml"
        ),
        (
            DailyCeiling(dollars: 5, tokens: 1000), 1000, 0,
            "1000 of 1000 tokens a day are used (daily-tokens); messages are taken again from 2026-11-27 00:00 "
                + "(Europe/Berlin). The ceiling is in [agent] of Supervisor.toml"
        ),
    ])
    func ceiling_saysWhyAndUntilWhen(ceiling: DailyCeiling, tokens: Int, cost: Double, words: String?) throws {
        let berlin = try #require(TimeZone(identifier: "Europe/Berlin"))
        let now = Date(timeIntervalSince1970: 1_795_701_600)
        #expect(ceiling.refusal(of: Spent(tokens: tokens, cost: cost), at: now, in: berlin) == words)
    }

    @Test func ceiling_refusesWhatIsNew_failsWhatWaited_andLetsARunningTurnEnd() throws {
        let play = try Play(settings: #"{"permission-default":"reject","daily-tokens":100}"#)
        let first = try play.handOver("one")
        let waiting = play.send("two", session: first.session, id: "two")
        try play.until("it to be stored") { $0.client.types(waiting).contains("accepted") }
        try play.agent.tell(
            first.turn, .turnStarted(), used(150), .textDelta(block: "b", text: "more"), to: play.bridge)
        try play.until("the usage") { $0.client.types(first.id).contains("text") }
        try play.agent.tell(first.turn, .turnEnded(.done), to: play.bridge)
        try play.until("the second one's end") { $0.client.finished.contains(waiting) }
        #expect(play.client.last(first.id)["state"] as? String == "done")
        #expect(play.client.last(waiting)["state"] as? String == "failed")
        let reason = try #require(play.client.last(waiting)["reason"] as? String)
        #expect(reason.contains("150 of 100 tokens a day are used") && reason.contains("taken again from"))
        let refused = play.send("three", session: first.session)
        try play.until("a refusal") { $0.client.finished.contains(refused) }
        #expect(play.client.failures[refused] == "refused" && play.client.words[refused] == reason)
        #expect(play.agent.turns.count == 1)
        #expect(try play.states(first.session) == ["done", "failed"])
        // What was taken before is told again, not refused.
        let again = play.send("two", session: first.session, id: "two")
        try play.until("the same turn") { $0.client.finished.contains(again) }
        #expect(play.client.failures[again] == nil && play.client.last(again)["state"] as? String == "failed")
        let list = try play.answer(#"{"op":"list"}"#)
        #expect(list[0]["tokens"] as? Int == 150)
    }
}

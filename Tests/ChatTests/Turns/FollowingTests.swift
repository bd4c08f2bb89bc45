import AgentModel
import Foundation
import Synchronization
import Testing

@testable import Chat

/// How often, and for how long, the way to an agent may be gone in one turn that goes on there.
@Suite(.timeLimit(.minutes(1))) struct FollowingTests {
    private static let gap: Duration = .milliseconds(400)

    /// What the agent says of the turn when it is asked for it the n-th time, beginning with 0.
    private typealias Way =
        @Sendable (Int, AsyncThrowingStream<AgentEvent, any Error>.Continuation) async throws -> Void

    /// A turn that the agent had when chat-bridge began anew, followed to its end.
    private func followed(_ box: StoreBox, _ way: @escaping Way) async throws -> (ChatTurn, asked: Int) {
        let turn = try await box.accept("x")
        try await box.store.setAgentSession(AgentSessionID(rawValue: "ses_1"), of: turn.session)
        try await box.store.takeUp(turn.id)
        try await box.store.setPrompt("msg_1", of: turn.id)
        let count = Mutex(0)
        let agent = NoAgent(following: {
            let number = count.withLock { count in
                defer { count += 1 }
                return count
            }
            let (events, tell) = AsyncThrowingStream<AgentEvent, any Error>.makeStream()
            Task {
                do {
                    try await way(number, tell)
                    tell.finish()
                } catch {
                    tell.finish(throwing: error)
                }
            }
            return events
        })
        var delivery = TurnDelivery(
            turn: turn.id, session: turn.session, store: box.store, hub: EventHub(store: box.store), agent: agent,
            ceiling: DailyCeiling(), sayings: Sayings()
        ) {}
        delivery.patience = TurnDelivery.Patience(gap: Self.gap, pause: .milliseconds(5))
        guard case .over = await delivery.run(stop: { nil }) else {
            Issue.record("it is over")
            return (turn, 0)
        }
        return (try #require(try await box.store.turn(turn.id)), count.withLock { $0 })
    }

    private static let lost = AgentError(.lost, "agent-worker ended")

    /// The time of the first break is over long before the second one.
    @Test func wayThatBreaksAgainLongAfterTheFirstBreak_isWaitedForAnew() async throws {
        let box = try StoreBox()
        let (turn, asked) = try await followed(box) { number, tell in
            switch number {
            case 0, 1: throw Self.lost
            case 2:
                tell.yield(.textDelta(block: "b", text: "half "))
                try await Task.sleep(for: Self.gap * 2)
                throw Self.lost
            case 3, 4: throw AgentError(.notDelivered, "it is down")
            case _:
                // All of it, from its beginning.
                tell.yield(.textDelta(block: "b", text: "half a word"))
                tell.yield(.turnEnded(.done))
            }
        }
        #expect(turn.state == .done && asked == 6, "\(turn)")
        let texts = try await box.events(turn.session).compactMap { $0["text"] as? String }
        #expect(texts.last == "half a word", "\(texts)")
    }

    @Test func wayThatStaysAwayAfterTheSecondBreak_endsTheTurn_inWords() async throws {
        let box = try StoreBox()
        let start = ContinuousClock.now
        let (turn, _) = try await followed(box) { number, tell in
            if number == 1 { tell.yield(.textDelta(block: "b", text: "half ")) }
            throw Self.lost
        }
        #expect(turn.state == .interrupted && turn.reason?.contains("chat-bridge restarted") == true, "\(turn)")
        #expect(ContinuousClock.now - start >= Self.gap)
        #expect(try await box.events(turn.session).contains { $0["type"] as? String == "text" })
    }

    @Test func wayThatBreaksForEver_endsTheTurn() async throws {
        let (turn, asked) = try await followed(try StoreBox()) { number, tell in
            tell.yield(.textDelta(block: "b", text: "half "))
            throw Self.lost
        }
        #expect(turn.state == .interrupted && asked == TurnDelivery.Patience().breaks, "\(asked)")
    }
}

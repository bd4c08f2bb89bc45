import AgentModel
import Foundation
import Testing

@testable import Chat

/// A message comes while what was said before is being taken back.
@Suite(.timeLimit(.minutes(1)))
struct RevertRaceTests {
    /// It was stored between the look and the mark: what the agent had dropped for good could be "brought back".
    @Test func messageInTheMiddle_comesBehind_andNothingCanBeBroughtBack() async throws {
        let box = try StoreBox()
        let hub = EventHub(store: box.store)
        var turn = try await box.accept("one")
        try await box.store.setAgentSession(AgentSessionID(rawValue: "ses_1"), of: turn.session)
        try await box.store.takeUp(turn.id)
        try await box.store.setPrompt("msg_1", of: turn.id)
        try await box.store.end(turn.id, .done, reason: nil, last: [])
        let (session, store) = (turn.session, box.store)
        let (asked, ask) = AsyncStream<Void>.makeStream()
        let agent = NoAgent {
            ask.yield()
            // Whoever is not kept out is in by then.
            for _ in 0..<30 where try await store.queued(in: session).isEmpty {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        let service = ChatService(
            store: box.store, hub: hub, runner: TurnRunner(store: box.store, hub: hub, agent: agent),
            workspaces: Workspaces(names: ["home"]))
        let other = Task {
            for await _ in asked { break }
            try await service.take(Submission(session: session, text: "two", clientID: "two")) { _ in }
        }
        _ = try await service.revert(session, to: turn.id)
        while try await store.queued(in: session).isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        other.cancel()
        turn = try #require(try await store.turn(turn.id))
        #expect(turn.isTakenBack)
        #expect(try await store.session(session)?.reverted == 0)
        await #expect(throws: ChatError.self) { try await service.unrevert(session) }
    }
}

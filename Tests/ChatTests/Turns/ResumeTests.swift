import AgentModel
import Foundation
import Synchronization
import Testing

@testable import Chat

/// Who watches a session until nothing is under way in it.
@Suite(.timeLimit(.minutes(1)))
struct ResumeTests {
    /// He was told that the session is idle with the end of the first, and never got that of the other.
    @Test func turnThatEndsWhileTheEndOfAnotherIsTold_isToldToo() async throws {
        let box = try StoreBox()
        let hub = EventHub(store: box.store)
        let service = ChatService(
            store: box.store, hub: hub, runner: TurnRunner(store: box.store, hub: hub, agent: NoAgent()),
            workspaces: Workspaces(names: ["home"]))
        let one = try await box.accept("one")
        let two = try await box.accept("two", in: one.session)
        for turn in [one, two] {
            let event = try await hub.publish(turn.accepted, turn: turn.id, in: turn.session)
            try await box.store.append([event])
            await hub.stored([event])
        }
        let told = Mutex<[String]>([])
        try await service.resume(one.session, after: .start, follow: false) { frame in
            let type = try StoreBox.object(frame)["type"] as? String ?? "?"
            let count = told.withLock { told in
                told.append(type)
                return told.count { $0 == type }
            }
            switch (type, count) {
            // Of this moment: it is told behind what is stored.
            case ("accepted", 1): await hub.mention(.notice("live"), turn: one.id, in: one.session)
            case ("notice", 1): try await hub.conclude(two.id, in: one.session, .interrupted, reason: nil, rest: [])
            case ("ended", 1): try await hub.conclude(one.id, in: one.session, .done, reason: nil, rest: [])
            case _: break
            }
        }
        #expect(told.withLock { $0 } == ["accepted", "accepted", "notice", "ended", "ended"])
    }
}

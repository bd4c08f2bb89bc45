import Testing

@testable import Chat

/// The end of a turn is stored while others ask for its session.
@Suite(.timeLimit(.minutes(1)))
struct EventHubTests {
    /// Who waits for that must not keep the hub from giving the end out: both stood still for ever, at full speed, when
    /// somebody opened the session at that moment.
    @Test func sessionThatIsAskedForWhileItsTurnEnds_goesOn() async throws {
        let box = try StoreBox()
        let hub = EventHub(store: box.store)
        for number in 1...100 {
            let turn = try await box.accept("hello \(number)")
            let events = try await hub.watch(turn.session)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask(priority: .low) {
                    try await hub.conclude(turn.id, in: turn.session, .done, reason: nil, rest: [])
                }
                for _ in 1...20 {
                    group.addTask(priority: .high) {
                        for _ in 1...5 { _ = try await hub.current(turn.session) }
                    }
                }
                group.addTask(priority: .high) {
                    _ = try await hub.publish(.notice("later"), turn: turn.id, in: turn.session)
                }
                try await group.waitForAll()
            }
            await hub.forget(turn.session)
            // Given out in the order of their numbers, whichever was first.
            let numbers = await events.reduce(into: [Int64]()) { all, given in
                all += given.event.number.map { [$0.rawValue] } ?? []
            }
            #expect(numbers.count == 2 && numbers == numbers.sorted())
        }
    }
}

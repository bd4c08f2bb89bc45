import GRDB
import Synchronization

/// Rings for everybody who follows the list of sessions whenever a transaction changed it. Rings that nobody heard yet are
/// one: what changed is read from the store, so that nothing is kept for whoever is slow.
final class ListBell: Sendable {
    private struct State {
        var last = 0
        var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
        var isOver = false
    }
    private let state = Mutex(State())
    private let observation = Mutex<AnyDatabaseCancellable?>(nil)

    /// Watches a store.
    init(_ queue: DatabaseQueue) {
        let observed = DatabaseRegionObservation(tracking: Table("listing"))
        let watching = observed.start(in: queue, onError: { _ in }, onChange: { [weak self] _ in self?.ring() })
        observation.withLock { $0 = watching }
    }

    /// From now on. Ends when chat-bridge stops.
    func listen() -> AsyncStream<Void> {
        let (rings, listener) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let number: Int? = state.withLock { state in
            if state.isOver { return nil }
            state.last += 1
            state.listeners[state.last] = listener
            return state.last
        }
        guard let number else {
            listener.finish()
            return rings
        }
        listener.onTermination = { [weak self] _ in self?.leave(number) }
        return rings
    }

    /// Nobody can listen any more.
    func finish() {
        let all = state.withLock { state in
            state.isOver = true
            defer { state.listeners = [:] }
            return Array(state.listeners.values)
        }
        for listener in all { listener.finish() }
    }

    /// How many listen.
    var count: Int { state.withLock { $0.listeners.count } }

    private func ring() {
        let all = state.withLock { Array($0.listeners.values) }
        for listener in all { listener.yield() }
    }

    private func leave(_ number: Int) { _ = state.withLock { $0.listeners.removeValue(forKey: number) } }
}

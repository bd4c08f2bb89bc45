import Synchronization

/// What waits to be handled by one turn. Facts are bounded: above the bound they are dropped, which the turn is told
/// and mends by reading the state anew. What must not be lost (gone, cancelled) are flags, not entries.
final class TurnInbox: Sendable {
    /// What a turn is told.
    enum Input: Hashable, Sendable {
        case fact(TurnFact)
        /// Facts were lost; with the connection, or for want of room.
        case missed(connectionLost: Bool)
        /// The connection is back: the state can be read.
        case back
        /// The agent is gone for certain; the words say how.
        case gone(String)
        case tick
        /// Nobody wants this turn any more.
        case cancelled
    }

    private struct State {
        var facts: [TurnFact] = []
        var said: [TurnFact] = []
        var overflowed = false
        var connectionLost = false
        var isBack = false
        var gone: String?
        var hasTick = false
        var isCancelled = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int = Limits.turnFacts) { self.limit = limit }

    func post(_ facts: [TurnFact]) {
        change { state in
            guard state.facts.count + facts.count <= self.limit else {
                state.facts = []
                state.overflowed = true
                return
            }
            state.facts += facts
        }
    }

    /// What is said here to something that waits. It comes before what the server says, which may be about it.
    func post(said fact: TurnFact) {
        change { state in
            // So many answers at once are none of people; what came of them a re-read shows.
            if state.said.count < self.limit { state.said.append(fact) }
        }
    }

    /// The same, out of turn, with what the server says was said to these.
    func takeSaid(to waiting: Set<String>) -> [TurnFact] {
        state.withLock { state in
            let isAnswer = { (fact: TurnFact) in
                if case .answered(let id, _) = fact { waiting.contains(id) } else { false }
            }
            let told = state.facts.filter(isAnswer)
            defer {
                state.said = []
                if !told.isEmpty { state.facts.removeAll(where: isAnswer) }
            }
            return state.said + told
        }
    }

    /// What still waits, for whoever takes the turn's place; nil: something was missed.
    func takeRest() -> [TurnFact]? {
        state.withLock { state in
            let isWhole = !state.overflowed && !state.connectionLost && !state.isBack && state.gone == nil
            defer { state.facts = [] }
            return isWhole ? state.facts : nil
        }
    }

    func connectionLost() { change { $0.connectionLost = true } }
    func connectionBack() { change { $0.isBack = true } }
    func gone(_ words: String) { change { $0.gone = $0.gone ?? words } }
    func tick() { change { $0.hasTick = true } }
    func cancel() { change { $0.isCancelled = true } }

    /// What is next, waiting for it; for one reader. Facts come before the news that the agent is gone, so that what it
    /// still said is shown.
    func next() async -> Input {
        while true {
            if let input = state.withLock({ Self.take(&$0) }) { return input }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let hasNews = state.withLock { state in
                        guard !Self.hasNews(state) else { return true }
                        state.waiter = continuation
                        return false
                    }
                    if hasNews { continuation.resume() }
                }
            } onCancel: {
                cancel()
            }
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let waiter = state.withLock { state in
            body(&state)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    private static func hasNews(_ state: State) -> Bool {
        !state.facts.isEmpty || !state.said.isEmpty || state.overflowed || state.connectionLost || state.isBack
            || state.gone != nil
            || state.hasTick || state.isCancelled
    }

    private static func take(_ state: inout State) -> Input? {
        if state.isCancelled { return .cancelled }
        if !state.said.isEmpty { return .fact(state.said.removeFirst()) }
        // After an overflow the facts that follow the gap wait until the turn knows of it.
        if state.overflowed {
            state.overflowed = false
            return .missed(connectionLost: false)
        }
        // What was said while nobody listened is read before what is said now, so that it is also shown before.
        if state.isBack {
            state.isBack = false
            state.connectionLost = false
            return .back
        }
        if !state.facts.isEmpty { return .fact(state.facts.removeFirst()) }
        if let gone = state.gone { return .gone(gone) }
        if state.connectionLost {
            state.connectionLost = false
            return .missed(connectionLost: true)
        }
        defer { state.hasTick = false }
        return state.hasTick ? .tick : nil
    }
}

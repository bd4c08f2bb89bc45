/// Lets one in at a time, in the order in which they came. Part of an actor, which calls it.
struct TurnGate {
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Commands that may wait; one more is refused.
    private static let limit = 16

    /// So many wait that whoever can come again is sent away.
    var isFull: Bool { waiting.count >= Self.limit }

    /// So many wait that who only looks keeps away.
    var isBusy: Bool { waiting.count >= Self.limit / 4 }

    /// Goes on at once, or when all before have left.
    mutating func enter(_ continuation: CheckedContinuation<Void, Never>) {
        guard isTaken else {
            isTaken = true
            return continuation.resume()
        }
        waiting.append(continuation)
    }

    /// The next one in line has it now.
    mutating func leave() {
        guard !waiting.isEmpty else {
            isTaken = false
            return
        }
        waiting.removeFirst().resume()
    }
}

/// Children that are to be looked at again, each at most once at a time, first in first out.
struct WorkQueue: Sendable {
    private var queue: [ChildID] = []
    private var head = 0
    private var isQueued: [Bool]

    /// For children 1 to `count`.
    init(count: Int) { isQueued = Array(repeating: false, count: count + 1) }

    /// Puts a child at the end, unless it is in already.
    mutating func add(_ child: ChildID) {
        if isQueued[Int(child.rawValue)] { return }
        isQueued[Int(child.rawValue)] = true
        queue.append(child)
    }

    /// Takes the first.
    mutating func next() -> ChildID? {
        guard head < queue.count else {
            queue.removeAll(keepingCapacity: true)
            head = 0
            return nil
        }
        let child = queue[head]
        head += 1
        isQueued[Int(child.rawValue)] = false
        return child
    }
}

/// One call into the supervisor: the time, the chance, and what it came to.
struct Turn {
    let now: Instant
    let jitter: UInt16
    var actions: [Action] = []

    /// Something to be shown.
    mutating func tell(_ record: Record) { actions.append(.record(record)) }
}

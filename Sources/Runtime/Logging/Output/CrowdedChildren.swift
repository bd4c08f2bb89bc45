import SupervisorCore

/// Children whose next run waits until log-writer has read what their last ones said: a pipe given up is a line lost, and
/// log-writer is away for a second at most. One deadline for all of them; none while there are none.
struct CrowdedChildren {
    /// Log-writer is not waited for longer than this; then the oldest output is given up, and counted.
    static let patience: Duration = .seconds(5)
    /// Between two looks while log-writer runs: what a stray process still holds open has no end, but may be empty.
    static let interval: Duration = .milliseconds(100)

    private var waiting: [(child: ChildID, until: Instant)] = []
    private(set) var deadline: Instant?

    var isEmpty: Bool { waiting.isEmpty }

    /// False when it waits already.
    mutating func add(_ child: ChildID, at now: Instant) -> Bool {
        if waiting.contains(where: { $0.child == child }) { return false }
        waiting.append((child, now + Self.patience))
        if deadline == nil { deadline = now + Self.interval }
        return true
    }

    /// Those that wait no longer: there is room, or it was waited for long enough.
    mutating func take(at now: Instant, where hasRoom: (ChildID) -> Bool) -> [ChildID] {
        let free = waiting.filter { $0.until <= now || hasRoom($0.child) }.map(\.child)
        waiting.removeAll { free.contains($0.child) }
        deadline = waiting.isEmpty ? nil : now + Self.interval
        return free
    }
}

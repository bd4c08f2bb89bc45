import SupervisorCore

/// Children that an owner wants recycled, and of which a worker knows when they are idle. At most one wish a child.
struct RecycleWishes {
    /// How long it may go on being busy, where its `memory` says nothing of it.
    static let patience: Duration = .seconds(3600)

    private(set) var wishes: [Wish] = []

    struct Wish {
        let child: ChildID
        let run: RunID
        let until: Instant
        var next: Instant
    }

    /// The next instant at which something is to be done for one of them.
    var deadline: Instant? { wishes.lazy.map { min($0.next, $0.until) }.min() }

    /// Until when it is waited for that the run is idle; nil: nobody wishes it away.
    func limit(_ child: ChildID, _ run: RunID) -> Instant? {
        wishes.first { $0.child == child && $0.run == run }?.until
    }

    mutating func add(_ child: ChildID, _ run: RunID, until: Instant, at now: Instant) {
        wishes.removeAll { $0.child == child }
        wishes.append(Wish(child: child, run: run, until: until, next: now + MemoryWatch.suggestionInterval))
    }

    /// Those whose patience is over, which are forgotten, and those whose workers are to be told again: one of them may
    /// have been down. What is wished of a run that is gone is fulfilled.
    mutating func take(at now: Instant, isAlive: (ChildID, RunID) -> Bool) -> (
        over: [(ChildID, RunID)], again: [ChildID]
    ) {
        wishes.removeAll { !isAlive($0.child, $0.run) }
        let over = wishes.filter { $0.until <= now }.map { ($0.child, $0.run) }
        wishes.removeAll { $0.until <= now }
        var again: [ChildID] = []
        for index in wishes.indices where wishes[index].next <= now {
            wishes[index].next = now + MemoryWatch.suggestionInterval
            again.append(wishes[index].child)
        }
        return (over, again)
    }
}

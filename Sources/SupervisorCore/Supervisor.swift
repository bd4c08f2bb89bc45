/// The pure heart: events and time in, actions out. It has no clock, no I/O and no randomness; the same calls give the
/// same actions. It is total: every event in every state has a result, and ids it does not know are ignored.
///
/// How it works: an event changes the state of one child (`enter`). Its neighbours learn what matters to them as counts
/// (`Facets` → `Gates`), then every child that was touched is looked at once more (`step`): does it have to go down, may
/// it go up? So an event costs O(log n) and what it changes, never a look at all children.
public struct Supervisor: Sendable {
    /// The tree in force.
    public internal(set) var tree: Tree
    /// Gates and orders, worked out once for each tree.
    var order: StartOrder
    /// By `ChildID`: `children[n - 1]`.
    var children: [Child]
    /// By `GroupID`.
    var groups: [Group]
    /// Where the tree as a whole stands.
    var life = Life.idle
    /// Slots: children, then groups, then the patience with the log-writer.
    var deadlines: Deadlines
    /// Children whose neighbours have to be told.
    var changed: WorkQueue
    /// Children that are to take a step.
    var touched: WorkQueue
    /// Children that may be another than when a shell that keeps the state looked last.
    var revised: WorkQueue
    /// Runs that others wait for, the log-writer's not among them.
    var aliveCount = 0
    /// Children that wait for the end of a run that has what they need.
    var barredCount = 0
    /// How runs are stopped that were started under other words than the tree in force has for them.
    var oldStops: [ChildID: StopRule] = [:]
    /// Of the children that the clock starts.
    var timetables: [ChildID: Timetable] = [:]
    /// The end of the tree has left something behind that nobody can kill.
    var leavesRest = false
    /// Runs that the log-writer was given after the end had found it without one.
    var farewells: UInt8 = 0
    /// Commands that were not answered yet.
    var commands: [CommandKey: PendingCommand] = [:]
    var commandCount: UInt64 = 0
    let second: UInt32
    var runCount: UInt32 = 0

    /// Where the tree as a whole stands.
    package enum Life: Hashable, Sendable {
        /// Not begun.
        case idle
        /// Begun; the others wait until the log-writer is ready or patience ends.
        case awaitingLogWriter
        /// The usual case.
        case running
        /// Asked to end, 1 to 3 times.
        case ending(level: UInt8)
        /// `Action.finished` was said; nothing happens any more.
        case finished
    }

    /// `second` is CLOCK_REALTIME at the start of nexusd: the upper half of every run id.
    public init(tree: Tree, second: UInt32, at now: Instant) {
        let count = min(tree.children.count, 0x7FFF)
        self.tree = tree
        self.second = second
        order = StartOrder(tree: tree, count: count)
        children = []
        children.reserveCapacity(count)
        for index in 0..<count {
            let child = ChildID(index: index)
            let gates = Gates(
                unmet: UInt16(order.requires[child].count), unsettled: UInt16(order.after[child].count))
            let wanted = tree.choices[child]?.isOn ?? tree.children[index].enabled
            children.append(Child(since: now, wanted: wanted, gates: gates))
        }
        groups = zip(tree.groups, order.members).map { policy, members in
            Group(members: members, isOrdered: policy.strategy != .oneForOne)
        }
        deadlines = Deadlines(slots: count + groups.count + 1)
        timetables = Self.timetables(of: tree, count: count)
        changed = WorkQueue(count: count)
        touched = WorkQueue(count: count)
        revised = WorkQueue(count: count)
    }

    /// The earliest instant at which `Event.tick` is due; nil: nothing is armed.
    public var nextDeadline: Instant? { deadlines.first }

    /// Begins: every enabled child is wanted from now on.
    public mutating func start(at now: Instant, jitter: UInt16, into actions: inout [Action]) {
        perform(at: now, jitter: jitter, into: &actions) { supervisor, turn in supervisor.begin(&turn) }
    }

    /// Takes one event. `jitter` is a fresh random number of the shell; `actions` are appended to.
    public mutating func handle(_ event: Event, at now: Instant, jitter: UInt16, into actions: inout [Action]) {
        perform(at: now, jitter: jitter, into: &actions) { supervisor, turn in supervisor.receive(event, &turn) }
    }

    mutating func perform(
        at now: Instant, jitter: UInt16, into actions: inout [Action], _ work: (inout Supervisor, inout Turn) -> Void
    ) {
        var turn = Turn(now: now, jitter: jitter)
        // The caller's array is lent, not copied.
        swap(&turn.actions, &actions)
        work(&self, &turn)
        settle(&turn)
        finishIfEmpty(&turn)
        swap(&turn.actions, &actions)
    }
}

extension Supervisor {
    /// A child that the tree has; see `contains`.
    subscript(child: ChildID) -> Child {
        get { children[child.index] }
        _modify {
            revised.add(child)
            yield &children[child.index]
        }
    }

    /// False for nexusd's own number and those of control clients.
    func contains(_ child: ChildID) -> Bool { child.isIn(children.count) }

    /// Its policy.
    func policy(_ child: ChildID) -> ChildPolicy { tree.children[child.index] }

    /// How its living run is stopped.
    func stopRule(_ child: ChildID) -> StopRule { oldStops[child] ?? policy(child).stop }

    /// The group it belongs to.
    func group(of child: ChildID) -> GroupID? { order.group[child.index] }

    /// True for the child that keeps the logs.
    func isLogWriter(_ child: ChildID) -> Bool { child == tree.logWriter }

    /// True when this run of the child is living.
    func isLiving(_ child: ChildID, _ run: RunID) -> Bool {
        contains(child) && self[child].state.run?.id == run
    }
}

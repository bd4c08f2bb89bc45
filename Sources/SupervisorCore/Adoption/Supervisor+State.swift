extension Supervisor {
    /// All of it; empty of sense before `start` and after `Action.finished`.
    public var state: SupervisorState {
        SupervisorState(tree: treeMemory, children: children.indices.map { memory(of: ChildID(index: $0)) })
    }

    /// The part that is of no single child.
    package var treeMemory: TreeMemory {
        TreeMemory(
            life: life, patience: deadlines.instant(of: logWriterSlot), leavesRest: leavesRest, farewells: farewells,
            runCount: runCount,
            choices: tree.choices.keys.sorted().compactMap { child in
                tree.choices[child].map { TreeMemory.ChildChoice(child: child, choice: $0) }
            },
            groups: groups.map { GroupMemory(state: $0.state, restarts: $0.restarts.inOrder) })
    }

    /// The part of one child.
    package func memory(of child: ChildID) -> ChildMemory {
        let entry = self[child]
        return ChildMemory(
            state: entry.state, since: entry.since, wanted: entry.wanted, isBouncing: entry.isBouncing,
            isSwept: entry.isSwept, isCrowded: entry.isCrowded, tally: entry.tally, restarts: entry.restarts.inOrder,
            lastEnd: entry.lastEnd, oldStop: oldStops[child], timetable: timetables[child]?.memory)
    }

    /// The next child of which something may be different since it was taken the last time; for a shell that keeps the state
    /// and does not want to look at all of them. After a reload, whoever keeps it begins anew.
    package mutating func takeRevised() -> ChildID? { revised.next() }

    /// Goes on where the state was taken. `tree` is that of the state, without its choices. Runs in the state are living until
    /// the shell says otherwise; `resume` is to follow. Run ids go on counting, behind another second.
    public init(
        restoring state: SupervisorState, tree: Tree, second: UInt32, at now: Instant
    ) throws(StateMisfit) {
        var tree = tree
        tree.choices = [:]
        for entry in state.tree.choices { tree.choices[entry.child] = entry.choice }
        self.init(tree: tree, second: second, at: now)
        try check(state)
        life = state.tree.life
        leavesRest = state.tree.leavesRest
        farewells = state.tree.farewells
        runCount = state.tree.runCount
        for (index, memory) in state.tree.groups.enumerated() { recall(memory, GroupID(rawValue: UInt16(index))) }
        for (index, memory) in state.children.enumerated() { recall(memory, ChildID(index: index)) }
        deadlines.set(logWriterSlot, state.tree.patience)
        touchAll()
    }

    /// Everybody looks around once. What comes of it is what the moment at which the state was taken had left to do: mostly
    /// nothing.
    public mutating func resume(at now: Instant, jitter: UInt16, into actions: inout [Action]) {
        perform(at: now, jitter: jitter, into: &actions) { _, _ in }
    }

    private mutating func recall(_ memory: GroupMemory, _ group: GroupID) {
        let index = Int(group.rawValue)
        groups[index].state = memory.state
        if let rule = tree.groups[index].intensity {
            groups[index].restarts = RestartWindow(inOrder: memory.restarts, under: rule)
        }
        // A tree that ends tries no group again.
        if case .parked(_, let retry) = memory.state, level == 0 { deadlines.set(children.count + index, retry) }
    }

    private mutating func recall(_ memory: ChildMemory, _ child: ChildID) {
        self[child].state = memory.state
        self[child].since = memory.since
        self[child].wanted = memory.wanted
        self[child].isBouncing = memory.isBouncing
        self[child].isSwept = memory.isSwept
        self[child].isCrowded = memory.isCrowded
        self[child].tally = memory.tally
        self[child].lastEnd = memory.lastEnd
        if let rule = policy(child).intensity {
            self[child].restarts = RestartWindow(inOrder: memory.restarts, under: rule)
        }
        oldStops[child] = memory.oldStop
        if let timetable = memory.timetable { timetables[child]?.recall(timetable) }
        if memory.isSwept, let group = group(of: child) { groups[Int(group.rawValue)].sweeping += 1 }
        if memory.state.isAlive, !isLogWriter(child) { aliveCount += 1 }
        if memory.state.barrier != nil { barredCount += 1 }
        deadlines.set(child.index, deadline(of: child))
    }
}

extension Supervisor {
    /// Whether what a state says can be true of the tree in force.
    private func check(_ state: SupervisorState) throws(StateMisfit) {
        guard state.children.count == children.count else {
            throw StateMisfit("it is one of \(state.children.count) children, and the plan has \(children.count)")
        }
        guard state.tree.groups.count == groups.count else {
            throw StateMisfit("it is one of \(state.tree.groups.count) groups, and the plan has \(groups.count)")
        }
        switch state.tree.life {
        case .idle: throw StateMisfit("its tree had not begun")
        case .finished: throw StateMisfit("its tree had ended")
        case .awaitingLogWriter where tree.logWriter.map(contains) != true:
            throw StateMisfit("it waits for a log-writer, and the plan has none")
        case .ending(let level) where !(1...3).contains(level): throw StateMisfit("its end has level \(level)")
        case .awaitingLogWriter, .running, .ending: break
        }
        for (index, group) in state.tree.groups.enumerated() {
            if case .parked(let because, _) = group.state, !groups[index].members.contains(because) {
                throw StateMisfit("a group is parked because of child \(because.rawValue), which is no member")
            }
        }
        var runs: Set<RunID> = []
        for (index, memory) in state.children.enumerated() { try check(memory, ChildID(index: index), state, &runs) }
    }

    private func check(
        _ memory: ChildMemory, _ child: ChildID, _ state: SupervisorState, _ runs: inout Set<RunID>
    ) throws(StateMisfit) {
        if let run = memory.state.run, run.id.rawValue == 0 || !runs.insert(run.id).inserted {
            throw StateMisfit("child \(child.rawValue) has run \(run.id), which is nobody's or another child's")
        }
        if memory.isSwept, group(of: child) == nil || !memory.state.isAlive {
            throw StateMisfit("child \(child.rawValue) restarts with a group, and has none or no run")
        }
        if let holder = memory.state.barrier, !contains(holder) || !state.children[holder.index].state.isAlive {
            throw StateMisfit(
                "child \(child.rawValue) waits for the end of a run of child \(holder.rawValue), which has none")
        }
        if memory.state == .scheduled, !isScheduled(child) {
            throw StateMisfit("child \(child.rawValue) waits for its time, and has none")
        }
        if let end = memory.lastEnd, end.child != child {
            throw StateMisfit("child \(child.rawValue) has the end of another one")
        }
    }
}

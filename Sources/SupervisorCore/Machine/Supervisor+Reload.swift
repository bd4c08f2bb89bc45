extension Supervisor {
    /// Puts another tree in force. Children that are in neither set of `change` keep their run and their counts. The
    /// answer comes when it is so: what was restarted, added or switched on is up and, where it shows that by its exec alone,
    /// stays for a `shortLife`; what was removed or switched off has no run. `failed` names one that did not stay. `overtaken` at once, and nothing is changed: the tree has not begun or ends, or the numbers do not fit.
    public mutating func reload(
        _ change: TreeChange, _ id: CommandID, at now: Instant, jitter: UInt16, into actions: inout [Action]
    ) {
        perform(at: now, jitter: jitter, into: &actions) { supervisor, turn in supervisor.reload(change, id, &turn) }
    }

    private mutating func reload(_ change: TreeChange, _ id: CommandID, _ turn: inout Turn) {
        guard mayReload(change.tree) else {
            turn.actions.append(.answer(id, .overtaken))
            return
        }
        keepStops(for: change.restarted)
        let old = tree
        replaceTree(change.tree, &turn)
        var effect = Effect()
        effect.isChange = change.isNews || change.tree.children.count > old.children.count
        for index in children.indices {
            let child = ChildID(index: index)
            if index < old.children.count {
                carryOver(child, change, old, &effect, &turn)
            } else if self[child].wanted {
                comeUp(child, &turn)
                if !isScheduled(child) { effect.desires.append((child, .upToStay)) }
            }
        }
        for group in change.changedGroups where Int(group.rawValue) < groups.count { unpark(group, &turn) }
        // Only what can come to be is waited for: the others say in `status` what they wait for.
        effect.desires.removeAll { $0.desire.isUp && !isPossible($0.child) }
        expect(effect, id, &turn)
    }

    private func mayReload(_ new: Tree) -> Bool {
        switch life {
        case .idle, .ending, .finished: return false
        case .awaitingLogWriter, .running: break
        }
        return new.children.count >= children.count && new.children.count <= 0x7FFF
            && new.groups.count >= groups.count && new.logWriter == tree.logWriter
    }

    /// A run is stopped by the rule it was started under: another command line may know another stop signal.
    private mutating func keepStops(for restarted: Set<ChildID>) {
        for child in restarted where contains(child) && self[child].state.isAlive { oldStops[child] = stopRule(child) }
    }

    /// Policies, gates, groups and deadlines of the new tree; nobody has been told anything yet.
    private mutating func replaceTree(_ new: Tree, _ turn: inout Turn) {
        let old = tree
        let patience = deadlines.instant(of: logWriterSlot)
        let count = new.children.count
        tree = new
        order = StartOrder(tree: new, count: count)
        children.reserveCapacity(count)
        for index in 0..<count {
            let child = ChildID(index: index)
            let gates = Gates(
                unmet: UInt16(order.requires[child].count), unsettled: UInt16(order.after[child].count))
            if index < children.count {
                children[index].gates = gates
                children[index].facets = []
            } else {
                let wanted = new.choices[child]?.isOn ?? new.children[index].enabled
                children.append(Child(since: turn.now, wanted: wanted, gates: gates))
            }
        }
        regroup(from: old)
        changed = WorkQueue(count: count)
        touched = WorkQueue(count: count)
        revised = WorkQueue(count: count)
        deadlines = Deadlines(slots: count + groups.count + 1)
        timetables = Self.timetables(of: new, count: count, before: timetables)
        for index in children.indices { deadlines.set(index, deadline(of: ChildID(index: index))) }
        for (index, group) in groups.enumerated() {
            if case .parked(_, let retry) = group.state { deadlines.set(count + index, retry) }
        }
        deadlines.set(logWriterSlot, patience)
        touchAll()
    }

    /// Groups keep where they stand. One that was parked because of a child that is not its own any more goes on; one
    /// with another intensity counts anew.
    private mutating func regroup(from before: Tree) {
        let old = groups
        groups = zip(tree.groups, order.members).enumerated().map { index, group in
            var new = Group(members: group.1, isOrdered: group.0.strategy != .oneForOne)
            guard index < old.count else { return new }
            if group.0.intensity == before.groups[index].intensity { new.restarts = old[index].restarts }
            new.state = old[index].state
            if case .parked(let because, _) = new.state, !new.members.contains(because) { new.state = .running }
            return new
        }
        for index in children.indices where children[index].isSwept {
            if let group = order.group[index] {
                groups[Int(group.rawValue)].sweeping += 1
            } else {
                children[index].isSwept = false
            }
        }
    }

    /// Whether a child is wanted under the new tree: an owner's choice counts, then what the file newly says, then what
    /// held before.
    private func wish(for child: ChildID, _ change: TreeChange, _ old: Tree) -> Bool {
        if change.removed.contains(child) { return false }
        if let choice = tree.choices[child] { return choice.isOn }
        guard child.index < old.children.count else { return policy(child).enabled }
        return old.children[child.index].enabled == policy(child).enabled ? self[child].wanted : policy(child).enabled
    }

    /// What becomes of a child that was there before.
    private mutating func carryOver(
        _ child: ChildID, _ change: TreeChange, _ old: Tree, _ effect: inout Effect, _ turn: inout Turn
    ) {
        if change.returned.contains(child) {
            self[child].tally = Tally()
            self[child].restarts = RestartWindow()
        }
        // Counted under a rule that is not there any more, as of a child that is removed.
        if policy(child).intensity != old.children[child.index].intensity { self[child].restarts = RestartWindow() }
        let wish = wish(for: child, change, old)
        let isNews = self[child].wanted != wish
        self[child].wanted = wish
        let restarts = change.restarted.contains(child) && !change.removed.contains(child)
        if restarts || change.changed.contains(child) { adjust(child, old.children[child.index], &turn) }
        var isMoved = false
        if restarts || change.changed.contains(child) || (isNews && wish) {
            let isRescheduled = policy(child).schedule != old.children[child.index].schedule
            isMoved = goOn(child, isRescheduled: isRescheduled, &turn)
        }
        // Down once, and up again with its new words. What has no run begins the next one with them anyway.
        if restarts, self[child].state.isAlive { self[child].isBouncing = true }
        if isNews || isMoved || self[child].isBouncing { effect.desires.append((child, wish ? .upToStay : .down)) }
    }

    /// What was held against it is forgotten, as by a command; one that is done has done what it was for.
    /// True when it is tried again because of that.
    private mutating func goOn(_ child: ChildID, isRescheduled: Bool, _ turn: inout Turn) -> Bool {
        self[child].tally.forget()
        self[child].restarts = RestartWindow()
        if let group = group(of: child), case .parked(let because, _) = groups[Int(group.rawValue)].state,
            because == child
        {
            unpark(group, &turn)
        }
        guard self[child].wanted else { return false }
        switch self[child].state {
        case .off, .parked, .delayed:
            leaveToTheClock(child, &turn)
            comeUp(child, &turn)
            return !isScheduled(child)
        case .waiting(barrier: .some) where !isScheduled(child):
            // It may need something else by now.
            comeUp(child, &turn)
            return true
        case .waiting, .done:
            // The clock starts it from now on.
            guard isRescheduled, isScheduled(child) else { return false }
            leaveToTheClock(child, &turn)
            comeUp(child, &turn)
            return false
        case .scheduled:
            // Other times, or no clock any more.
            if isRescheduled { comeUp(child, &turn) }
            return false
        case .spawning, .starting, .serving, .stopping, .unkillable: return false
        }
    }

    /// Whoever called a run of it waits in vain: it comes at its time, which may be tomorrow.
    private mutating func leaveToTheClock(_ child: ChildID, _ turn: inout Turn) {
        if isScheduled(child) { overtake(on: child, unless: .down, &turn) }
    }

    /// Instants of a living run that the changed policy moves. A stop that is under way goes on by its own.
    private mutating func adjust(_ child: ChildID, _ old: ChildPolicy, _ turn: inout Turn) {
        let policy = policy(child)
        switch self[child].state {
        case .spawning(let run, _):
            if policy.startTimeout != old.startTimeout {
                revise(child, .spawning(run, until: max(turn.now, run.started + policy.startTimeout)))
            }
        case .starting(let run, var starting):
            if policy.startTimeout != old.startTimeout {
                starting.until = max(turn.now, run.started + policy.startTimeout)
            }
            revise(child, .starting(run, starting))
        case .serving(let run, var serving):
            serving.stable = nil
            if policy.liveness != old.liveness {
                serving.misses = 0
                serving.complaints = 0
                serving.probe = policy.liveness.map { .due(turn.now + $0.interval.asInterval) } ?? .none
            }
            // A new interval comes with a new run; until then the old one's pings prove nothing.
            if policy.watchdog != old.watchdog { serving.watchdog = nil }
            revise(child, .serving(run, serving))
        case .off, .waiting, .scheduled, .delayed, .stopping, .unkillable, .parked, .done: break
        }
    }

    /// False for one that waits for what nobody wants.
    private func isPossible(_ child: ChildID) -> Bool {
        closure(of: [child], over: order.requires).allSatisfy { self[$0].wanted }
    }
}

extension Supervisor {
    /// The strategy of a group: which siblings restart because this child failed. They stop in reverse order and start
    /// in order, because the order of the group binds both; nothing of it starts before all of them are empty.
    mutating func sweepSiblings(of child: ChildID, _ turn: inout Turn) {
        guard let id = group(of: child) else { return }
        let members = groups[Int(id.rawValue)].members
        let swept: ArraySlice<ChildID>
        switch tree.groups[Int(id.rawValue)].strategy {
        case .oneForOne: return
        case .oneForAll: swept = members[...]
        case .restForOne: swept = members.drop { $0 != child }
        }
        for sibling in swept where sibling != child {
            switch self[sibling].state {
            case .spawning, .starting, .serving, .stopping:
                if self[sibling].isSwept { continue }
                self[sibling].isSwept = true
                groups[Int(id.rawValue)].sweeping += 1
                touch(sibling)
            case .done:
                // As in Erlang/OTP: a transient child that ended well runs again with its group, a temporary one does not.
                if policy(sibling).restart == .onFailure { enter(sibling, .waiting(), &turn) }
            case .off, .waiting, .scheduled, .delayed, .unkillable, .parked: break
            }
        }
    }

    /// A swept member is empty, or nobody can kill it.
    mutating func endSweep(of child: ChildID) {
        guard self[child].isSwept, let id = group(of: child) else { return }
        self[child].isSwept = false
        groups[Int(id.rawValue)].sweeping -= 1
        if groups[Int(id.rawValue)].sweeping == 0 { touchMembers(of: id) }
    }

    /// Counts a restart against the group. True: it was one too many and the group is parked.
    mutating func groupParks(for child: ChildID, _ cause: Cause, _ turn: inout Turn) -> Bool {
        guard let id = group(of: child), let intensity = tree.groups[Int(id.rawValue)].intensity,
            groups[Int(id.rawValue)].restarts.counts(turn.now, beyond: intensity)
        else { return false }
        park(id, because: child, cause, .groupIntensity, &turn)
        return true
    }

    /// Gives a group up for now: its members are stopped and wait for the one slow retry of the group.
    mutating func park(
        _ group: GroupID, because child: ChildID, _ cause: Cause, _ ground: Ground, _ turn: inout Turn
    ) {
        let retry = tree.groups[Int(group.rawValue)].slowRetry.map { turn.now + $0 }
        groups[Int(group.rawValue)].state = .parked(because: child, retry: retry)
        deadlines.set(slot(of: group), retry)
        enter(child, .parked(cause, retry: nil, ground), &turn)
        let sequel = sequel(retry, of: child)
        turn.tell(.parked(child, cause, sequel))
        turn.tell(.groupParked(group, because: child, sequel))
        touchMembers(of: group)
        if sequel == .endOfTree { endTree(after: child, &turn) }
    }

    /// The slow retry of a parked group is due.
    mutating func retry(_ group: GroupID, _ turn: inout Turn) { unpark(group, &turn) }

    /// A parked group may run again, with the child that parked it.
    mutating func unpark(_ group: GroupID, _ turn: inout Turn) {
        guard case .parked(let child, _) = groups[Int(group.rawValue)].state else { return }
        groups[Int(group.rawValue)].state = .running
        groups[Int(group.rawValue)].restarts = RestartWindow()
        deadlines.set(slot(of: group), nil)
        if case .parked = self[child].state { enter(child, .waiting(), &turn) }
        touchMembers(of: group)
    }

    private func slot(of group: GroupID) -> Int { children.count + Int(group.rawValue) }

    private mutating func touchMembers(of group: GroupID) {
        for member in groups[Int(group.rawValue)].members { touch(member) }
    }
}

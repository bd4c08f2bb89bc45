import SupervisorCore

/// Promise 8: a reload is whole or nothing, and leaves alone what it does not touch.
extension Referee {
    mutating func noteReload(
        _ random: RandomChange, _ id: CommandID, isTaken: Bool, before: [ChildView], _ after: Supervisor
    ) {
        open[id] = Order()
        lastCommand = max(lastCommand, id.rawValue)
        guard isTaken else {
            let views = before.indices.map { after.view(of: ChildID(rawValue: UInt16($0 + 1))) }
            if views != before { complain(8, "a reload was refused and changed something") }
            return
        }
        for child in random.untouched {
            let index = Int(child.rawValue) - 1
            guard let run = before[index].run, before[index].phase == .ready || before[index].phase == .starting else {
                continue
            }
            if after.view(of: child).run != run {
                complain(8, "a reload took the run of \(child), which it did not touch")
            }
        }
        let old = policies
        loosenBarriers()
        if isTame { disturb(from: Array(random.touched)) }
        put(random.change.tree)
        if isTame { disturb(from: Array(random.touched)) } else { forgetAll() }
        for index in old.indices { carryOver(ChildID(rawValue: UInt16(index + 1)), random.change, old[index]) }
        regroup(random.change)
    }

    private mutating func carryOver(_ child: ChildID, _ change: TreeChange, _ old: ChildPolicy) {
        let index = Int(child.rawValue)
        let isRemoved = change.removed.contains(child)
        let enabled = policies[index - 1].enabled
        let wish = isRemoved ? false : old.enabled == enabled ? standings[index].isWanted : enabled
        let isNews = wish != standings[index].isWanted
        let isRestarted = change.restarted.contains(child) && !isRemoved
        standings[index].isWanted = wish
        // As by a stop: switched on again, it runs again.
        if !wish {
            standings[index].parked = nil
            standings[index].mayBeDone = false
        }
        if change.restarted.contains(child), let life = self[child], !life.isUnkillable, life.oldStop == nil {
            lives[index]?.oldStop = old.stop
        }
        if isRestarted || change.changed.contains(child) || (isNews && wish) {
            restarts[index].forget()
            standings[index].parked = nil
            if let group = groupIndex[index], parkedGroups[group]?.because == child { unpark(group) }
        }
        // From now on the clock starts it: nobody waits for it any more.
        if isScheduled(child), old.schedule != policies[index - 1].schedule, self[child] == nil { fulfil(child) }
        // A restart that somebody asked for before the child had a schedule is still owed.
        if isScheduled(child), old.schedule == nil, standings[index].isBouncing { standings[index].isCalled = true }
        if isRestarted, let life = self[child], !life.isUnkillable {
            standings[index].isBouncing = true
            standings[index].isCalled = true
        }
    }

    /// Groups stand where they stood; one that was parked because of a child that is not its own any more goes on.
    private mutating func regroup(_ change: TreeChange) {
        for (group, parked) in parkedGroups
        where groupIndex[Int(parked.because.rawValue)] != group
            || change.changedGroups.contains(GroupID(rawValue: UInt16(group)))
        {
            unpark(group)
        }
        for group in change.changedGroups { groupWindows[Int(group.rawValue)] = nil }
        for (index, life) in lives.enumerated() {
            if let life, groupIndex[index] == nil { swept.remove(life.run) }
        }
    }
}

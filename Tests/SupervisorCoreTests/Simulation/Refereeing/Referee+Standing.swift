import SupervisorCore

/// Nobody is forgotten: where a child stands is where it has to stand, and what has nothing to wait for goes on.
extension Referee {
    mutating func checkStandings(at now: Instant, _ after: Supervisor) {
        if isFinished { return }
        for index in policies.indices {
            let child = ChildID(rawValue: UInt16(index + 1))
            if let life = self[child] {
                checkLife(of: child, life, after)
            } else if level == 0 {
                checkRest(of: child, at: now, after)
            }
        }
    }

    /// A run that has to end is asked to as soon as nothing needs it any more.
    private mutating func checkLife(of child: ChildID, _ life: Life, _ after: Supervisor) {
        if !life.isSpawned || life.stop != nil || life.isLeaving || life.isExited || life.isUnkillable { return }
        if isGoingDown(child, after), trailing(child, orMay: true, after) == nil {
            complain(7, "\(child) has to go down and was not asked to")
        }
    }

    private mutating func checkRest(of child: ChildID, at now: Instant, _ after: Supervisor) {
        let view = after.view(of: child)
        let standing = standings[Int(child.rawValue)]
        if !standing.isWanted {
            if view.phase != .off { complain(7, "\(child) is not wanted and \(view)") }
            return
        }
        switch view.phase {
        case .off: complain(7, "\(child) is wanted and off")
        case .parked:
            if standing.parked == nil, !isInParkedGroup(child) { complain(6, "\(child) is parked for nothing") }
        case .done: if !standing.mayBeDone { complain(7, "\(child) is done and was not: \(view)") }
        case .scheduled: if !isScheduled(child) { complain(7, "\(child) has no schedule and waits for one") }
        case .delayed: if standing.parked != nil { complain(6, "\(child) is parked and delayed") }
        case .waiting: checkWait(of: child, at: now, after)
        case .starting, .ready, .stopping, .unkillable: complain(1, "\(child) is \(view) without a run")
        }
        if view.phase == .scheduled, view.nextTry == nil, policy(child).schedule != .calendar {
            complain(7, "\(child) waits for a time that never comes")
        }
        if standing.parked != nil, view.phase != .parked { complain(6, "\(child) is given up and \(view)") }
        if isScheduled(child), view.phase == .done { complain(7, "\(child) is done for good and has a schedule") }
    }

    private mutating func checkWait(of child: ChildID, at now: Instant, _ after: Supervisor) {
        if crowded.contains(child) || hindrance(of: child, after) != nil { return }
        if let logWriter = tree.logWriter, child != logWriter, !logWriterWasReady,
            now - began <= Tree.logWriterPatience
        {
            return
        }
        // Its group, or what it comes after, may be going down for a restart that need not have been.
        let others = comesAfter(child) + (group(of: child)?.children ?? [])
        if others.contains(where: { self[$0].map { $0.isSweepable && !$0.isUnkillable } ?? false }) { return }
        complain(7, "\(child) waits for nothing: \(after.view(of: child))")
    }
}

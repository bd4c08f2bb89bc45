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
        // The log-writer is let come to its program, to write what the others have said.
        if !(life.isSpawned || life.isCloned && child != tree.logWriter) || life.stop != nil || life.isLeaving
            || life.isExited || life.isUnkillable
        {
            return
        }
        if isGoingDown(child, after), trailing(child, orMay: true, after) == nil {
            complain(7, "\(child) has to go down and was not asked to")
        }
    }

    private mutating func checkRest(of child: ChildID, at now: Instant, _ after: Supervisor) {
        let phase = phase(of: child, after)
        let standing = standings[Int(child.rawValue)]
        if !standing.isWanted {
            if phase != .off { complain(7, "\(child) is not wanted and \(phase)") }
            return
        }
        switch phase {
        case .off: complain(7, "\(child) is wanted and off")
        case .parked:
            if standing.parked == nil, !isInParkedGroup(child) { complain(6, "\(child) is parked for nothing") }
        case .done:
            if !standing.mayBeDone { complain(7, "\(child) is done and was not") }
            standings[Int(child.rawValue)].wasDone = true
        case .scheduled: if !isScheduled(child) { complain(7, "\(child) has no schedule and waits for one") }
        case .delayed: if standing.parked != nil { complain(6, "\(child) is parked and delayed") }
        case .waiting: checkWait(of: child, at: now, after)
        case .starting, .ready, .stopping, .unkillable: complain(1, "\(child) is \(phase) without a run")
        }
        if standing.mayBeDone, phase != .done { noteRevival(of: child) }
        if phase == .scheduled, policy(child).schedule != .calendar, after.view(of: child).nextTry == nil {
            complain(7, "\(child) waits for a time that never comes")
        }
        if standing.parked != nil, phase != .parked { complain(6, "\(child) is given up and \(phase)") }
        if isScheduled(child), phase == .done { complain(7, "\(child) is done for good and has a schedule") }
    }

    /// Only the restart of its group, or a schedule, makes one that was done run again without an owner's word.
    private mutating func noteRevival(of child: ChildID) {
        standings[Int(child.rawValue)].mayBeDone = false
        let isOfItsGroup = policy(child).restart == .onFailure && group(of: child)?.strategy ?? .oneForOne != .oneForOne
        if standings[Int(child.rawValue)].wasDone, !isOfItsGroup, !isScheduled(child) {
            complain(7, "\(child) was done and is not any more")
        }
    }

    private mutating func checkWait(of child: ChildID, at now: Instant, _ after: Supervisor) {
        if crowded.contains(child) || isBarred(child) { return }
        if case .some = hindrance(of: child, after) { return }
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

import SupervisorCore

/// What the referee remembers about the restarts of one child.
struct RestartBook {
    /// Ends in a row that surely count.
    var unstable = 0
    /// It may not start before this without an owner's word.
    var earliest: Instant?
    /// Ends that were followed by a restart, for its intensity.
    var window: [Instant] = []
    /// Of a scheduled child: when it started last, and the times it has had.
    var lastStart: Instant?
    var seconds: Set<Int64> = []

    /// As an owner's word does; what the clock has taken stays taken.
    mutating func forget() {
        unstable = 0
        earliest = nil
        window = []
    }
}

/// The times of a child, as they were last said, and those said before that had come already.
struct Calendar {
    var past: [Moment] = []
    var moments: [Moment] = []
}

/// Promise 6: restarts are bounded in every window, and the back-off is reset after a stable time.
extension Referee {
    mutating func judgeRestart(_ child: ChildID, at now: Instant) {
        // The farewell of a log-writer does not wait: see docs/supervision.md.
        let isFarewell = child == tree.logWriter && level > 0
        if let earliest = restarts[Int(child.rawValue)].earliest, now < earliest, !isFarewell {
            complain(6, "\(child) came back at \(now), too early by \(earliest - now)")
        }
        restarts[Int(child.rawValue)].earliest = nil
        judgeTime(child, at: now)
    }

    mutating func noteTimes(_ child: ChildID, _ moments: [Moment], at now: Instant) {
        guard child.rawValue > 0, Int(child.rawValue) < lives.count else { return }
        // What was due once may still wait for its gates.
        let old = times[child, default: Calendar()]
        times[child] = Calendar(past: (old.past + old.moments).filter { $0.instant <= now }, moments: moments)
    }

    /// A scheduled child starts by the clock, by a command, or not at all; and never twice for one time.
    private mutating func judgeTime(_ child: ChildID, at now: Instant) {
        guard child != tree.logWriter, let schedule = policy(child).schedule else { return }
        defer { restarts[Int(child.rawValue)].lastStart = now }
        switch schedule {
        case .every(let interval): restarts[Int(child.rawValue)].earliest = now + interval
        case .calendar:
            defer { standings[Int(child.rawValue)].isCalled = false }
            guard !standings[Int(child.rawValue)].isCalled, isTame else { return }
            let calendar = times[child, default: Calendar()]
            let known = restarts[Int(child.rawValue)].seconds
            let due = calendar.moments.filter { $0.instant <= now && !known.contains($0.second) }
            // What came before the clock was set may have waited for its gates; or nobody wanted it then.
            let past = due.isEmpty ? calendar.past.filter { !known.contains($0.second) } : []
            if due.isEmpty, past.isEmpty { complain(6, "\(child) started at none of its times") }
            restarts[Int(child.rawValue)].seconds.formUnion((due + past).map(\.second))
        }
    }

    mutating func judgeDelay(_ child: ChildID, _ until: Instant, at now: Instant) {
        if standings[Int(child.rawValue)].parked != nil { complain(6, "\(child) is delayed and parked") }
        let cap = child == tree.logWriter ? .seconds(1) : policy(child).delay.cap
        if until <= now { complain(6, "\(child) is delayed into the past") }
        if until - now > cap + cap / 10 { complain(6, "\(child) is delayed beyond its cap") }
        restarts[Int(child.rawValue)].earliest = max(restarts[Int(child.rawValue)].earliest ?? until, until)
    }

    mutating func noteParked(_ child: ChildID, retry: Instant?) {
        standings[Int(child.rawValue)].parked = Standing.Parked(retry: retry)
        restarts[Int(child.rawValue)].earliest = retry ?? .init(nanoseconds: .max)
    }

    /// True when it is surely a failure that is replaced.
    mutating func countEnd(_ end: EndRecord, of life: Life, in actions: [Action], _ after: Supervisor) -> Bool {
        let child = end.child
        let rule = policy(child).delay
        if !end.cause.isWanted { disturbSiblings(of: child) }
        guard child != tree.logWriter, level == 0, policy(child).schedule == nil else { return false }
        if let ready = life.ready, (life.ending ?? end.ended) - ready >= rule.stableAfter {
            restarts[Int(child.rawValue)].unstable = 0
        }
        if end.cause == .done, isParked(child, in: actions) { return false }
        // A run that was to go down for another reason is nobody's failure.
        guard !life.isDisturbed, isTame, !swept.contains(life.run), isUndisturbed(child, after) else { return false }
        let isStable =
            restarts[Int(child.rawValue)].unstable == 0
            && (life.ready.map { (life.ending ?? end.ended) - $0 >= rule.stableAfter } ?? false)
        switch end.cause {
        case .asked where !life.hasWished: break
        case .dependency, .unkillable: break
        case .recycled, .network: restarts[Int(child.rawValue)].earliest = end.started + min(rule.first, .seconds(9))
        case .done where policy(child).restart != .always: break
        case .config:
            if !isParked(child, in: actions) { complain(6, "\(child) had a configuration error and is not parked") }
        case .done, .crash, .oom, .watchdog, .probe, .unknown, .asked:
            if policy(child).restart == .never, end.cause != .asked { return false }
            if !isStable { restarts[Int(child.rawValue)].unstable += 1 }
            restarts[Int(child.rawValue)].earliest =
                end.started + delay(rule, after: restarts[Int(child.rawValue)].unstable)
            judgeBounds(child, at: end.ended, isParked: isParked(child, in: actions))
            return end.cause != .asked && !isParked(child, in: actions)
        }
        return false
    }

    /// Its group may restart because of it: what ends there meanwhile need not be counted.
    private mutating func disturbSiblings(of child: ChildID) {
        guard let group = group(of: child), group.strategy != .oneForOne else { return }
        for sibling in group.children {
            self[sibling]?.isDisturbed = true
            self[sibling]?.isSweepable = true
        }
    }

    private mutating func judgeBounds(_ child: ChildID, at now: Instant, isParked: Bool) {
        let rule = policy(child).delay
        if isParked { return }
        judgeGroupBounds(child, at: now)
        if restarts[Int(child.rawValue)].unstable >= max(1, Int(rule.parkAfter)) {
            complain(
                6, "\(child) had \(restarts[Int(child.rawValue)].unstable) unstable runs in a row and is not parked")
        }
        guard let intensity = policy(child).intensity else { return }
        restarts[Int(child.rawValue)].window.append(now)
        let recent = restarts[Int(child.rawValue)].window.suffix(Int(intensity.restarts) + 1)
        if recent.count > Int(intensity.restarts), let first = recent.first, now - first <= intensity.window {
            complain(6, "\(child) restarted more often than its intensity allows")
        }
    }

    private mutating func judgeGroupBounds(_ child: ChildID, at now: Instant) {
        guard let index = groupIndex[Int(child.rawValue)], let intensity = tree.groups[index].intensity else { return }
        groupWindows[index, default: []].append(now)
        let recent = groupWindows[index, default: []].suffix(Int(intensity.restarts) + 1)
        if recent.count > Int(intensity.restarts), let first = recent.first, now - first <= intensity.window {
            complain(6, "the group of \(child) restarted more often than its intensity allows")
        }
    }

    /// Doubling from the first to the cap; after none the first, because that is the bound of all restarts.
    private func delay(_ rule: DelayRule, after unstable: Int) -> Duration {
        var delay = rule.first
        for _ in 1..<max(2, unstable + 0) where unstable > 1 && delay < rule.cap { delay = delay * 2 }
        return min(delay, rule.cap)
    }

    private func isParked(_ child: ChildID, in actions: [Action]) -> Bool {
        actions.contains {
            if case .record(.parked(child, _, _)) = $0 { true } else { false }
        }
    }

    /// Everything it requires, and what that requires, serves, and its group runs.
    private func isUndisturbed(_ child: ChildID, _ after: Supervisor) -> Bool {
        if isInParkedGroup(child) { return false }
        return requires(child).allSatisfy {
            (self[$0]?.serves == true && isUndisturbed($0, after))
                || (self[$0] == nil && isDone($0, after))
        }
    }
}

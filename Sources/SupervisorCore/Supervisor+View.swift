extension Supervisor {
    /// Where a child stands.
    public func view(of child: ChildID) -> ChildView {
        guard contains(child) else { return ChildView(phase: .off, since: Instant(nanoseconds: 0)) }
        let entry = self[child]
        var view = ChildView(phase: entry.state.phase, since: entry.since)
        view.run = entry.state.run?.id
        view.started = entry.state.run?.started
        view.ready = entry.state.run?.ready
        view.watchdog = entry.state.run?.watchdog(under: policy(child))
        view.unstableRuns = entry.tally.unstable
        view.endedRuns = entry.tally.ended
        view.restarts = entry.tally.restarts
        view.lastEnd = entry.lastEnd
        if let timetable = timetables[child] {
            view.isScheduled = true
            view.skippedRuns = timetable.skipped
            view.nextTry = entry.state == .off ? nil : timetable.next
        }
        switch entry.state {
        case .off:
            view.cause = policy(child).enabled && life != .idle ? .asked : nil
        case .waiting:
            fillWaiting(&view, of: child)
        case .delayed(let until, let cause):
            view.cause = cause
            view.nextTry = until
        case .spawning(_, let until): view.until = until
        case .starting(_, let starting): view.until = starting.until
        case .stopping(let run, let ending):
            // Why a run leaves by itself is known when it has left.
            let isLeaving = ending.verdict == .byExit && ending.step.exit == nil
            view.cause = isLeaving ? nil : cause(of: ending, child, run)
            view.until = ending.step.until
            view.stop = stopRule(child)
            if case .draining = ending.step { view.isDraining = true }
        case .unkillable: view.cause = .unkillable
        case .parked(let cause, let retry, let ground):
            view.cause = cause
            view.ground = ground
            view.nextTry = retry ?? group(of: child).flatMap { parked($0) ?? nil }
        case .scheduled, .serving, .done: break
        }
        view.cause = view.cause ?? failure(of: child)
        return view
    }

    /// Why the last run failed of a child that the clock starts: that stands until one has succeeded, also while the next is there.
    private func failure(of child: ChildID) -> Cause? {
        guard isScheduled(child), self[child].tally.unstable > 0 else { return nil }
        switch self[child].state {
        case .scheduled, .waiting, .spawning, .starting, .serving: return self[child].lastEnd?.cause
        case .off, .delayed, .stopping, .unkillable, .parked, .done: return nil
        }
    }

    /// When a parked group is tried again; nil when it is not parked. `.some(nil)`: it waits for a command.
    public func parked(_ group: GroupID) -> Instant?? {
        guard Int(group.rawValue) < groups.count else { return nil }
        switch groups[Int(group.rawValue)].state {
        case .running: return nil
        case .parked(_, let retry): return .some(retry)
        }
    }

    /// A member of a parked group is shown as parked with it; any other names what it waits for.
    private func fillWaiting(_ view: inout ChildView, of child: ChildID) {
        if let group = group(of: child), case .parked(let because, let retry) = groups[Int(group.rawValue)].state {
            view.phase = .parked
            view.cause = .dependency
            view.waitsFor = because
            if case .parked(_, _, let ground) = self[because].state { view.ground = ground }
            view.nextTry = retry
            return
        }
        view.cause = isHeld(child) ? .dependency : nil
        view.hold = hold(of: child)
        view.waitsFor = view.hold?.child
    }

    /// The first thing that keeps this one from starting.
    private func hold(of child: ChildID) -> Hold? {
        if let held = order.requires[child].first(where: { self[$0].facets.contains(.withdrawn) }) {
            return .requires(held)
        }
        if let logWriter = tree.logWriter, !isLogWriter(child) {
            if life == .awaitingLogWriter { return .logWriter(logWriter) }
            if self[child].isCrowded { return .output(logWriter) }
        }
        if let holder = self[child].state.barrier { return .barrier(holder) }
        if let unmet = order.requires[child].first(where: { !self[$0].facets.contains(.serves) }) {
            return .requires(unmet)
        }
        if let ahead = order.after[child].first(where: { !self[$0].facets.contains(.settled) }) { return .after(ahead) }
        guard let group = group(of: child) else { return nil }
        let entry = groups[Int(group.rawValue)]
        if let swept = entry.members.first(where: { self[$0].isSwept }) { return .sweep(swept) }
        guard let previous = order.previous[child.index], !self[previous].facets.contains(.passed) else { return nil }
        return entry.members.first { !self[$0].facets.contains(.settled) }.map { .order($0) }
    }
}

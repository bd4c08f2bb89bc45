/// Where a child should be going.
enum Goal: Hashable, Sendable {
    case up
    /// For `asked` or `dependency`.
    case down(Cause)
}

extension Supervisor {
    /// Puts a child into a state. Neighbours hear of it and it takes a step before the turn ends.
    mutating func enter(_ child: ChildID, _ state: ChildState, _ turn: inout Turn) {
        let old = self[child].state
        if old.phase != state.phase { self[child].since = turn.now }
        if old.isAlive, !state.isAlive { liftBarrier(of: child, &turn) }
        if old.isAlive != state.isAlive, !isLogWriter(child) {
            aliveCount += state.isAlive ? 1 : -1
            if aliveCount == 0, let logWriter = tree.logWriter, contains(logWriter) { touch(logWriter) }
        }
        revise(child, state)
        touch(child)
    }

    /// Changes the data of a state where that means nothing to anybody else.
    mutating func revise(_ child: ChildID, _ state: ChildState) {
        barredCount += (state.barrier == nil ? 0 : 1) - (self[child].state.barrier == nil ? 0 : 1)
        self[child].state = state
        deadlines.set(child.index, deadline(of: child))
    }

    /// The child is to be looked at before the turn ends.
    mutating func touch(_ child: ChildID) {
        changed.add(child)
        touched.add(child)
    }

    /// Looks at every touched child until nothing changes. All neighbours are told before anybody acts: so no child is
    /// stopped before one that requires it has heard that it has to go down first.
    mutating func settle(_ turn: inout Turn) {
        while true {
            while let child = changed.next() { tellNeighbours(of: child) }
            guard let child = touched.next() else { return }
            step(child, &turn)
            answerWaiters(of: child, &turn)
        }
    }

    /// Where this child should be going.
    func goal(of child: ChildID) -> Goal {
        switch life {
        case .finished: return .down(.asked)
        case .ending:
            // The log-writer serves to the end, also where a command had wanted it down sooner.
            let isNeeded = isLogWriter(child) && aliveCount > 0 && (self[child].wanted || self[child].state.isAlive)
            return isNeeded ? .up : .down(.asked)
        case .idle, .awaitingLogWriter, .running: break
        }
        if !self[child].wanted || self[child].isBouncing { return .down(.asked) }
        return self[child].isSwept || isHeld(child) ? .down(.dependency) : .up
    }

    /// True while something it depends on goes down on purpose or is given up, its group included.
    func isHeld(_ child: ChildID) -> Bool { self[child].gates.withdrawn > 0 || isInParkedGroup(child) }

    /// True while it will not come up by itself: nobody wants it, or something it depends on is given up.
    func isHopeless(_ child: ChildID) -> Bool {
        !self[child].wanted || self[child].gates.hopeless > 0 || isInParkedGroup(child)
    }

    private func isInParkedGroup(_ child: ChildID) -> Bool {
        guard let group = group(of: child) else { return false }
        return groups[Int(group.rawValue)].state != .running
    }

    private mutating func step(_ child: ChildID, _ turn: inout Turn) {
        switch (goal(of: child), self[child].state) {
        case (.up, .off):
            comeUp(child, &turn)
        case (.up, .waiting):
            if gatesHold(for: child) { spawn(child, &turn) }
        case (.up, _): break
        case (.down(let cause), .starting), (.down(let cause), .serving):
            guard mayStop(child) else { return }
            if isLogWriter(child) { giveUpUnkillable(&turn) }
            beginStop(child, for: cause, &turn)
        // Before its exec too, but for the log-writer, which has the last lines of all others to write before it goes.
        case (.down(let cause), .spawning(let run, _)):
            guard run.hasProcess, !isLogWriter(child), mayStop(child) else { return }
            beginStop(child, for: cause, &turn)
        case (.down, .stopping): hastenRecycling(child, &turn)
        case (.down, .off), (.down, .unkillable): break
        case (.down, .waiting), (.down, .scheduled), (.down, .delayed), (.down, .parked), (.down, .done):
            restWithoutRun(child, &turn)
        }
    }

    /// A child that has no run and should have none: off if nobody wants it, else it stays what it is.
    private mutating func restWithoutRun(_ child: ChildID, _ turn: inout Turn) {
        let isEnding: Bool
        switch life {
        case .idle, .awaitingLogWriter, .running: isEnding = false
        case .ending, .finished: isEnding = true
        }
        guard isEnding || !self[child].wanted else { return }
        if isEnding, startsFarewell(child) {
            farewells += 1
            spawn(child, &turn)
        } else {
            enter(child, .off, &turn)
        }
    }

    private mutating func tellNeighbours(of child: ChildID) {
        let facets = facets(of: child)
        let news = facets.symmetricDifference(self[child].facets)
        if news.isEmpty { return }
        self[child].facets = facets
        for dependent in order.requiredBy[child] {
            if news.contains(.serves) { self[dependent].gates.unmet.count(!facets.contains(.serves)) }
            if news.contains(.withdrawn) { self[dependent].gates.withdrawn.count(facets.contains(.withdrawn)) }
            if news.contains(.hopeless) { self[dependent].gates.hopeless.count(facets.contains(.hopeless)) }
            if !news.isDisjoint(with: [.serves, .withdrawn, .hopeless]) { touch(dependent) }
        }
        if news.contains(.settled) {
            for follower in order.followedBy[child] {
                self[follower].gates.unsettled.count(!facets.contains(.settled))
                touch(follower)
            }
        }
        if news.contains(.trails) {
            for edges in [order.requires[child], order.after[child]] {
                for dependency in edges {
                    self[dependency].gates.trailing.count(facets.contains(.trails))
                    touched.add(dependency)
                }
            }
        }
        if news.contains(.passed), let next = order.next[child.index] { touch(next) }
        if news.contains(.trailed), let previous = order.previous[child.index] { touch(previous) }
    }

    /// What the neighbours of this child must know of it, as things stand.
    func facets(of child: ChildID) -> Facets {
        let isHopeless = isHopeless(child)
        let isGoingDown = goal(of: child) != .up
        var facets: Facets
        switch self[child].state {
        // One that goes down only to come back has not come as far as it will.
        case .serving: facets = isGoingDown && !isHopeless ? .serves : [.serves, .settled]
        // One that is done and no longer wanted is on its way to off: nobody may start on it any more.
        case .done where !self[child].wanted: facets = [.settled, .withdrawn, .hopeless]
        case .done: return orderFacets(of: child, [.serves, .settled])
        case .off, .parked, .unkillable: facets = [.settled, .withdrawn, .hopeless]
        case .scheduled: facets = .settled
        case .waiting, .delayed: facets = isHopeless ? .settled : []
        case .spawning, .starting, .stopping: facets = []
        }
        if isHopeless { facets.formUnion([.withdrawn, .hopeless]) }
        // A sweep is the restart of a group after a crash: what requires its members keeps running, as after any crash.
        if self[child].isBouncing || isHeld(child) { facets.insert(.withdrawn) }
        if isGoingDown, self[child].state.isAlive { facets.insert(.trails) }
        return orderFacets(of: child, facets)
    }

    /// The same with what the order of its group makes of it. One that goes down for good counts as passed while it still
    /// runs: else the stop of a group would tell all members after it twice, for each of its members.
    private func orderFacets(of child: ChildID, _ facets: Facets) -> Facets {
        var result = facets
        let isBehind = facets.contains(.settled) || facets.contains(.hopeless) || level > 0
        let previous = order.previous[child.index]
        if isBehind, previous.map({ self[$0].facets.contains(.passed) }) ?? true { result.insert(.passed) }
        let next = order.next[child.index]
        if facets.contains(.trails) || (next.map { self[$0].facets.contains(.trailed) } ?? false) {
            result.insert(.trailed)
        }
        return result
    }
}

extension UInt16 {
    /// One more or one less, within bounds.
    fileprivate mutating func count(_ more: Bool) {
        if more {
            if self < .max { self += 1 }
        } else if self > 0 {
            self -= 1
        }
    }
}

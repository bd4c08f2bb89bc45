extension Supervisor {
    /// Carries out an owner's word. It is answered when it has come to be, or cannot.
    mutating func carryOut(_ command: Command, _ id: CommandID, _ turn: inout Turn) {
        switch life {
        case .ending, .finished:
            turn.actions.append(.answer(id, .overtaken))
            return
        case .idle, .awaitingLogWriter, .running: break
        }
        var effect = Effect()
        switch command {
        case .start(let target): start(target, &effect, &turn)
        case .stop(let target): stop(target, &effect, &turn)
        case .restart(let target): restart(target, &effect, &turn)
        case .reset(let target): reset(target, &effect, &turn)
        }
        expect(effect, id, &turn)
    }

    /// What a command does: whether it changed anything, and what it waits for.
    struct Effect {
        var isChange = false
        var desires: [(child: ChildID, desire: Waiter.Desire)] = []
    }

    func members(of target: Command.Target) -> [ChildID] {
        switch target {
        case .child(let child): contains(child) ? [child] : []
        case .group(let group): Int(group.rawValue) < groups.count ? groups[Int(group.rawValue)].members : []
        // The log-writer is part of the machine, not of what it runs: only its own name stops it.
        case .all: children.indices.lazy.map { ChildID(index: $0) }.filter { !isLogWriter($0) }
        }
    }

    /// A child named by itself is meant; of a group or of everything, only what the plan or an owner wants.
    func isMeant(_ child: ChildID, by target: Command.Target) -> Bool {
        switch target {
        case .child: true
        case .group, .all: self[child].wanted || policy(child).enabled
        }
    }

    private mutating func start(_ target: Command.Target, _ effect: inout Effect, _ turn: inout Turn) {
        let named = members(of: target).filter { isMeant($0, by: target) }
        for child in closure(of: named, over: order.requires) {
            if rests(child), target != .child(child) { continue }
            if isScheduled(child), self[child].state == .off, target != .child(child) {
                waitForTime(of: child, &effect, &turn)
                continue
            }
            revive(child, &effect, &turn)
            effect.desires.append((child, .up))
        }
    }

    /// Wanted again, but not before its time: only its own name runs it at once.
    private mutating func waitForTime(of child: ChildID, _ effect: inout Effect, _ turn: inout Turn) {
        effect.isChange = true
        self[child].wanted = true
        comeUp(child, &turn)
    }

    /// Done, or to be started by the clock: it runs again only if it is named.
    private func rests(_ child: ChildID) -> Bool {
        switch self[child].state {
        case .done, .scheduled: true
        case .off, .waiting, .delayed, .spawning, .starting, .serving, .stopping, .unkillable, .parked: false
        }
    }

    private mutating func stop(_ target: Command.Target, _ effect: inout Effect, _ turn: inout Turn) {
        let named = members(of: target)
        for child in named where self[child].wanted {
            self[child].wanted = false
            effect.isChange = true
            touch(child)
            // The owner took away what had parked the group: the others need not wait for it any longer.
            if let group = group(of: child), case .parked(let culprit, _) = groups[Int(group.rawValue)].state,
                culprit == child
            {
                unpark(group, &turn)
            }
        }
        for child in closure(of: named, over: order.requiredBy) { effect.desires.append((child, .down)) }
    }

    private mutating func restart(_ target: Command.Target, _ effect: inout Effect, _ turn: inout Turn) {
        let named = members(of: target).filter { target == .child($0) || self[$0].wanted }
        let isNamed = Set(named)
        for child in closure(of: named, over: order.requires) {
            if rests(child), target != .child(child) { continue }
            if isNamed.contains(child), self[child].state.isAlive {
                self[child].isBouncing = true
                effect.isChange = true
                touch(child)
            }
            revive(child, &effect, &turn)
            effect.desires.append((child, .up))
        }
    }

    private mutating func reset(_ target: Command.Target, _ effect: inout Effect, _ turn: inout Turn) {
        for child in members(of: target) {
            let wanted = policy(child).enabled
            if let group = group(of: child), groups[Int(group.rawValue)].state != .running {
                effect.isChange = true
                unpark(group, &turn)
            }
            if wanted, isScheduled(child), self[child].state.run == nil {
                // What a reset undoes is a stop; it is no reason to run between its times, nor one to forget a run that was
                // called, or whose time has come, and waits for its gates.
                switch self[child].state {
                case .scheduled, .waiting: self[child].tally.forget()
                case .off, .delayed, .spawning, .starting, .serving, .stopping, .unkillable, .parked, .done:
                    waitForTime(of: child, &effect, &turn)
                }
                continue
            }
            if wanted {
                revive(child, &effect, &turn)
            } else if self[child].wanted {
                self[child].wanted = false
                effect.isChange = true
                touch(child)
            }
            effect.desires.append((child, wanted ? .up : .down))
        }
    }

    /// Wanted from now on, with nothing held against it.
    private mutating func revive(_ child: ChildID, _ effect: inout Effect, _ turn: inout Turn) {
        if !self[child].wanted || self[child].tally.isTroubled { effect.isChange = true }
        self[child].wanted = true
        self[child].tally.forget()
        self[child].restarts = RestartWindow()
        touch(child)
        if let group = group(of: child), groups[Int(group.rawValue)].state != .running {
            effect.isChange = true
            unpark(group, &turn)
        }
        switch self[child].state {
        case .off, .scheduled, .parked, .delayed, .done:
            effect.isChange = true
            enter(child, .waiting(), &turn)
        case .waiting, .spawning, .starting, .serving, .stopping, .unkillable: break
        }
    }

    /// These children and all that can be reached from them.
    func closure(of roots: [ChildID], over edges: Edges) -> [ChildID] {
        var reached = roots
        var known = Set(roots)
        var next = 0
        while next < reached.count {
            for child in edges[reached[next]] where known.insert(child).inserted { reached.append(child) }
            next += 1
        }
        return reached
    }

    mutating func expect(_ effect: Effect, _ id: CommandID, _ turn: inout Turn) {
        for (child, desire) in effect.desires { overtake(on: child, unless: desire, &turn) }
        let waiting = effect.desires.filter { outcome(of: $0.child, $0.desire) != .done }
        if waiting.isEmpty {
            turn.actions.append(.answer(id, effect.isChange ? .done : .unchanged))
            return
        }
        commandCount &+= 1
        let key = CommandKey(rawValue: commandCount)
        commands[key] = PendingCommand(id: id, remaining: waiting.count)
        for (child, desire) in waiting {
            self[child].waiters.append(Waiter(command: key, desire: desire))
            touch(child)
        }
    }
}

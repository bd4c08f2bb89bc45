@testable import SupervisorCore

/// What the referee knows of one child beside its run: who wants it, and what has become of it.
struct Standing {
    /// So many began.
    var runs = 0
    var isWanted: Bool
    /// It goes down once, because an owner or a reload restarts it.
    var isBouncing = false
    /// Given up for now; when it is tried again, if ever.
    var parked: Parked?
    /// Its last run ended with success and its rule wants no more; a sibling's restart may have changed that since.
    var mayBeDone = false
    /// It was seen to be done since.
    var wasDone = false
    /// The owner's word runs it although it is not its time.
    var isCalled = false
    /// How its last run ended.
    var lastCause: Cause?
    /// Whose run has what it needs.
    var barrier: Referee.Barrier?

    struct Parked {
        var retry: Instant?
    }
}

/// A group that is given up for now.
struct ParkedGroup {
    let because: ChildID
    let retry: Instant?
}

/// What owners and reloads want, by the words of docs/supervision.md, and who goes down for whose sake.
extension Referee {
    func isWanted(_ child: ChildID) -> Bool { standings[Int(child.rawValue)].isWanted }

    /// It is done, as far as the core says so and it can be.
    func isDone(_ child: ChildID, _ after: Supervisor) -> Bool {
        standings[Int(child.rawValue)].mayBeDone && isWanted(child) && phase(of: child, after) == .done
    }

    /// As `view` says it, where nothing but that is asked: a simulation asks often.
    func phase(of child: ChildID, _ after: Supervisor) -> Phase {
        let phase = after[child].state.phase
        if phase == .waiting, let group = after.group(of: child), after.parked(group) != nil { return .parked }
        return phase
    }

    /// Something that it requires, or its group, is given up or goes down on purpose: so does it.
    func isHeld(_ child: ChildID, _ after: Supervisor) -> Bool {
        isInParkedGroup(child) || requires(child).contains { isWithdrawn($0, after) }
    }

    private func isWithdrawn(_ child: ChildID, _ after: Supervisor) -> Bool {
        let standing = standings[Int(child.rawValue)]
        if !standing.isWanted || standing.parked != nil || self[child]?.isUnkillable == true { return true }
        if isDone(child, after) { return false }
        return standing.isBouncing || isHeld(child, after)
    }

    /// It will not come up by itself.
    func isHopeless(_ child: ChildID, _ after: Supervisor) -> Bool {
        if !isWanted(child) || isInParkedGroup(child) { return true }
        return requires(child).contains { required in
            if isDone(required, after) { return false }
            return standings[Int(required.rawValue)].parked != nil || self[required]?.isUnkillable == true
                || isHopeless(required, after)
        }
    }

    func isInParkedGroup(_ child: ChildID) -> Bool {
        groupIndex[Int(child.rawValue)].map { parkedGroups[$0] != nil } ?? false
    }

    /// Its run surely has to end.
    func isGoingDown(_ child: ChildID, _ after: Supervisor) -> Bool {
        let standing = standings[Int(child.rawValue)]
        if level > 0 {
            return child != tree.logWriter
                || !lives.indices.contains { lives[$0].map { !$0.isUnkillable } ?? false && $0 != Int(child.rawValue) }
        }
        return !standing.isWanted || standing.isBouncing || isHeld(child, after)
            || self[child].map { swept.contains($0.run) } ?? false
    }

    func requires(_ child: ChildID) -> [ChildID] {
        child == tree.logWriter ? [] : policies[Int(child.rawValue) - 1].requires
    }

    func comesAfter(_ child: ChildID) -> [ChildID] {
        child == tree.logWriter ? [] : policies[Int(child.rawValue) - 1].after
    }

    // MARK: Owners

    /// The children that a command means, and all it may do something to: their ends need not be counted.
    mutating func noteCommand(_ command: Command, _ id: CommandID) {
        var order = Order(command: command)
        if level == 0, isTame {
            switch command {
            case .start(let target):
                let named = members(of: target).filter { target == .child($0) || isWanted($0) || policy($0).enabled }
                start(named, target, &order, isRestart: false)
            case .restart(let target):
                let named = members(of: target).filter { target == .child($0) || isWanted($0) }
                start(named, target, &order, isRestart: true)
            case .stop(let target):
                let named = members(of: target)
                for child in named {
                    dismiss(child)
                    if self[child] != nil { order.down.insert(child) }
                }
                disturb(from: named)
            case .reset(let target): reset(members(of: target), &order)
            }
        } else if !isTame {
            forgetAll()
        }
        open[id] = order
    }

    /// In wild trees nobody knows whom a command reaches.
    mutating func forgetAll() {
        for index in restarts.indices { restarts[index] = RestartBook() }
        for index in lives.indices { lives[index]?.isDisturbed = true }
    }

    private func members(of target: Command.Target) -> [ChildID] {
        switch target {
        case .child(let child): child.rawValue > 0 && Int(child.rawValue) < lives.count ? [child] : []
        case .group(let group):
            Int(group.rawValue) < tree.groups.count ? tree.groups[Int(group.rawValue)].children : []
        case .all: policies.indices.map { ChildID(rawValue: UInt16($0 + 1)) }.filter { $0 != tree.logWriter }
        }
    }

    private mutating func start(
        _ named: [ChildID], _ target: Command.Target, _ order: inout Order, isRestart: Bool
    ) {
        for child in closure(of: named, over: requires) {
            let standing = standings[Int(child.rawValue)]
            // One that is done, or waits for its time, runs only by its own name.
            if self[child] == nil, isScheduled(child) || standing.isWanted && standing.mayBeDone,
                target != .child(child)
            {
                standings[Int(child.rawValue)].isWanted = true
                continue
            }
            if isRestart, named.contains(child), let life = self[child], !life.isUnkillable {
                standings[Int(child.rawValue)].isBouncing = true
            }
            revive(child)
            if isScheduled(child) {
                standings[Int(child.rawValue)].isCalled =
                    target == .child(child) || standings[Int(child.rawValue)].isBouncing
            }
            if self[child]?.serves != true || standings[Int(child.rawValue)].isBouncing {
                order.expect(child, after: runsBefore(child))
            }
        }
        disturb(from: named)
    }

    private mutating func reset(_ named: [ChildID], _ order: inout Order) {
        for child in named {
            if let group = groupIndex[Int(child.rawValue)] { unpark(group) }
            if !policy(child).enabled {
                dismiss(child)
                if self[child] != nil { order.down.insert(child) }
            } else if isScheduled(child), self[child] == nil {
                standings[Int(child.rawValue)].isWanted = true
            } else {
                revive(child)
                // What it takes back is a stop; a restart that was owed before that is owed again.
                if isScheduled(child), standings[Int(child.rawValue)].isBouncing {
                    standings[Int(child.rawValue)].isCalled = true
                }
                // One that serves may be on its way down for what it requires, and is waited for all the same.
                order.meant.insert(child)
                if self[child]?.serves != true { order.expect(child, after: runsBefore(child)) }
            }
        }
        disturb(from: named)
    }

    private mutating func dismiss(_ child: ChildID) {
        if let group = groupIndex[Int(child.rawValue)], parkedGroups[group]?.because == child { unpark(group) }
        standings[Int(child.rawValue)].isWanted = false
        standings[Int(child.rawValue)].parked = nil
        standings[Int(child.rawValue)].mayBeDone = false
        standings[Int(child.rawValue)].isCalled = false
    }

    /// Wanted, and nothing is held against it any more.
    private mutating func revive(_ child: ChildID) {
        standings[Int(child.rawValue)].isWanted = true
        standings[Int(child.rawValue)].parked = nil
        standings[Int(child.rawValue)].mayBeDone = false
        restarts[Int(child.rawValue)].forget()
        if let group = groupIndex[Int(child.rawValue)] { unpark(group) }
    }

    mutating func unpark(_ group: Int) {
        guard let parked = parkedGroups.removeValue(forKey: group) else { return }
        standings[Int(parked.because.rawValue)].parked = nil
        restarts[Int(parked.because.rawValue)].earliest = nil
        groupWindows[group] = nil
        for member in tree.groups[group].children { self[member]?.isDisturbed = true }
    }

    /// Slow retries that are due.
    mutating func noteTick(at now: Instant) {
        for (group, parked) in parkedGroups {
            if let retry = parked.retry, retry <= now { unpark(group) }
        }
        for index in standings.indices {
            if let retry = standings[index].parked?.retry, retry <= now, !isCritical(index) {
                standings[index].parked = nil
            }
        }
    }

    /// Parked with its group, which is tried again as one.
    private func isCritical(_ index: Int) -> Bool { parkedGroups.values.contains { Int($0.because.rawValue) == index } }

    /// What requires these, and what they require, may go down or come up because of what is done to them.
    mutating func disturb(from named: [ChildID]) {
        var reached = Set(closure(of: named, over: requires))
        reached.formUnion(dependents(of: named))
        for child in reached { self[child]?.isDisturbed = true }
    }

    func dependents(of named: [ChildID]) -> [ChildID] {
        closure(of: named) { child in
            policies.indices.map { ChildID(rawValue: UInt16($0 + 1)) }.filter { requires($0).contains(child) }
        }
    }

    private func closure(of roots: [ChildID], over edges: (ChildID) -> [ChildID]) -> [ChildID] {
        var reached = roots
        var next = 0
        while next < reached.count {
            for child in edges(reached[next]) where !reached.contains(child) { reached.append(child) }
            next += 1
        }
        return reached
    }

    func isScheduled(_ child: ChildID) -> Bool {
        child != tree.logWriter && policies[Int(child.rawValue) - 1].schedule != nil
    }
}

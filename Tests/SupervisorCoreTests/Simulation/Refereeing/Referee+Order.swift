import SupervisorCore

/// Promise 7: gates, orders and strategies.
extension Referee {
    /// The restart of an ordered group: these runs have to be over before anything of it starts.
    mutating func noteSweep(_ child: ChildID, _ cause: Cause, _ lives: [Life?], _ after: Supervisor) {
        guard isTame, cause != .network, cause != .recycled, cause != .asked, level == 0, !isScheduled(child) else {
            return
        }
        let isReasonable = requires(child).allSatisfy {
            lives[Int($0.rawValue)]?.serves == true || isDone($0, after)
        }
        guard isReasonable, let group = group(of: child) else { return }
        let siblings: [ChildID]
        switch group.strategy {
        case .oneForOne: siblings = []
        case .oneForAll: siblings = group.children.filter { $0 != child }
        case .restForOne: siblings = Array(group.children.drop { $0 != child }.dropFirst())
        }
        for sibling in siblings {
            guard let life = lives[Int(sibling.rawValue)], !life.isUnkillable else { continue }
            swept.insert(life.run)
        }
    }

    /// What keeps a child from starting; nil: nothing.
    func hindrance(of child: ChildID, _ after: Supervisor) -> Hindrance? {
        let required = requires(child)
        for other in required where self[other]?.serves != true && !isDone(other, after) { return .required(other) }
        if child != tree.logWriter, isHeld(child, after) { return .held }
        for other in comesAfter(child) where !isSettled(other, after) && !required.contains(other) {
            return .earlier(other)
        }
        guard let group = group(of: child) else { return nil }
        if group.strategy != .oneForOne {
            for other in group.children {
                if other == child { break }
                if !isSettled(other, after), !isHopeless(other, after) { return .earlier(other) }
            }
        }
        if swept.isEmpty { return nil }
        let isStillDown = group.children.contains {
            self[$0].map { swept.contains($0.run) && !$0.isUnkillable } ?? false
        }
        return isStillDown ? .group : nil
    }

    /// Why a child may not start.
    enum Hindrance {
        /// This one, which it requires, does not serve.
        case required(ChildID)
        /// What it requires, or its group, is given up or goes down.
        case held
        /// This one comes first: it comes after it, or the order of their group says so.
        case earlier(ChildID)
        /// Its group is going down for a restart.
        case group
    }

    /// It has come as far as it will for now.
    private func isSettled(_ child: ChildID, _ after: Supervisor) -> Bool {
        if let life = self[child] {
            return life.isUnkillable || (life.serves && (!isGoingDown(child, after) || isHopeless(child, after)))
        }
        if isDone(child, after) || standings[Int(child.rawValue)].parked != nil { return true }
        if phase(of: child, after) == .scheduled { return true }
        return isHopeless(child, after)
    }

    /// What must be empty before this one is asked to stop; `orMay`: also what may have to, for a restart of its group
    /// that need not have been.
    func trailing(_ child: ChildID, orMay: Bool = false, _ after: Supervisor) -> ChildID? {
        for (index, life) in lives.enumerated() {
            guard let life, !life.isUnkillable, index != Int(child.rawValue) else { continue }
            let other = ChildID(rawValue: UInt16(index))
            let depends = requires(other).contains(child) || comesAfter(other).contains(child)
            if depends || isLater(other, than: child) || child == tree.logWriter && level > 0,
                isGoingDown(other, after) || (orMay && life.isSweepable)
            {
                return other
            }
        }
        return nil
    }

    private func isLater(_ other: ChildID, than child: ChildID) -> Bool {
        guard let group = group(of: child), group.strategy != .oneForOne else { return false }
        return group.children.drop { $0 != child }.dropFirst().contains(other)
    }

    mutating func judgeStop(_ child: ChildID, _ cause: Cause, _ after: Supervisor) {
        guard isTame, level < 3 else { return }
        switch cause {
        // Its own wish comes when it likes, like an end that nobody asked for.
        case .asked where self[child]?.hasWished == true: return
        case .asked:
            if level == 0, isWanted(child), !standings[Int(child.rawValue)].isBouncing {
                complain(8, "\(child) was stopped and nobody asked for it")
            }
        case .dependency:
            let isForOthers = isHeld(child, after) || self[child]?.isSweepable == true
            if level > 0 || !isForOthers { complain(7, "\(child) was stopped for nothing") }
        case .done, .config, .crash, .oom, .watchdog, .probe, .network, .recycled, .unkillable, .unknown: return
        }
        if let other = trailing(child, after) { complain(7, "\(child) was stopped before \(other)") }
    }
}

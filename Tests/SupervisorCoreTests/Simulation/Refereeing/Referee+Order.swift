import SupervisorCore

/// Promise 7: gates, orders and strategies.
extension Referee {
    /// The restart of an ordered group: these runs have to be over before anything of it starts.
    mutating func noteSweep(_ child: ChildID, _ cause: Cause, _ lives: [Life?], _ after: Supervisor) {
        guard isTame, cause != .network, cause != .recycled, level == 0 else { return }
        let isReasonable = policy(child).requires.allSatisfy {
            lives[Int($0.rawValue)]?.serves == true || after.view(of: $0).phase == .done
        }
        guard isReasonable, let index = tree.groups.firstIndex(where: { $0.children.contains(child) }) else { return }
        let members = tree.groups[index].children
        let siblings: [ChildID]
        switch tree.groups[index].strategy {
        case .oneForOne: siblings = []
        case .oneForAll: siblings = members.filter { $0 != child }
        case .restForOne: siblings = Array(members.drop { $0 != child }.dropFirst())
        }
        for sibling in siblings {
            guard let life = lives[Int(sibling.rawValue)], !life.isUnkillable else { continue }
            swept[index, default: []].insert(life.run)
        }
    }

    mutating func judgeGates(of child: ChildID, _ after: Supervisor) {
        guard isTame else { return }
        for required in policy(child).requires {
            let serves = self[required]?.serves ?? (after.view(of: required).phase == .done)
            if !serves { complain(7, "\(child) started without \(required)") }
        }
        for other in policy(child).after where !isSettled(other, after) {
            complain(7, "\(child) started before \(other)")
        }
        guard let index = tree.groups.firstIndex(where: { $0.children.contains(child) }) else { return }
        let group = tree.groups[index]
        if group.strategy == .oneForOne { return }
        for other in group.children.prefix(while: { $0 != child }) {
            // A member that is going down for good holds up nobody, even before it is down.
            let isGoing =
                self[other]?.stop.map { $0 == .asked || $0 == .dependency } ?? false || hasCommands
                || isHeld(other, after)
            if !isGoing, !isSettled(other, after) { complain(7, "\(child) started before \(other) of its group") }
        }
        for case let life? in lives where swept[index]?.contains(life.run) == true && !life.isUnkillable {
            complain(7, "\(child) started while its group was still going down")
        }
        swept[index] = nil
    }

    private func isSettled(_ child: ChildID, _ after: Supervisor) -> Bool {
        if let life = self[child] { return life.serves || life.isUnkillable }
        switch after.view(of: child).phase {
        case .off, .parked, .done, .scheduled: return true
        case .waiting, .delayed: return isHeld(child, after)
        case .starting, .ready, .stopping, .unkillable: return false
        }
    }

    /// Something it requires, or that requires, is given up or on its way down.
    private func isHeld(_ child: ChildID, _ after: Supervisor) -> Bool {
        if let group = tree.groups.firstIndex(where: { $0.children.contains(child) }),
            after.parked(GroupID(rawValue: UInt16(group))) != nil
        {
            return true
        }
        return policy(child).requires.contains { required in
            switch after.view(of: required).phase {
            case .off, .parked, .unkillable: true
            case .stopping: self[required]?.stop?.isWanted ?? true || isHeld(required, after)
            case .starting, .ready: hasCommands || isHeld(required, after)
            case .waiting, .delayed: isHeld(required, after)
            case .done, .scheduled: false
            }
        }
    }

    mutating func judgeStop(_ child: ChildID, _ cause: Cause, _ after: Supervisor) {
        guard cause == .asked || cause == .dependency, isTame, level < 3 else { return }
        for (index, life) in lives.enumerated() {
            guard let life, !life.isUnkillable, index != Int(child.rawValue) else { continue }
            let other = ChildID(rawValue: UInt16(index))
            let depends = policy(other).requires.contains(child) || (level > 0 && policy(other).after.contains(child))
            if depends, level > 0 || cause == .asked { complain(7, "\(child) was stopped before \(other)") }
            if level > 0, child == tree.logWriter { complain(7, "the log-writer was stopped before \(other)") }
        }
        if level > 0, let group = tree.groups.first(where: { $0.children.contains(child) }),
            group.strategy != .oneForOne
        {
            for other in group.children.drop(while: { $0 != child }).dropFirst() {
                if let life = self[other], !life.isUnkillable {
                    complain(7, "\(child) was stopped before \(other) after it")
                }
            }
        }
        // Without an owner's word a run is stopped for others only where one of them is given up or the group restarts.
        if cause == .dependency, !hasCommands, level == 0, !isHeld(child, after) {
            let isOrdered = tree.groups.contains { $0.strategy != .oneForOne && $0.children.contains(child) }
            if !isOrdered { complain(7, "\(child) was stopped for nothing") }
        }
    }
}

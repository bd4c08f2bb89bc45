import Plan
import SupervisorCore

extension WorkerPlan {
    /// Whether Supervisor.toml lets this worker ask nexusd for `verb`. A grant for a group covers its children, one
    /// for `all` covers everything; `reset` goes with `start`, whose power it is a part of.
    func allows(_ verb: Verb, groupOf: (ChildID) -> GroupID?) -> Bool {
        switch verb {
        case .status, .tree, .version, .why, .whyGroup, .settings, .history, .metrics, .events, .waitReady, .isReady:
            return may.contains(.status)
        // Who may stop it may end it at once, where what it does until it has ended is what is not to be.
        case .signal(let child, .kill): return allows(.change(.stop, .child(child), wait: false), groupOf: groupOf)
        case .signal: return false
        // The file is the owner's, and so is nexusd; a worker has a status line and a log of its own.
        case .diff, .reload, .upgrade, .note: return false
        case .change(let change, let target, _):
            return may.contains { grant in
                switch (grant, change) {
                case (.start(let granted), .start), (.start(let granted), .reset), (.stop(let granted), .stop),
                    (.restart(let granted), .restart):
                    granted.covers(target, groupOf: groupOf)
                case (.status, _), (.health, _), (.start, _), (.stop, _), (.restart, _): false
                }
            }
        case .recycle(let child): return mayRestart(child, groupOf: groupOf)
        }
    }

    /// Whether it may restart `child`, and so may say when that is idle.
    func mayRestart(_ child: ChildID, groupOf: (ChildID) -> GroupID?) -> Bool {
        allows(.change(.restart, .child(child), wait: false), groupOf: groupOf)
    }

    /// Whether it may start `child`.
    func mayStart(_ child: ChildID, groupOf: (ChildID) -> GroupID?) -> Bool {
        allows(.change(.start, .child(child), wait: false), groupOf: groupOf)
    }

    /// Whether it may report the health of `child`.
    func mayJudge(_ child: ChildID) -> Bool { may.contains(.health(child)) }
}

extension Verb {
    /// What a worker may always ask for itself: it could end just as well, which would count as a failure of it.
    func isRestart(of child: ChildID) -> Bool {
        if case .change(.restart, .child(child), _) = self { return true }
        return false
    }
}

extension Command.Target {
    fileprivate func covers(_ other: Command.Target, groupOf: (ChildID) -> GroupID?) -> Bool {
        switch (self, other) {
        case (.all, _): true
        case (.group(let group), .child(let child)): groupOf(child) == group
        case (.group, .group), (.child, .child): self == other
        case (.group, .all), (.child, .group), (.child, .all): false
        }
    }
}

extension PlanBook {
    /// Workers that may restart it, and so may say when it is idle.
    func keepers(of child: ChildID) -> [ChildID] {
        speakers.filter { traits($0).worker?.mayRestart(child) { policy($0).group } ?? false }
    }

    /// Workers that may start it.
    func starters(of child: ChildID) -> [ChildID] {
        speakers.filter { traits($0).worker?.mayStart(child) { policy($0).group } ?? false }
    }
}

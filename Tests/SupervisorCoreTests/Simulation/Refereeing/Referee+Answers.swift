import SupervisorCore

/// A command or a reload that has not been answered.
struct Order {
    /// nil: a reload.
    var command: Command?
    /// Who was to come up and has not since.
    var up: Set<ChildID> = []
    /// Who was to come up.
    var meant: Set<ChildID> = []
    /// Runs that the children to come up had had before; one that lived then counts as none.
    var runsBefore: [ChildID: Int] = [:]
    /// Who was to go down and has not since.
    var down: Set<ChildID> = []
}

extension Order {
    /// It is to come up.
    mutating func expect(_ child: ChildID, after runs: Int) {
        up.insert(child)
        meant.insert(child)
        runsBefore[child] = runs
    }
}

/// What owners are told. "Stopped" is said of what is empty, "started" of what has served, "failed" of what is given up.
extension Referee {
    /// Nothing of it is left.
    mutating func noteDown(_ child: ChildID) {
        for id in open.keys { open[id]?.down.remove(child) }
    }

    /// Runs of it that are over.
    func runsBefore(_ child: ChildID) -> Int {
        standings[Int(child.rawValue)].runs - (self[child] == nil ? 0 : 1)
    }

    /// It serves, or has done what it was for.
    mutating func fulfil(_ child: ChildID) {
        for id in open.keys { open[id]?.up.remove(child) }
    }

    mutating func judgeAnswer(_ id: CommandID, _ outcome: CommandOutcome, _ after: Supervisor) {
        guard let order = open.removeValue(forKey: id) else {
            complain(5, "answered twice or never asked: \(id)")
            return
        }
        guard isTame else { return }
        switch outcome {
        case .done, .unchanged:
            for child in order.down where self[child].map({ !$0.isUnkillable }) ?? false {
                complain(2, "\(child) counts as stopped and has a run")
            }
            for child in order.up where self[child]?.serves != true && !isDone(child, after) {
                // It was called, and its run is over.
                let runs = standings[Int(child.rawValue)].runs
                if isScheduled(child), self[child] == nil, runs > order.runsBefore[child] ?? 0 { continue }
                complain(7, "\(child) counts as started and does not serve")
            }
        case .failed(let child, let cause):
            let isGivenUp = standings[Int(child.rawValue)].parked != nil || self[child]?.isUnkillable == true
            let hasFailed = isScheduled(child) && standings[Int(child.rawValue)].lastCause == cause
            // A reload is told of the first end of what was to stay.
            let didNotStay =
                order.command == nil && ![.asked, .dependency, .recycled].contains(cause)
                && policies[Int(child.rawValue) - 1].ready == .spawned && after.view(of: child).lastEnd?.cause == cause
            if !isGivenUp, !hasFailed, !didNotStay {
                complain(7, "\(child) counts as failed and is \(after.view(of: child))")
            }
        case .overtaken:
            let isLater = lastCommand > id.rawValue || level > 0 || order.command == nil
            let isUnwanted = order.meant.contains { isHopeless($0, after) }
            if !isLater, !isUnwanted { complain(5, "\(id) counts as overtaken by nothing") }
        }
    }
}

@testable import SupervisorCore

extension Supervisor {
    /// The counts that are kept step by step, compared with counting anew: words for what differs.
    func audit() -> [String] {
        var problems: [String] = []
        for index in children.indices {
            let child = ChildID(index: index)
            let gates = self[child].gates
            let requires = order.requires[child]
            let dependents = Array(order.requiredBy[child]) + Array(order.followedBy[child])
            let expected = Gates(
                unmet: UInt16(requires.count { !self[$0].facets.contains(.serves) }),
                withdrawn: UInt16(requires.count { self[$0].facets.contains(.withdrawn) }),
                hopeless: UInt16(requires.count { self[$0].facets.contains(.hopeless) }),
                unsettled: UInt16(order.after[child].count { !self[$0].facets.contains(.settled) }),
                trailing: UInt16(dependents.count { self[$0].facets.contains(.trails) }))
            if gates != expected, life != .idle { problems.append("\(child): \(gates), should be \(expected)") }
            if self[child].facets != facets(of: child), life != .idle, life != .finished {
                problems.append("\(child): told \(self[child].facets), is \(facets(of: child))")
            }
            if self[child].isSwept, !self[child].state.isAlive { problems.append("\(child) is swept without a run") }
        }
        for group in groups where group.sweeping != group.members.count(where: { self[$0].isSwept }) {
            problems.append("a group counts \(group.sweeping) swept")
        }
        let alive = children.indices.count { children[$0].state.isAlive && !isLogWriter(ChildID(index: $0)) }
        if aliveCount != alive { problems.append("\(aliveCount) alive, should be \(alive)") }
        let first = children.compactMap(\.state.deadline).min()
        if let first, nextDeadline.map({ $0 > first }) ?? true { problems.append("a deadline is missing") }
        return problems
    }
}

public import SupervisorCore

/// A new plan over the one in force: the same children and groups keep their numbers, new ones get the next free ones,
/// and what the file has no more keeps its place, so that it can be stopped in order and its number is nobody else's.
/// Pure: made and shown by `diff`, made and carried out by `reload`.
public struct PlanUpdate: Sendable {
    /// What is in force from then on.
    public let plan: Plan
    /// What of it the file has.
    public let arrangement: Arrangement
    /// What is different, for people.
    public let diff: PlanDiff
    /// The same for the core, but for the choices, which nexusd remembers itself.
    public let change: TreeChange

    /// `isGone` says of a child that was removed earlier that nothing of it is left: of such a one only the name is kept.
    /// Throws `numbersUsedUp`, or `invalid` when the log-writers do not agree.
    public init(
        _ new: Plan, over old: Plan, _ arrangement: Arrangement, isGone: (ChildID) -> Bool
    ) throws(PlanError) {
        guard new.children.first?.role == old.children.first?.role else {
            throw .invalid("one of the two plans has no log-writer; restart nexusd for this one")
        }
        let numbers = try Renumbering(new, over: old)
        let before = Set(arrangement.children)
        let now = Set(numbers.children)
        var plan = Plan(
            supervisor: new.supervisor, groups: Self.groups(new, old, numbers),
            children: old.children, secrets: old.secrets, notes: new.notes)
        for index in plan.children.indices {
            let child = ChildID(rawValue: UInt16(index + 1))
            guard !now.contains(child) else { continue }
            if before.contains(child) {
                plan.children[index] = Self.removed(child, from: old, now: now)
            } else if isGone(child) {
                plan.children[index] = Self.remembered(plan.children[index].name)
            }
        }
        for (child, number) in zip(new.children, numbers.children) {
            Self.put(numbers.renumbered(child), at: Int(number.rawValue) - 1, in: &plan.children)
        }
        for (secret, number) in zip(new.secrets, numbers.secrets) {
            Self.put(secret, at: Int(number), in: &plan.secrets)
        }
        self.plan = plan
        self.arrangement = Arrangement(children: numbers.children, groups: numbers.groups)
        diff = PlanDiff(from: old, arrangement, to: plan, self.arrangement)
        change = Self.change(diff, old, plan, before: before, now: now)
    }

    private static func put<Element>(_ element: Element, at index: Int, in list: inout [Element]) {
        if index < list.count { list[index] = element } else { list.append(element) }
    }

    private static func groups(_ new: Plan, _ old: Plan, _ numbers: Renumbering) -> [GroupPlan] {
        var groups = old.groups
        for index in groups.indices { groups[index].policy.children = [] }
        for (group, number) in zip(new.groups, numbers.groups) {
            put(numbers.renumbered(group), at: Int(number.rawValue), in: &groups)
        }
        return groups
    }

    /// In no group, wanted by nobody, but with its old stop rule; its old edges and the order of its old group hold for
    /// its stop. No child that stays has an edge to it, so there is no new cycle.
    private static func removed(_ child: ChildID, from old: Plan, now: Set<ChildID>) -> ChildPlan {
        var plan = old[child]
        if let group = plan.policy.group.map({ old.groups[Int($0.rawValue)].policy }), group.strategy != .oneForOne,
            let place = group.children.firstIndex(of: child)
        {
            let earlier = group.children[..<place]
            // The nearest of either kind: those that stay are an order among themselves.
            let nearest = [earlier.last { now.contains($0) }, earlier.last { !now.contains($0) }]
            plan.policy.after += nearest.compactMap { $0 }
        }
        plan.policy.group = nil
        plan.policy.enabled = false
        plan.policy.critical = false
        plan.policy.intensity = nil
        plan.choice = nil
        if plan.worker != nil { plan.worker = WorkerPlan(may: [], peers: []) }
        return plan
    }

    private static func remembered(_ name: String) -> ChildPlan {
        ChildPlan(name: name, policy: ChildPolicy(enabled: false), executable: "", arguments: [Text(name)])
    }

    private static func change(
        _ diff: PlanDiff, _ old: Plan, _ plan: Plan, before: Set<ChildID>, now: Set<ChildID>
    ) -> TreeChange {
        var change = TreeChange(tree: plan.tree)
        for child in diff.children {
            switch child.kind {
            case .removed: change.removed.insert(child.id)
            case .restarted: change.restarted.insert(child.id)
            case .changed: change.changed.insert(child.id)
            case .added:
                // One that comes back may still be running, with its old words.
                guard Int(child.id.rawValue) <= old.children.count else { continue }
                change.returned.insert(child.id)
                let settings = Setting.changes(from: old[child.id], old, to: plan[child.id], plan)
                if settings.contains(where: { $0.effect == .restart }) { change.restarted.insert(child.id) }
            }
        }
        for group in diff.groups where Int(group.id.rawValue) < old.groups.count {
            change.changedGroups.insert(group.id)
        }
        return change
    }
}

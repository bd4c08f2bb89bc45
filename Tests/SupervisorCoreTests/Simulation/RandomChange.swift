import Chance
@testable import SupervisorCore

/// Another tree made by chance from the one in force, under the same numbers: policies, gates, orders and groups change,
/// children and groups come and go. A tame tree stays tame.
struct RandomChange {
    private(set) var change: TreeChange
    /// Something about these changed, their gates and groups included.
    private(set) var touched: Set<ChildID> = []
    /// Nothing of these was touched, and nothing that they require.
    private(set) var untouched: Set<ChildID> = []

    private let old: Tree
    private var children: [ChildPolicy]
    private var groups: [GroupPolicy]
    /// New edges lead to what is earlier in it only, as old ones do: so no cycle comes about.
    private var ranking: [ChildID]
    private var random: SplitMix

    init(from tree: Tree, isTame: Bool, seed: UInt64) {
        old = tree
        random = SplitMix(seed: seed)
        children = Array(tree.children)
        groups = tree.groups
        change = TreeChange(tree: tree)
        ranking = Self.ranking(of: tree)
        for child in ranking where child != tree.logWriter && random.chance(15) { alter(child) }
        if random.chance(30), children.count < 14 { add() }
        if random.chance(30) { regroup() }
        if !isTame, random.chance(30) { groups.reverse() }
        finish()
    }

    private static func ids(_ children: [ChildPolicy]) -> [ChildID] {
        children.indices.map { ChildID(rawValue: UInt16($0 + 1)) }
    }

    /// An order that all edges and groups of a tame tree keep to.
    private static func ranking(of tree: Tree) -> [ChildID] {
        let order = StartOrder(tree: tree, count: tree.children.count)
        var ranking: [ChildID] = []
        var left = ids(Array(tree.children))
        while !left.isEmpty {
            let next = left.first { child in
                let earlier = Array(order.requires[child]) + Array(order.after[child]) + [order.previous[child.index]]
                return earlier.allSatisfy { $0.map(ranking.contains) ?? true }
            }
            let child = next ?? left[0]
            ranking.append(child)
            left.removeAll { $0 == child }
        }
        return ranking
    }

    private mutating func alter(_ child: ChildID) {
        let index = child.index
        let fresh = RandomTree.policy(&random)
        switch random.below(10) {
        case 0: change.restarted.insert(child)
        case 1:
            children[index].stop = fresh.stop
            children[index].ready = fresh.ready
            children[index].watchdog = fresh.watchdog
            change.restarted.insert(child)
        case 2:
            children[index].stop = fresh.stop
            children[index].startTimeout = fresh.startTimeout
            children[index].liveness = fresh.liveness
        case 3, 4: children[index].enabled.toggle()
        case 5: remove(child)
        case 6: changeEdges(of: child)
        case 7:
            children[index].restart = fresh.restart
            children[index].delay = fresh.delay
            children[index].exits = fresh.exits
        case 8:
            children[index].intensity = fresh.intensity
            children[index].critical = fresh.critical && children[index].schedule == nil
        case _: changeSchedule(of: child)
        }
    }

    private mutating func changeEdges(of child: ChildID) {
        let earlier = ranking.prefix { $0 != child }.filter { other in
            children[other.index].schedule == nil && !change.removed.contains(other)
        }
        children[child.index].requires = earlier.filter { _ in random.chance(20) }
        children[child.index].after = earlier.filter { _ in random.chance(15) }
    }

    private mutating func changeSchedule(of child: ChildID) {
        if children[child.index].schedule != nil, random.chance(40) {
            children[child.index].schedule = nil
            return
        }
        children[child.index].schedule = random.pick([
            .calendar, .every(.milliseconds(200) + random.milliseconds(5_000)),
        ])
        children[child.index].critical = false
        children[child.index].significant = false
        // Nothing can require what is away most of the time.
        for index in children.indices { children[index].requires.removeAll { $0 == child } }
    }

    /// In no group, wanted by nobody; its own edges hold for its stop, and nobody who stays has one to it.
    private mutating func remove(_ child: ChildID) {
        children[child.index].enabled = false
        children[child.index].critical = false
        children[child.index].intensity = nil
        change.removed.insert(child)
        for index in children.indices {
            children[index].requires.removeAll { $0 == child }
            children[index].after.removeAll { $0 == child }
        }
        for index in groups.indices { groups[index].children.removeAll { $0 == child } }
    }

    private mutating func add() {
        var new = RandomTree.policy(&random)
        new.significant = false
        children.append(new)
        let child = ChildID(index: children.count - 1)
        ranking.append(child)
        changeEdges(of: child)
        if !groups.isEmpty, random.chance(50) { join(child, Int(random.below(UInt64(groups.count)))) }
    }

    /// Another strategy, another bound, other members.
    private mutating func regroup() {
        if groups.isEmpty || random.chance(15) { groups.append(RandomTree.group([], &random)) }
        let index = Int(random.below(UInt64(groups.count)))
        switch random.below(3) {
        case 0:
            let members = groups[index].children
            groups[index] = RandomTree.group(members.sorted { rank($0) < rank($1) }, &random)
        case 1:
            guard let member = groups[index].children.last else { return }
            groups[index].children.removeLast()
            if random.chance(50) { join(member, Int(random.below(UInt64(groups.count)))) }
        case _:
            let free = ranking.filter { child in
                child != old.logWriter && !change.removed.contains(child)
                    && !groups.contains { $0.children.contains(child) }
            }
            if !free.isEmpty { join(random.pick(free), index) }
        }
    }

    private mutating func join(_ child: ChildID, _ group: Int) {
        groups[group].children = (groups[group].children + [child]).sorted { rank($0) < rank($1) }
    }

    private func rank(_ child: ChildID) -> Int { ranking.firstIndex(of: child) ?? ranking.count }

    private mutating func finish() {
        change.tree = Tree(children: children, groups: groups, logWriter: old.logWriter, choices: old.choices)
        let before = Array(old.children)
        for (index, policy) in before.enumerated() {
            let child = ChildID(index: index)
            let isMoved =
                old.groups.firstIndex { $0.children.contains(child) }
                != groups.firstIndex { $0.children.contains(child) }
            if change.removed.contains(child) { change.restarted.remove(child) }
            if policy != children[index] || isMoved { touched.insert(child) }
        }
        touched.formUnion(change.restarted)
        touched.formUnion(change.removed)
        change.changed = touched.subtracting(change.restarted).subtracting(change.removed)
        for (index, group) in old.groups.enumerated() where group != groups[index] {
            change.changedGroups.insert(GroupID(rawValue: UInt16(index)))
        }
        untouched = Set(Self.ids(before)).subtracting(reached(over: before)).subtracting(reached(over: children))
    }

    /// What was touched, and all that require one of it.
    private func reached(over children: [ChildPolicy]) -> Set<ChildID> {
        var reached = touched
        var count = -1
        while count != reached.count {
            count = reached.count
            for (index, policy) in children.enumerated() where !reached.isDisjoint(with: policy.requires) {
                reached.insert(ChildID(index: index))
            }
        }
        return reached
    }
}

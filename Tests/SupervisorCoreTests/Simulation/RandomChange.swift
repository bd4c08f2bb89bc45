@testable import SupervisorCore

/// Another tree made by chance from the one in force, under the same numbers.
struct RandomChange {
    let change: TreeChange
    /// Nothing of these was touched, and nothing that they require.
    let untouched: Set<ChildID>

    init(from tree: Tree, seed: UInt64) {
        var random = SplitMix(seed: seed)
        var children = Array(tree.children)
        var change = TreeChange(tree: tree)
        let ids = children.indices.map { ChildID(rawValue: UInt16($0 + 1)) }.filter { $0 != tree.logWriter }
        for child in ids where random.chance(20) {
            let index = Int(child.rawValue) - 1
            switch random.below(4) {
            case 0: change.restarted.insert(child)
            case 1:
                children[index].delay.stableAfter = random.milliseconds(2_000)
                children[index].startTimeout = .milliseconds(200) + random.milliseconds(1_000)
                change.changed.insert(child)
            case 2:
                children[index].enabled.toggle()
                change.changed.insert(child)
            case _:
                children[index].enabled = false
                change.removed.insert(child)
            }
        }
        if random.chance(30), children.count < 14 {
            var new = children[Int(random.below(UInt64(children.count)))]
            new.requires = []
            new.after = []
            new.critical = false
            new.significant = false
            children.append(new)
        }
        change.tree = Tree(
            children: children, groups: tree.groups, logWriter: tree.logWriter, choices: tree.choices)
        self.change = change
        let touched = change.restarted.union(change.changed).union(change.removed)
        untouched = Set(ids).subtracting(Self.reached(from: touched, in: children))
    }

    /// These and all that require one of them.
    private static func reached(from touched: Set<ChildID>, in children: [ChildPolicy]) -> Set<ChildID> {
        var reached = touched
        var count = -1
        while count != reached.count {
            count = reached.count
            for (index, policy) in children.enumerated() where !reached.isDisjoint(with: policy.requires) {
                reached.insert(ChildID(rawValue: UInt16(index + 1)))
            }
        }
        return reached
    }
}

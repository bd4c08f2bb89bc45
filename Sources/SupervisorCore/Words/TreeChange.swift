/// Another tree for a supervisor that lives, and what that means for each child.
///
/// A number means the same child or group as in the tree before; new ones have the numbers behind the last. What was
/// removed keeps its place: with its old stop rule, no group, `enabled` false, and edges only so that it stops in order.
public struct TreeChange: Hashable, Sendable {
    /// The whole new tree, with at least as many children and groups as the one before, and the same log-writer.
    public var tree: Tree
    /// Their runs do not fit what the tree says of them: each that has one is stopped, by its old stop rule, and
    /// started again.
    public var restarted: Set<ChildID>
    /// Something about them changed that needs no other run. Counts and parking are forgotten, as for those above.
    public var changed: Set<ChildID>
    /// Not wanted by anybody any more.
    public var removed: Set<ChildID>
    /// Removed by an earlier change, and in the tree again: their counts are those of another child.
    public var returned: Set<ChildID>
    /// Something about them changed: one that is parked goes on.
    public var changedGroups: Set<GroupID>

    /// True when something happens to a child or a group that was there before.
    var isNews: Bool { !restarted.isEmpty || !changed.isEmpty || !removed.isEmpty || !changedGroups.isEmpty }

    /// A tree of which nothing but its gates and orders is new.
    public init(
        tree: Tree, restarted: Set<ChildID> = [], changed: Set<ChildID> = [], removed: Set<ChildID> = [],
        returned: Set<ChildID> = [], changedGroups: Set<GroupID> = []
    ) {
        self.tree = tree
        self.restarted = restarted
        self.changed = changed
        self.removed = removed
        self.returned = returned
        self.changedGroups = changedGroups
    }
}

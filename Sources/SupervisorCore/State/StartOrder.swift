/// Who waits for whom, worked out once: the gates in both directions and the chains of ordered groups.
/// Ids outside the tree, edges to oneself and gates of the log-writer are left out, and so is an edge that would close
/// a cycle (nexus-config refuses those; the core has to be total): what is left can always start and always stop.
struct StartOrder: Sendable {
    /// What a child requires.
    let requires: Edges
    /// What a child only comes after.
    let after: Edges
    /// Whom a child is required by.
    let requiredBy: Edges
    /// Who only comes after a child.
    let followedBy: Edges
    /// The group of each child.
    let group: [GroupID?]
    /// The neighbours of each child in an ordered group.
    let previous: [ChildID?]
    let next: [ChildID?]
    /// The members of each group, in order.
    let members: [[ChildID]]

    init(tree: Tree, count: Int) {
        let groups = Self.memberships(of: tree, count: count)
        members = groups.members
        group = groups.group
        var draft = Draft(tree: tree, count: count, members: members)
        draft.leaveOutCycles()
        requires = Edges(draft.requires)
        after = Edges(draft.after)
        requiredBy = Edges(draft.requires).reversed(count: count)
        followedBy = Edges(draft.after).reversed(count: count)
        previous = draft.previous
        var next = [ChildID?](repeating: nil, count: count)
        for (index, previous) in draft.previous.enumerated() {
            if let previous { next[previous.index] = ChildID(index: index) }
        }
        self.next = next
    }

    /// A child belongs to the first group that lists it, else to the one it names itself. The log-writer is in none.
    private static func memberships(of tree: Tree, count: Int) -> (members: [[ChildID]], group: [GroupID?]) {
        var group = [GroupID?](repeating: nil, count: count)
        var members = [[ChildID]](repeating: [], count: min(tree.groups.count, Int(UInt16.max)))
        for index in members.indices {
            for child in tree.groups[index].children where child.isIn(count) && group[child.index] == nil {
                if child == tree.logWriter { continue }
                group[child.index] = GroupID(rawValue: UInt16(index))
                members[index].append(child)
            }
        }
        for index in 0..<count where group[index] == nil && ChildID(index: index) != tree.logWriter {
            guard let named = tree.children[index].group, Int(named.rawValue) < members.count else { continue }
            group[index] = named
            members[Int(named.rawValue)].append(ChildID(index: index))
        }
        return (members, group)
    }
}

/// The edges before cycles are taken out.
private struct Draft {
    var requires: [[ChildID]]
    var after: [[ChildID]]
    var previous: [ChildID?]

    init(tree: Tree, count: Int, members: [[ChildID]]) {
        requires = Array(repeating: [], count: count)
        after = requires
        previous = Array(repeating: nil, count: count)
        for index in 0..<count where ChildID(index: index) != tree.logWriter {
            let child = ChildID(index: index)
            var known: Set<ChildID> = [child]
            requires[index] = tree.children[index].requires.filter { $0.isIn(count) && known.insert($0).inserted }
            after[index] = tree.children[index].after.filter { $0.isIn(count) && known.insert($0).inserted }
        }
        for (group, members) in zip(tree.groups, members) where group.strategy != .oneForOne {
            for (child, successor) in zip(members, members.dropFirst()) { previous[successor.index] = child }
        }
    }

    private enum Visit {
        case untouched, open, closed
    }

    /// Depth first, without recursion (a plan may be one long chain): an edge to a child that is still open closes a cycle.
    mutating func leaveOutCycles() {
        var visits = [Visit](repeating: .untouched, count: requires.count)
        for root in requires.indices where visits[root] == .untouched {
            var path = [(index: root, edges: edges(of: root)[...])]
            visits[root] = .open
            while let (index, remaining) = path.last {
                guard let target = remaining.first else {
                    visits[index] = .closed
                    path.removeLast()
                    continue
                }
                path[path.count - 1].edges = remaining.dropFirst()
                switch visits[target.index] {
                case .closed: continue
                case .open: leaveOut(from: index, to: target)
                case .untouched:
                    visits[target.index] = .open
                    path.append((target.index, edges(of: target.index)[...]))
                }
            }
        }
    }

    private func edges(of index: Int) -> [ChildID] {
        requires[index] + after[index] + (previous[index].map { [$0] } ?? [])
    }

    private mutating func leaveOut(from index: Int, to target: ChildID) {
        requires[index].removeAll { $0 == target }
        after[index].removeAll { $0 == target }
        if previous[index] == target { previous[index] = nil }
    }
}

/// Lists of children, one for each child, in two flat arrays.
struct Edges: Sendable {
    private var starts: [UInt32]
    private var targets: [ChildID]

    init(_ lists: [[ChildID]]) {
        starts = [0]
        starts.reserveCapacity(lists.count + 1)
        targets = []
        targets.reserveCapacity(lists.reduce(0) { $0 + $1.count })
        for list in lists {
            targets += list
            starts.append(UInt32(targets.count))
        }
    }

    /// The list of one child.
    subscript(child: ChildID) -> ArraySlice<ChildID> {
        targets[Int(starts[child.index])..<Int(starts[child.index + 1])]
    }

    /// The same edges the other way round.
    func reversed(count: Int) -> Edges {
        var lists = [[ChildID]](repeating: [], count: count)
        for index in 0..<count {
            for target in self[ChildID(index: index)] { lists[target.index].append(ChildID(index: index)) }
        }
        return Edges(lists)
    }
}

extension ChildID {
    /// Position in `Tree.children`; -1 for nexusd itself.
    var index: Int { Int(rawValue) - 1 }

    /// The child at a position below 0x7FFF.
    init(index: Int) { self.init(rawValue: UInt16(truncatingIfNeeded: index + 1)) }

    /// True when a tree of `count` children has it.
    func isIn(_ count: Int) -> Bool { index >= 0 && index < count }
}

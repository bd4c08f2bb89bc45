import Plan
import SupervisorCore

/// The names behind the numbers, for everything that is shown. A name that is not in the file any more is known by its
/// number only: nobody can ask for it.
struct TreeNames: Sendable {
    /// By `ChildID.rawValue - 1`.
    let children: [String]
    /// By `GroupID.rawValue`.
    let groups: [String]
    /// Children and groups of the file, in its order.
    let shown: Arrangement
    private let areShown: [Bool]

    init(_ plan: Plan, _ arrangement: Arrangement) {
        children = plan.children.map(\.name)
        groups = plan.groups.map(\.name)
        shown = arrangement
        var areShown = [Bool](repeating: false, count: children.count)
        for child in arrangement.children { areShown[Int(child.rawValue) - 1] = true }
        self.areShown = areShown
    }

    init(_ plan: Plan) { self.init(plan, Arrangement(plan)) }

    subscript(child: ChildID) -> String { children[Int(child.rawValue) - 1] }

    subscript(group: GroupID) -> String { groups[Int(group.rawValue)] }

    /// Every child that there was, by number.
    var ids: some Sequence<ChildID> { (0..<children.count).lazy.map { ChildID(rawValue: UInt16($0 + 1)) } }

    func isShown(_ child: ChildID) -> Bool { areShown[Int(child.rawValue) - 1] }

    func child(named name: some StringProtocol) -> ChildID? {
        let index = children.firstIndex { $0 == name }
        return index.flatMap { areShown[$0] ? ChildID(rawValue: UInt16($0 + 1)) : nil }
    }

    func group(named name: some StringProtocol) -> GroupID? {
        shown.groups.first { groups[Int($0.rawValue)] == name }
    }
}

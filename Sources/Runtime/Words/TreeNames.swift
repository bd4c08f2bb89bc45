import Plan
import SupervisorCore

/// The names behind the numbers, for everything that is shown.
struct TreeNames: Sendable {
    /// By `ChildID.rawValue - 1`.
    let children: [String]
    /// By `GroupID.rawValue`.
    let groups: [String]

    init(_ plan: Plan) {
        children = plan.children.map(\.name)
        groups = plan.groups.map(\.name)
    }

    subscript(child: ChildID) -> String { children[Int(child.rawValue) - 1] }

    subscript(group: GroupID) -> String { groups[Int(group.rawValue)] }

    /// Every child, in plan order.
    var ids: some Sequence<ChildID> { (0..<children.count).lazy.map { ChildID(rawValue: UInt16($0 + 1)) } }

    func child(named name: some StringProtocol) -> ChildID? {
        children.firstIndex { $0 == name }.map { ChildID(rawValue: UInt16($0 + 1)) }
    }

    func group(named name: some StringProtocol) -> GroupID? {
        groups.firstIndex { $0 == name }.map { GroupID(rawValue: UInt16($0)) }
    }
}

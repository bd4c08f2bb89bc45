public import SupervisorCore

/// Which children and groups of a plan the file has, in its order. After a reload the plan in force has others too:
/// numbers are never given to somebody else, so what was removed keeps its place.
public struct Arrangement: Hashable, Sendable {
    /// Log-writer first, then the order of the file.
    public var children: [ChildID]
    /// In the order of the file.
    public var groups: [GroupID]

    /// Both lists.
    public init(children: [ChildID], groups: [GroupID]) {
        self.children = children
        self.groups = groups
    }

    /// Of a plan as nexus-config makes it: everything, as it stands.
    public init(_ plan: Plan) {
        children = plan.children.indices.map { ChildID(rawValue: UInt16($0 + 1)) }
        groups = plan.groups.indices.map { GroupID(rawValue: UInt16($0)) }
    }
}

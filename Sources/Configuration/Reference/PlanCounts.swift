public import Plan

/// How much the file has. Children that nobody wrote, which are built in (log-writer, nexus-probe), are not counted.
public struct PlanCounts: Sendable {
    /// `5 children, 3 of them in 2 groups`.
    public let words: String

    /// Of a plan as it was read.
    public init(_ plan: Plan) {
        let written = plan.children.filter { $0.role == .child }
        let grouped = written.count { $0.policy.group != nil }
        let children = written.count == 1 ? "1 child" : "\(written.count) children"
        let groups = plan.groups.count == 1 ? "1 group" : "\(plan.groups.count) groups"
        switch grouped {
        case 0: words = plan.groups.isEmpty ? children : "\(children), \(groups)"
        case written.count: words = "\(children) in \(groups)"
        case _: words = "\(children), \(grouped) of them in \(groups)"
        }
    }
}

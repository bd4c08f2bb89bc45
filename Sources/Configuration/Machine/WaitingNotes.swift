public import Plan

/// Which children of a file wait for one that it does not start: for `check`. Of a running tree `status` says it at each child,
/// as things stand.
public struct WaitingNotes: Sendable {
    /// One sentence each.
    public let notes: [String]

    /// Of this plan.
    public init(_ plan: Plan) {
        notes = plan.children.filter(\.policy.enabled).flatMap { child in
            child.policy.requires.map { plan[$0] }.filter { !$0.policy.enabled }.map { other in
                "'\(child.name)' waits until '\(other.name)', which is off, is started"
            }
        }
    }
}

/// What the core supervises: policies only. `ChildID(rawValue: n)` is `children[n - 1]`.
public struct Tree: Hashable, Sendable {
    /// Policies in plan order.
    public var children: PolicyList
    /// Groups in plan order.
    public var groups: [GroupPolicy]
    /// The child that keeps the logs, if any: it starts first, the others wait for it until it is ready or
    /// `logWriterPatience` has passed, it stops after everything else is empty and never parks.
    public var logWriter: ChildID?
    /// Where an owner chose by command otherwise than `enabled` says; these win.
    public var choices: [ChildID: Choice]

    /// How long the tree waits for its log-writer before it starts without it.
    public static let logWriterPatience: Duration = .seconds(5)

    /// The whole tree.
    public init(
        children: [ChildPolicy], groups: [GroupPolicy] = [], logWriter: ChildID? = nil,
        choices: [ChildID: Choice] = [:]
    ) {
        self.children = PolicyList(children)
        self.groups = groups
        self.logWriter = logWriter
        self.choices = choices
    }
}

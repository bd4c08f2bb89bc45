/// The pure heart: events and time in, actions out.
public struct Supervisor: Sendable {
    /// The tree it was made with.
    public let tree: Tree

    /// `second` is CLOCK_REALTIME at the start of nexusd: the upper half of every run id.
    public init(tree: Tree, second: UInt32, at now: Instant) {
        self.tree = tree
    }

    /// The earliest instant at which `Event.tick` is due; nil: nothing is armed.
    public var nextDeadline: Instant? { nil }

    /// Begins: every enabled child is wanted from now on.
    public mutating func start(at now: Instant, jitter: UInt16, into actions: inout [Action]) {
    }

    /// Takes one event. `jitter` is a fresh random number of the shell; `actions` are appended to.
    public mutating func handle(_ event: Event, at now: Instant, jitter: UInt16, into actions: inout [Action]) {
    }

    /// Where a child stands.
    public func view(of child: ChildID) -> ChildView {
        ChildView(phase: .off, since: Instant(nanoseconds: 0))
    }

    /// When a parked group is tried again; nil when it is not parked. `.some(nil)`: it waits for a command.
    public func parked(_ group: GroupID) -> Instant?? {
        nil
    }
}

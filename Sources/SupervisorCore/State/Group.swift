/// All that the core remembers of one group.
package struct Group: Sendable {
    /// Its members in their order.
    let members: [ChildID]
    /// Whether the order binds starts and stops: one-for-all and rest-for-one.
    let isOrdered: Bool
    /// Running or given up.
    var state = State.running
    /// Members that are going down for a restart of the group; nothing of it starts while there are any.
    var sweeping = 0
    /// Restarts of its members within the window of its intensity.
    var restarts = RestartWindow()

    /// A group runs or is parked as one.
    package enum State: Hashable, Sendable {
        case running
        /// Given up because of this member; nil: until a command.
        case parked(because: ChildID, retry: Instant?)
    }
}

/// What keeps a wanted child from starting.
public enum Hold: Hashable, Sendable {
    /// It requires this one, which does not serve.
    case requires(ChildID)
    /// It comes after this one, which is still on its way.
    case after(ChildID)
    /// The order of its group: this one comes first.
    case order(ChildID)
    /// Its group restarts: this one is being stopped.
    case sweep(ChildID)
    /// The tree has begun, and the log-writer goes first.
    case logWriter(ChildID)
    /// What its last runs said is not written down yet.
    case output(ChildID)
    /// The run of this one, which is being ended, has what it needs.
    case barrier(ChildID)

    /// The child it waits for.
    public var child: ChildID {
        switch self {
        case .requires(let child), .after(let child), .order(let child), .sweep(let child), .logWriter(let child),
            .output(let child), .barrier(let child):
            child
        }
    }
}

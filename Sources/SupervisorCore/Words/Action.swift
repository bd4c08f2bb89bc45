/// Everything the core can ask of its shell. The shell does them in order and reports back by events, never from within.
public enum Action: Hashable, Sendable {
    /// Start a run; answered by `cloned`, then `spawned` or `spawnFailed`, or by that alone.
    case spawn(ChildID, RunID)
    /// Send the drain word to a worker.
    case drain(ChildID, RunID)
    /// Send a signal to the run: to its main process, or to whatever is left of it.
    case signal(ChildID, RunID, Signal, SignalScope)
    /// Run the child's readiness or liveness probe once; answered by `probed`.
    case probe(ChildID, RunID)
    /// Something to be shown, logged and sent to subscribers.
    case record(Record)
    /// The outcome of a command.
    case answer(CommandID, CommandOutcome)
    /// This significant child has ended for good, in this way: the tree is being stopped as if by `shutdown` of level 1.
    case end(because: ChildID, Exit?)
    /// The tree is empty after `shutdown`: the shell may end. False when something was unkillable.
    case finished(clean: Bool)
}

/// Whom a signal is for.
public enum SignalScope: Hashable, Sendable {
    /// The main process, through its pidfd.
    case main
    /// Every process of the run that can be found (cgroup, or session and snapshot), the main process included.
    case all
}

/// What a command came to.
public enum CommandOutcome: Hashable, Sendable {
    /// It is so now: started and ready (or ended as `done`), or stopped and empty.
    case done
    /// Nothing to do: it was so already.
    case unchanged
    /// A later command or the shutdown of the tree overtook it.
    case overtaken
    /// It could not come to be: the named child parked, or was unkillable, for this cause.
    case failed(ChildID, Cause)
}

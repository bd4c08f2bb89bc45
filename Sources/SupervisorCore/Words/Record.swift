/// Why a run ended, or why a child is where it is. The words of logs, JSON and CLI.
public enum Cause: String, Hashable, Sendable, CaseIterable {
    case done, config, crash, oom, watchdog, probe, network, dependency, asked, recycled, unkillable, unknown
}

/// How a run ended. Exactly one for every `Action.spawn`.
public struct EndRecord: Hashable, Sendable {
    /// Which run of which child.
    public var child: ChildID
    /// The run.
    public var run: RunID
    /// How the main process ended; nil when the run was unkillable.
    public var exit: Exit?
    /// Why, as the core judged it.
    public var cause: Cause
    /// When it was spawned, became ready (if ever) and was empty.
    public var started: Instant
    /// First ready, if ever.
    public var ready: Instant?
    /// End.
    public var ended: Instant

    /// All fields.
    public init(
        child: ChildID, run: RunID, exit: Exit?, cause: Cause, started: Instant, ready: Instant?, ended: Instant
    ) {
        self.child = child
        self.run = run
        self.exit = exit
        self.cause = cause
        self.started = started
        self.ready = ready
        self.ended = ended
    }
}

/// One thing worth telling: shown by `events`, written to the log, sent to subscribers.
public enum Record: Hashable, Sendable {
    /// A run is about to be spawned; said before the spawn.
    case starting(ChildID, RunID)
    /// It serves.
    case ready(ChildID, RunID)
    /// It is being stopped, for this cause.
    case stopping(ChildID, RunID, Cause)
    /// A timeout went by and SIGKILL is sent.
    case killing(ChildID, RunID)
    /// It is over.
    case ended(EndRecord)
    /// A replacement comes at this instant.
    case delayed(ChildID, until: Instant, Cause)
    /// Given up for now.
    case parked(ChildID, Cause, Sequel)
    /// A group given up for now because this critical child parked, or its intensity was reached.
    case groupParked(GroupID, because: ChildID, Sequel)
    /// It was to run so many times when it was running still, or could not; it does not run later for that.
    case skipped(ChildID, times: UInt32)
    /// SIGKILL did not end it.
    case unkillable(ChildID, RunID)
}

/// What comes after a child or a group was given up.
public enum Sequel: Hashable, Sendable {
    /// One try at this instant.
    case retry(Instant)
    /// Nothing until a command.
    case command
    /// The tree ends: it was there for the sake of this child.
    case endOfTree

    /// When it is tried again.
    public var retry: Instant? {
        switch self {
        case .retry(let instant): instant
        case .command, .endOfTree: nil
        }
    }
}

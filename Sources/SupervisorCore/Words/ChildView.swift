/// Where a child stands, in the words of `status`.
public enum Phase: String, Hashable, Sendable, CaseIterable {
    /// Not wanted: disabled, or stopped by a command.
    case off
    /// Wanted; a gate does not hold yet.
    case waiting
    /// Wanted; the clock starts it when its time comes.
    case scheduled
    /// Wanted; the delay before the next run has not passed.
    case delayed
    /// Spawned, not ready yet.
    case starting
    /// It serves.
    case ready
    /// Asked to end, or ended and what is left of the run is being ended.
    case stopping
    /// Outlived SIGKILL.
    case unkillable
    /// Given up for now.
    case parked
    /// Ended with success, and its rule wants no more.
    case done
}

/// A snapshot of one child for `status` and `why`.
public struct ChildView: Hashable, Sendable {
    /// Where it stands.
    public var phase: Phase
    /// Since when it stands there.
    public var since: Instant
    /// The living run, if there is one.
    public var run: RunID?
    /// When that run was spawned.
    public var started: Instant?
    /// When it was first ready, if ever.
    public var ready: Instant?
    /// Why it is delayed, parked, stopping or off; of one that the clock starts why its last run failed, until one succeeds; nil
    /// where the phase needs no reason.
    public var cause: Cause?
    /// The gate or group member it waits for, when waiting; parked with its group: because of whom.
    public var waitsFor: ChildID?
    /// What holds it back, when waiting.
    public var hold: Hold?
    /// Which rule gave it up, when parked: of a member of a parked group, the rule that parked the group.
    public var ground: Ground?
    /// When the timeout in force has passed: of a start that is not ready yet, or of a step of a stop.
    public var until: Instant?
    /// That step is the first one: a worker has been asked to drain.
    public var isDraining = false
    /// How the run that is being ended is stopped: by the rule that it was started under.
    public var stop: StopRule?
    /// The watchdog of the living run, which may have chosen another one than its policy's.
    public var watchdog: Duration?
    /// Next try, when delayed or parked; of a scheduled child the next time, nil where its calendar is used up.
    public var nextTry: Instant?
    /// True for a child that the clock starts.
    public var isScheduled = false
    /// Times of a scheduled child at which it did not run because it was running still.
    public var skippedRuns: UInt32 = 0
    /// Unstable runs in a row.
    public var unstableRuns: UInt16
    /// Runs ended since nexusd began, by whatever cause.
    public var endedRuns: UInt32
    /// Runs executed after an end that nobody asked for. One that ended and was not replaced is none, and neither is one that
    /// the clock began, nor a try that came to no program.
    public var restarts: UInt32
    /// The last end record, if any.
    public var lastEnd: EndRecord?

    /// A child that has not started yet.
    public init(phase: Phase, since: Instant) {
        self.phase = phase
        self.since = since
        run = nil
        started = nil
        ready = nil
        cause = nil
        waitsFor = nil
        hold = nil
        ground = nil
        until = nil
        watchdog = nil
        nextTry = nil
        unstableRuns = 0
        endedRuns = 0
        restarts = 0
        lastEnd = nil
    }
}

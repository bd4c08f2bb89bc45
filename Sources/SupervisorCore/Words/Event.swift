/// Where a spawn failed; the order is that of the child's set-up between clone and exec.
public enum SpawnStage: UInt8, Hashable, Sendable, CaseIterable {
    case prepare, cgroup, clone, session, scheduling, files, limits, identity, directory, privileges, signals, exec
}

/// How a main process ended.
public enum Exit: Hashable, Sendable {
    /// exit(2) with this code.
    case code(UInt8)
    /// Killed by a signal; `oom` when the kernel's OOM killer sent it (cgroup memory.events).
    case signal(Signal, coreDumped: Bool, oom: Bool)
    /// Never executed: stage and errno.
    case notExecuted(SpawnStage, errno: Int32)
    /// Not knowable: the run was adopted and was no child of this nexusd.
    case unknown
}

/// What an owner may ask of a child or a group.
public enum Command: Hashable, Sendable {
    /// Start it (and what it requires); forgets counts and parking.
    case start(Target)
    /// Stop it and what requires it; stays off until started.
    case stop(Target)
    /// Stop, then start. Forgets counts.
    case restart(Target)
    /// Forget counts, parking and a choice made by command.
    case reset(Target)

    /// A child, a group with all its children, or everything.
    public enum Target: Hashable, Sendable {
        case child(ChildID)
        case group(GroupID)
        case all
    }
}

/// Everything that can happen to the core. Events name the run they speak of: those of a run that is over are ignored.
public enum Event: Hashable, Sendable {
    /// Time has passed `nextDeadline`.
    case tick
    /// `Action.spawn` has made a process; its program is not executed yet.
    case cloned(ChildID, RunID)
    /// `Action.spawn` succeeded: the program is executed.
    case spawned(ChildID, RunID)
    /// `Action.spawn` failed; there is no process, or none any more.
    case spawnFailed(ChildID, RunID, SpawnStage, errno: Int32)
    /// The same, because what it needs is with the run of another child, which is being ended: the next try waits for that.
    case barred(ChildID, RunID, SpawnStage, errno: Int32, by: ChildID)
    /// The run says or shows that it serves.
    case ready(ChildID, RunID)
    /// The run says that it is about to stop by itself (STOPPING=1).
    case stopping(ChildID, RunID)
    /// EXTEND_TIMEOUT_USEC: the timeout in force (start or stop) ends no earlier than now plus this.
    case extendTimeout(ChildID, RunID, Duration)
    /// WATCHDOG=1.
    case watchdogPing(ChildID, RunID)
    /// WATCHDOG=trigger: the run says itself that it hangs.
    case watchdogTrigger(ChildID, RunID)
    /// WATCHDOG_USEC: the watchdog of this run has that interval from now on, at most an hour; zero or less: it has none.
    case watchdogInterval(ChildID, RunID, Duration)
    /// The answer to `Action.probe`.
    case probed(ChildID, RunID, healthy: Bool)
    /// A word about this child's health from a worker that may say it; no answer to a probe, and counted apart.
    case judged(ChildID, RunID, healthy: Bool)
    /// Nobody could say what `Action.probe` asks (who probes is away): neither a hit nor a miss, asked again in its time.
    case unprobed(ChildID, RunID)
    /// A worker said `drained`.
    case drained(ChildID, RunID)
    /// The bus ended this worker's link (bad header: `crash`; takes nothing: `probe`): end the run with that cause.
    case linkBroken(ChildID, RunID, Cause)
    /// This run takes more memory than it should and is to be replaced when it is idle: the drain word first, with this
    /// much time for `drained` (at least the child's own drain time), then a stop as ever. Heard only once the run has
    /// been ready for `stableAfter`; sooner it is ignored and may be said again.
    case recycle(ChildID, RunID, within: Duration)
    /// The run asks for a new one in its place: a stop as by a command, but nothing is forgotten for it, and where the run
    /// was not stable it counts as one that failed. What goes down for another reason is not heard.
    case restartItself(ChildID, RunID)
    /// The times of this child's calendar, in any order, as the wall clock stands at `second` (seconds since 1970). Said
    /// when the tree starts, when the clock was set or the machine has slept, and when more times are known. One that
    /// has gone by and was not taken is due at once; several of them are one run.
    case timetable(ChildID, [Moment], second: Int64)
    /// The main process ended and was reaped.
    case exited(ChildID, RunID, Exit)
    /// No process of the run is left. Comes after `exited`, once; at once with it in the usual case.
    case emptied(ChildID, RunID)
    /// True: the output of so many runs of this child waits for the log-writer that the next run waits too, until the
    /// shell says false, which it does in bounded time.
    case crowded(ChildID, Bool)
    /// An owner's word; answered by `Action.answer`.
    case command(Command, CommandID)
    /// Stop the whole tree: 1 orderly, 2 cuts every timeout to 1 s, 3 kills.
    case shutdown(level: UInt8)
    /// The loop was this late: every health and watchdog deadline is given that much.
    case late(Duration)
}

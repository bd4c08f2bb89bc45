import SupervisorCore

/// One thing that happens in a simulation. It means something whatever came before: what does not fit the world is
/// nothing. So any steps can be taken out of a script, and what is left is a script again.
struct Step: Hashable {
    /// Passes first; whatever the core has armed meanwhile goes off.
    var wait: Duration
    var deed: Deed

    /// What the world or the owner does.
    enum Deed: Hashable {
        case nothing
        /// There is a process.
        case clone(ChildID)
        /// The spawn that was asked for works, or fails with this errno at exec.
        case answerSpawn(ChildID, errno: Int32?)
        /// It cannot be: a run of the other one has what it needs.
        case barSpawn(ChildID, by: ChildID)
        case ready(ChildID)
        /// The main process ends; whether others of its run are left.
        case mainEnds(ChildID, Exit, leavesOthers: Bool)
        case othersEnd(ChildID)
        case answerProbe(ChildID, healthy: Bool)
        case tellHealth(ChildID, healthy: Bool)
        case drained(ChildID)
        /// The probe could not be asked.
        case failProbe(ChildID)
        case ping(ChildID)
        case trigger(ChildID)
        case setInterval(ChildID, Duration)
        case leave(ChildID)
        case extend(ChildID, Duration)
        case breakLink(ChildID, Cause)
        case recycle(ChildID, within: Duration)
        /// It asks for a new run in its place.
        case restartItself(ChildID)
        /// The wall clock is set, or the machine has slept: the calendar's times come so much sooner or later.
        case setClock(by: Duration)
        /// Its output waits for the log-writer, or no longer.
        case crowd(ChildID, Bool)
        case command(Command)
        /// Another tree, made by chance from the one in force.
        case reload(seed: UInt64)
        case shutDown(level: UInt8)
        /// The shell is killed; the next one goes on with what was kept of the core.
        case adopt
        case beLate(Duration)
        /// A word of a run that is over, or of nobody: one of all events that name a run.
        case stale(ChildID, RunID, event: Int)
    }
}

extension Step: CustomStringConvertible {
    var description: String { wait == .zero ? "\(deed)" : "\(wait.nanoseconds / 1_000) us later \(deed)" }
}

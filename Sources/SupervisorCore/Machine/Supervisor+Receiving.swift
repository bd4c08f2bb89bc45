extension Supervisor {
    /// Sorts an event to its handler; events of runs that are over fall through.
    mutating func receive(_ event: Event, _ turn: inout Turn) {
        switch event {
        case .tick: tick(&turn)
        case .cloned(let child, let run): if isLiving(child, run) { cloned(child, &turn) }
        case .spawned(let child, let run): if isLiving(child, run) { spawned(child, &turn) }
        case .spawnFailed(let child, let run, let stage, let errno):
            if isLiving(child, run) { spawnFailed(child, .notExecuted(stage, errno: errno), &turn) }
        case .barred(let child, let run, let stage, let errno, let holder):
            if isLiving(child, run) { barred(child, .notExecuted(stage, errno: errno), by: holder, &turn) }
        case .ready(let child, let run): if isLiving(child, run) { saysReady(child, &turn) }
        case .stopping(let child, let run): if isLiving(child, run) { saysStopping(child, &turn) }
        case .extendTimeout(let child, let run, let time):
            if isLiving(child, run) { extendTimeout(child, by: time, &turn) }
        case .watchdogPing(let child, let run): if isLiving(child, run) { pinged(child, &turn) }
        case .watchdogTrigger(let child, let run): if isLiving(child, run) { triggered(child, &turn) }
        case .watchdogInterval(let child, let run, let interval):
            if isLiving(child, run) { changeWatchdog(child, to: interval, &turn) }
        case .unprobed(let child, let run): if isLiving(child, run) { unprobed(child, &turn) }
        case .probed(let child, let run, let healthy):
            if isLiving(child, run) { probed(child, healthy: healthy, &turn) }
        case .judged(let child, let run, let healthy):
            if isLiving(child, run) { judged(child, healthy: healthy, &turn) }
        case .drained(let child, let run): if isLiving(child, run) { drained(child, &turn) }
        case .linkBroken(let child, let run, let cause):
            if isLiving(child, run) { linkBroken(child, cause.asLinkFailure, &turn) }
        case .recycle(let child, let run, let time): if isLiving(child, run) { recycle(child, within: time, &turn) }
        case .restartItself(let child, let run): if isLiving(child, run) { restartItself(child, &turn) }
        case .timetable(let child, let moments, let second):
            takeTimetable(child, moments, second: second, &turn)
        case .exited(let child, let run, let exit): if isLiving(child, run) { exited(child, exit, &turn) }
        case .emptied(let child, let run): if isLiving(child, run) { emptied(child, &turn) }
        case .crowded(let child, let isCrowded):
            if contains(child) {
                self[child].isCrowded = isCrowded
                touch(child)
            }
        case .command(let command, let id): carryOut(command, id, &turn)
        case .shutdown(let level): shutDown(level: level, &turn)
        case .late(let lateness): shiftHealth(by: lateness)
        }
    }

    /// Lets every deadline that has passed do its work, each once; what is due again at once waits for the next tick.
    private mutating func tick(_ turn: inout Turn) {
        var due: [Int] = []
        while let slot = deadlines.takeDue(at: turn.now) { due.append(slot) }
        for slot in due {
            if slot < children.count {
                expire(ChildID(index: slot), &turn)
            } else if slot < children.count + groups.count {
                retry(GroupID(rawValue: UInt16(slot - children.count)), &turn)
            } else {
                stopAwaitingLogWriter()
            }
        }
    }

    private mutating func expire(_ child: ChildID, _ turn: inout Turn) {
        takeTime(of: child, &turn)
        // The slot was due for the child's time, or for its state, or both.
        guard let due = self[child].state.deadline, due <= turn.now else {
            deadlines.set(child.index, deadline(of: child))
            return
        }
        switch self[child].state {
        case .delayed, .parked: enter(child, .waiting(), &turn)
        // Not executed in time: what there is of it is stopped.
        case .spawning: beginStop(child, for: .probe, &turn)
        case .starting(let run, let starting): startingExpired(child, run, starting, &turn)
        case .serving(let run, let serving): servingExpired(child, run, serving, &turn)
        case .stopping(let run, let ending): stepExpired(child, run, ending, &turn)
        case .off, .waiting, .scheduled, .unkillable, .done: break
        }
    }
}

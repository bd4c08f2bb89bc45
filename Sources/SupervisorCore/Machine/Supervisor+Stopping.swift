extension Supervisor {
    /// True when nobody is left that has to be empty before this child is stopped. The third signal to the tree waits
    /// for nobody but keeps the log-writer to the end.
    func mayStop(_ child: ChildID) -> Bool {
        if level >= 3 { return true }
        if self[child].gates.trailing > 0 { return false }
        guard let next = order.next[child.index] else { return true }
        return !self[next].facets.contains(.trailed)
    }

    /// Ends a run that is starting or serving, or whose spawn took too long. `patience`: time for `drained`, where that is more than its own.
    mutating func beginStop(
        _ child: ChildID, for cause: Cause, as verdict: Verdict? = nil, patience: Duration = .zero, _ turn: inout Turn
    ) {
        guard let run = self[child].state.run else { return }
        let stop = stopRule(child)
        var ending = Ending(
            verdict: verdict ?? .given(cause), begun: turn.now,
            step: .terminating(until: turn.now + bounded(stop.timeout), hasDrained: false))
        turn.tell(.stopping(child, run.id, cause))
        if level >= 3 {
            kill(child, run, ending, &turn)
        } else if let drain = stop.drain, cause.isPlanned {
            ending.step = .draining(until: turn.now + bounded(max(drain, patience)), isPatient: patience > drain)
            turn.actions.append(.drain(child, run.id))
            enter(child, .stopping(run, ending), &turn)
        } else {
            terminate(child, run, ending, &turn)
        }
    }

    /// The stop signal to the main process.
    private mutating func terminate(
        _ child: ChildID, _ run: Run, _ ending: Ending, hasDrained: Bool = false, _ turn: inout Turn
    ) {
        let stop = stopRule(child)
        var ending = ending
        ending.step = .terminating(until: turn.now + bounded(stop.timeout), hasDrained: hasDrained)
        turn.actions.append(.signal(child, run.id, stop.signal, .main))
        enter(child, .stopping(run, ending), &turn)
    }

    /// SIGKILL to everything that is left.
    mutating func kill(_ child: ChildID, _ run: Run, _ ending: Ending, _ turn: inout Turn) {
        var ending = ending
        ending.step = .killing(ending.step.exit, until: turn.now + bounded(stopRule(child).killGrace))
        turn.actions.append(.signal(child, run.id, .kill, .all))
        enter(child, .stopping(run, ending), &turn)
    }

    /// A step of a stop took too long.
    mutating func stepExpired(_ child: ChildID, _ run: Run, _ ending: Ending, _ turn: inout Turn) {
        switch ending.step {
        case .draining:
            terminate(child, run, ending, &turn)
        case .leaving, .terminating, .sweeping:
            turn.tell(.killing(child, run.id))
            kill(child, run, ending, &turn)
        case .killing(let exit, _):
            turn.tell(.unkillable(child, run.id))
            endSweep(of: child)
            enter(child, .unkillable(run, ending.verdict, begun: ending.begun, exit), &turn)
        }
    }

    /// A worker has finished what it was doing. `isItsWord`: it said so, and is not taken for it because it no longer can.
    mutating func drained(_ child: ChildID, isItsWord: Bool = true, _ turn: inout Turn) {
        guard case .stopping(let run, let ending) = self[child].state, case .draining = ending.step else { return }
        terminate(child, run, ending, hasDrained: isItsWord, &turn)
    }

    /// The bus ended this worker's link. One that was to drain can no longer say so.
    mutating func linkBroken(_ child: ChildID, _ cause: Cause, _ turn: inout Turn) {
        spawned(child, &turn)
        switch self[child].state {
        case .starting, .serving: beginStop(child, for: cause, &turn)
        case .stopping: drained(child, isItsWord: false, &turn)
        case .off, .waiting, .scheduled, .delayed, .spawning, .unkillable, .parked, .done: break
        }
    }

    /// The run wants a new one in its place. What requires it keeps running, as after a failure.
    mutating func restartItself(_ child: ChildID, _ turn: inout Turn) {
        spawned(child, &turn)
        guard goal(of: child) == .up else { return }
        switch self[child].state {
        case .starting, .serving: beginStop(child, for: .asked, as: .wished, &turn)
        case .off, .waiting, .scheduled, .delayed, .spawning, .stopping, .unkillable, .parked, .done: break
        }
    }

    /// The run says that it stops by itself: it has the stop timeout for it, and its exit is judged as ever.
    mutating func saysStopping(_ child: ChildID, _ turn: inout Turn) {
        switch self[child].state {
        case .starting(let run, _), .serving(let run, _):
            let step = Ending.Step.leaving(until: turn.now + bounded(stopRule(child).timeout))
            enter(child, .stopping(run, Ending(verdict: .byExit, begun: turn.now, step: step)), &turn)
        case .off, .waiting, .scheduled, .delayed, .spawning, .stopping, .unkillable, .parked, .done: break
        }
    }

    /// The main process is gone.
    mutating func exited(_ child: ChildID, _ exit: Exit, _ turn: inout Turn) {
        switch self[child].state {
        case .spawning(var run, _):
            // Nothing but a program ends with a code; a signal may have been faster than the exec.
            if Exit?(exit).isCode { noteExecution(of: child, &run) }
            exitedByItself(child, run, exit, &turn)
        case .starting(let run, _), .serving(let run, _): exitedByItself(child, run, exit, &turn)
        case .stopping(let run, let ending):
            exitedWhileStopping(child, run, ending, exit, &turn)
        case .unkillable(let run, let verdict, let begun, nil):
            revise(child, .unkillable(run, verdict, begun: begun, exit))
        case .off, .waiting, .scheduled, .delayed, .unkillable, .parked, .done: break
        }
    }

    /// What it leaves behind goes with it.
    private mutating func exitedByItself(_ child: ChildID, _ run: Run, _ exit: Exit, _ turn: inout Turn) {
        let ending = Ending(verdict: .byExit, begun: turn.now, step: .killing(exit, until: turn.now))
        kill(child, run, ending, &turn)
    }

    private mutating func exitedWhileStopping(
        _ child: ChildID, _ run: Run, _ ending: Ending, _ exit: Exit, _ turn: inout Turn
    ) {
        var ending = ending
        let stop = stopRule(child)
        switch ending.step {
        case .draining: ending.step = .sweeping(exit, until: turn.now + bounded(stop.timeout), hasDrained: false)
        case .leaving(let until): ending.step = .sweeping(exit, until: until, hasDrained: false)
        case .terminating(let until, let hasDrained):
            ending.step = .sweeping(exit, until: until, hasDrained: hasDrained)
        case .killing(nil, let until):
            ending.step = .killing(exit, until: until)
            revise(child, .stopping(run, ending))
            return
        case .sweeping, .killing: return
        }
        if ending.verdict.isPolite {
            turn.actions.append(.signal(child, run.id, stop.signal, .all))
            enter(child, .stopping(run, ending), &turn)
        } else {
            kill(child, run, ending, &turn)
        }
    }

    /// Nothing of the run is left. Only once its main process is known to be gone, unless it was given up as unkillable.
    mutating func emptied(_ child: ChildID, _ turn: inout Turn) {
        switch self[child].state {
        case .stopping(let run, let ending):
            if ending.step.exit != nil { conclude(child, run, ending, &turn) }
        case .unkillable(let run, let verdict, let begun, let exit):
            let ending = Ending(verdict: verdict, begun: begun, step: .killing(exit, until: turn.now))
            conclude(child, run, ending, &turn)
        case .off, .waiting, .scheduled, .delayed, .spawning, .starting, .serving, .parked, .done: break
        }
    }
}

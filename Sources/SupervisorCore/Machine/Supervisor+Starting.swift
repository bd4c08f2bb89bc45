extension Supervisor {
    /// Every enabled child is wanted; the log-writer goes first.
    mutating func begin(_ turn: inout Turn) {
        guard life == .idle else { return }
        if let logWriter = tree.logWriter, contains(logWriter), self[logWriter].wanted {
            life = .awaitingLogWriter
            deadlines.set(logWriterSlot, turn.now + Tree.logWriterPatience)
        } else {
            life = .running
        }
        // All of them first: none may look as if it were off while another one looks at its gates.
        for index in children.indices where children[index].wanted { comeUp(ChildID(index: index), &turn) }
        touchAll()
    }

    /// The log-writer is ready, or the others have waited long enough.
    mutating func stopAwaitingLogWriter() {
        guard life == .awaitingLogWriter else { return }
        life = .running
        deadlines.set(logWriterSlot, nil)
        touchAll()
    }

    /// The deadline slot of the patience with the log-writer.
    var logWriterSlot: Int { children.count + groups.count }

    /// Every child is looked at before the turn ends.
    mutating func touchAll() {
        for index in children.indices { touch(ChildID(index: index)) }
    }

    /// Whether everything holds that must hold before a spawn.
    func gatesHold(for child: ChildID) -> Bool {
        switch life {
        case .idle, .finished: return false
        case .awaitingLogWriter: if !isLogWriter(child) { return false }
        case .running: break
        // While others still write their last lines the log-writer is replaced as ever.
        case .ending(let level): if !isLogWriter(child) || level > 2 { return false }
        }
        let gates = self[child].gates
        guard !self[child].isCrowded, gates.unmet == 0, gates.unsettled == 0 else { return false }
        guard self[child].state.barrier == nil else { return false }
        if let previous = order.previous[child.index], !self[previous].facets.contains(.passed) { return false }
        guard let group = group(of: child) else { return true }
        return groups[Int(group.rawValue)].sweeping == 0
    }

    /// A new run.
    mutating func spawn(_ child: ChildID, _ turn: inout Turn) {
        runCount &+= 1
        let run = Run(id: RunID(second: second, count: runCount), started: turn.now)
        turn.tell(.starting(child, run.id))
        turn.actions.append(.spawn(child, run.id))
        timetables[child]?.started(at: turn.now)
        enter(child, .spawning(run, until: turn.now + policy(child).startTimeout), &turn)
    }

    /// There is a process: from now on it can be stopped.
    mutating func cloned(_ child: ChildID, _ turn: inout Turn) {
        switch self[child].state {
        case .spawning(var run, let until):
            run.hasProcess = true
            enter(child, .spawning(run, until: until), &turn)
        case .off, .waiting, .scheduled, .delayed, .starting, .serving, .stopping, .unkillable, .parked, .done: break
        }
    }

    /// Its program is executed.
    mutating func spawned(_ child: ChildID, _ turn: inout Turn) {
        switch self[child].state {
        case .spawning(var run, let until):
            let policy = policy(child)
            var starting = Starting(until: until, probe: .none)
            noteExecution(of: child, &run)
            if case .down(let cause) = goal(of: child), mayStop(child) {
                enter(child, .starting(run, starting), &turn)
                beginStop(child, for: cause, &turn)
                return
            }
            switch policy.ready {
            case .spawned:
                becomeReady(child, run, &turn)
            case .reported:
                enter(child, .starting(run, starting), &turn)
            case .probed where policy.firstProbe > .zero:
                starting.probe = .due(turn.now + policy.firstProbe)
                enter(child, .starting(run, starting), &turn)
            case .probed:
                starting.probe = .asked
                turn.actions.append(.probe(child, run.id))
                enter(child, .starting(run, starting), &turn)
            }
        case .stopping(var run, let ending):
            noteExecution(of: child, &run)
            revise(child, .stopping(run, ending))
        case .off, .waiting, .scheduled, .delayed, .starting, .serving, .unkillable, .parked, .done: break
        }
    }

    /// The program of this run is executed. Tries that came to no program, however they ended, are no restarts.
    mutating func noteExecution(of child: ChildID, _ run: inout Run) {
        guard !run.isExecuted else { return }
        run.isExecuted = true
        if self[child].tally.owesRestart { self[child].tally.restarts &+= 1 }
        self[child].tally.owesRestart = false
    }

    /// There is none; the run ends with that.
    mutating func spawnFailed(_ child: ChildID, _ exit: Exit, _ turn: inout Turn) {
        switch self[child].state {
        case .spawning(let run, _):
            conclude(
                child, run, Ending(verdict: .byExit, begun: turn.now, step: .killing(exit, until: turn.now)), &turn)
        // It was to be stopped before that.
        case .stopping(let run, var ending):
            ending.step = .killing(exit, until: turn.now)
            conclude(child, run, ending, &turn)
        case .unkillable(let run, let verdict, let begun, _):
            let ending = Ending(verdict: verdict, begun: begun, step: .killing(exit, until: turn.now))
            conclude(child, run, ending, &turn)
        case .off, .waiting, .scheduled, .delayed, .starting, .serving, .parked, .done: break
        }
    }

    /// There is none, since a run that is being ended has what it needs. That is nobody's failure: it is not counted, and
    /// the next try comes when that run is over.
    mutating func barred(_ child: ChildID, _ exit: Exit, by holder: ChildID, _ turn: inout Turn) {
        guard case .spawning(let run, _) = self[child].state, contains(holder),
            case .stopping = self[holder].state
        else { return spawnFailed(child, exit, &turn) }
        let step = Ending.Step.killing(exit, until: turn.now)
        conclude(child, run, Ending(verdict: .given(.dependency), begun: turn.now, step: step), &turn)
        switch self[child].state {
        // A time that had come stays owed.
        case .waiting, .scheduled: enter(child, .waiting(barrier: holder), &turn)
        case .off, .delayed, .spawning, .starting, .serving, .stopping, .unkillable, .parked, .done: break
        }
    }

    /// The run of this child is over, or nobody waits for that any more.
    mutating func liftBarrier(of holder: ChildID, _ turn: inout Turn) {
        guard barredCount > 0 else { return }
        for index in children.indices where children[index].state.barrier == holder {
            enter(ChildID(index: index), .waiting(), &turn)
        }
    }

    /// The run says or shows that it serves.
    mutating func saysReady(_ child: ChildID, _ turn: inout Turn) {
        // A run that speaks was spawned, even where the shell reports the word first.
        spawned(child, &turn)
        switch self[child].state {
        case .starting(let run, _): becomeReady(child, run, &turn)
        case .off, .waiting, .scheduled, .delayed, .spawning, .serving, .stopping, .unkillable, .parked, .done: break
        }
    }

    /// From now on it serves and its health is watched.
    mutating func becomeReady(_ child: ChildID, _ run: Run, _ turn: inout Turn) {
        let policy = policy(child)
        var run = run
        run.ready = turn.now
        let serving = Serving(
            probe: policy.liveness.map { .due(turn.now + $0.first.asInterval) } ?? .none,
            watchdog: run.watchdog(under: policy).map { turn.now + $0.asInterval },
            settled: isToStay(child) ? turn.now + Self.shortLife : nil,
            // A failure of one that the clock starts stands until a run of it has succeeded.
            stable: self[child].tally.isTroubled && !isScheduled(child) ? turn.now + policy.delay.stableAfter : nil)
        turn.tell(.ready(child, run.id))
        enter(child, .serving(run, serving), &turn)
        if isLogWriter(child) { stopAwaitingLogWriter() }
    }
}

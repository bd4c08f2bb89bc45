extension Supervisor {
    /// From the second signal to the tree on no timeout is longer than this.
    public static let hurriedTimeout: Duration = .seconds(1)

    /// How often the tree was asked to end.
    var level: UInt8 {
        switch life {
        case .idle, .awaitingLogWriter, .running, .finished: 0
        case .ending(let level): level
        }
    }

    /// A timeout of a stop, as long as it may be at this level.
    func bounded(_ timeout: Duration) -> Duration { level >= 2 ? min(timeout, Self.hurriedTimeout) : timeout }

    /// Everything goes down in reverse order of dependence, the log-writer last; a higher level only makes haste.
    mutating func shutDown(level: UInt8, _ turn: inout Turn) {
        let level = min(level, 3)
        switch life {
        case .finished: return
        case .idle, .awaitingLogWriter, .running: if level == 0 { return }
        case .ending(let old): if level <= old { return }
        }
        life = .ending(level: level)
        overtakeAll(&turn)
        for slot in children.count...logWriterSlot { deadlines.set(slot, nil) }
        // The clock starts nobody any more. Some have a run that nothing else touches: its exec is awaited.
        for child in timetables.keys { deadlines.set(child.index, deadline(of: child)) }
        if level >= 2 {
            for index in children.indices { hurry(ChildID(index: index), &turn) }
        }
        touchAll()
    }

    /// What comes after a child was given up, with its group or without.
    func sequel(_ retry: Instant?, of child: ChildID) -> Sequel {
        retry.map { .retry($0) } ?? (endsTree(with: child) ? .endOfTree : .command)
    }

    /// Whether the tree is there for the sake of this child.
    private func endsTree(with child: ChildID) -> Bool {
        guard policy(child).significant else { return false }
        switch life {
        case .idle, .ending, .finished: return false
        case .awaitingLogWriter, .running: return true
        }
    }

    /// A child has ended by itself and does not come back by itself: done, or given up without a retry. If the tree is
    /// there for its sake, that is the end of the tree.
    mutating func endTree(after child: ChildID, _ turn: inout Turn) {
        guard endsTree(with: child) else { return }
        // Who waits for this child is told what it came to, not that the end of the tree overtook it.
        answerWaiters(of: child, &turn)
        turn.actions.append(.end(because: child, self[child].lastEnd?.exit))
        shutDown(level: 1, &turn)
    }

    /// Cuts what is left of a running stop; at the third level kills. The log-writer's end comes when the others are gone.
    private mutating func hurry(_ child: ChildID, _ turn: inout Turn) {
        guard case .stopping(let run, var ending) = self[child].state else { return }
        ending.step.until = min(ending.step.until, turn.now + Self.hurriedTimeout)
        switch ending.step {
        case .draining, .leaving, .terminating, .sweeping:
            if level >= 3 {
                turn.tell(.killing(child, run.id))
                kill(child, run, ending, &turn)
                return
            }
        case .killing: break
        }
        revise(child, .stopping(run, ending))
    }

    /// A log-writer that the end finds between two runs, or that dies before it has drained, gets one more: the others'
    /// last lines are still in the pipes.
    func startsFarewell(_ child: ChildID) -> Bool {
        guard mayStartFarewell(child) else { return false }
        switch self[child].state {
        case .delayed: return true
        case .off, .waiting, .scheduled, .spawning, .starting, .serving, .stopping, .unkillable, .parked, .done:
            return false
        }
    }

    /// Not without end: one that cannot run would hold up the end for ever.
    static let farewellLimit: UInt8 = 3

    func mayStartFarewell(_ child: ChildID) -> Bool {
        guard isLogWriter(child), self[child].wanted, farewells < Self.farewellLimit else { return false }
        switch life {
        case .ending(let level): return level < 3
        case .idle, .awaitingLogWriter, .running, .finished: return false
        }
    }

    /// Says `finished` once nothing is left but what nobody can kill.
    mutating func finishIfEmpty(_ turn: inout Turn) {
        guard case .ending = life, aliveCount == 0 else { return }
        if let logWriter = tree.logWriter, contains(logWriter), self[logWriter].state.isAlive { return }
        giveUpUnkillable(&turn)
        settle(&turn)
        life = .finished
        turn.actions.append(.finished(clean: !leavesRest))
    }

    /// What nobody can kill gets its end record when everybody else is gone: before the log-writer drains, who keeps it.
    mutating func giveUpUnkillable(_ turn: inout Turn) {
        guard case .ending = life, aliveCount == 0 else { return }
        for index in children.indices {
            let child = ChildID(index: index)
            guard case .unkillable(let run, _, _, let exit) = self[child].state else { continue }
            leavesRest = true
            tellEnd(child, run, exit, .unkillable, &turn)
            enter(child, .off, &turn)
        }
    }
}

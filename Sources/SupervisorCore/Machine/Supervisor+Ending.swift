extension Supervisor {
    /// A run is over and nothing of it is left: its one end record, then what becomes of the child.
    mutating func conclude(_ child: ChildID, _ run: Run, _ ending: Ending, _ turn: inout Turn) {
        // Judged before the reasons to go down are taken away that this end fulfils.
        let goal = goal(of: child)
        let cause = cause(of: ending, child, run)
        let isBouncing = self[child].isBouncing
        self[child].isBouncing = false
        oldStops[child] = nil
        endSweep(of: child)
        tellEnd(child, run, ending.step.exit, cause, &turn)
        // Whom its exec alone shows to be ready was never executed where it never was: another try follows, or parking.
        if !isBouncing, run.ready != nil { disappoint(child, cause, &turn) }
        if isScheduled(child), !isBouncing {
            concludeScheduled(child, cause, &turn)
        } else if goal == .up, cause == .recycled {
            delay(child, after: run, cause, &turn)
        } else if goal != .up, ending.isBeforeDrained || !cause.isPlanned, mayStartFarewell(child) {
            enter(child, .delayed(until: turn.now, cause), &turn)
        } else if goal != .up || cause.isPlanned && ending.verdict != .wished {
            enter(child, .waiting(), &turn)
        } else {
            replace(child, run, ending, cause, &turn)
        }
    }

    /// The end record, and the counts that are only shown.
    mutating func tellEnd(_ child: ChildID, _ run: Run, _ exit: Exit?, _ cause: Cause, _ turn: inout Turn) {
        let end = EndRecord(
            child: child, run: run.id, exit: exit, cause: cause, started: run.started, ready: run.ready, ended: turn.now
        )
        self[child].lastEnd = end
        self[child].tally.ended &+= 1
        if run.isExecuted { self[child].tally.owesRestart = isFailure(cause, of: child) }
        turn.tell(.ended(end))
    }

    /// Why a run ends: the one judge, by whom end records, counts and what follows go.
    func cause(of ending: Ending, _ child: ChildID, _ run: Run) -> Cause {
        let cause = ending.verdict.cause(of: ending.step.exit, under: policy(child).exits)
        return cause == .done && isUseless(ending, child, run) ? .config : cause
    }

    /// A clean exit at once is how a program looks that put itself into the background, or one that printed its usage:
    /// replacing it would only do the same again.
    private func isUseless(_ ending: Ending, _ child: ChildID, _ run: Run) -> Bool {
        guard ending.verdict == .byExit, ending.step.exit.isCode, policy(child).restart == .always,
            goal(of: child) == .up,
            !isScheduled(child), !isLogWriter(child)
        else { return false }
        return ending.begun - run.started < Self.shortLife && !isStable(ending, child, run)
    }

    private func isStable(_ ending: Ending, _ child: ChildID, _ run: Run) -> Bool {
        run.ready.map { ending.begun - $0 >= policy(child).delay.stableAfter } ?? false
    }

    /// Whether nobody asked for this end, so that a run after it is a restart. A run of a scheduled child
    /// is begun by the clock, however the last one ended.
    private func isFailure(_ cause: Cause, of child: ChildID) -> Bool {
        guard !cause.isPlanned, !isScheduled(child) else { return false }
        return cause != .done || policy(child).restart == .always
    }

    /// Nobody but the run itself asked for this end: the restart rule decides.
    private mutating func replace(
        _ child: ChildID, _ run: Run, _ ending: Ending, _ cause: Cause, _ turn: inout Turn
    ) {
        let policy = policy(child)
        let isStable = isStable(ending, child, run)
        if isStable { self[child].tally.forget() }
        if isLogWriter(child) {
            if !isStable { self[child].tally.unstable.increase() }
            delay(child, after: run, cause, &turn)
            return
        }
        switch (policy.restart, cause) {
        // Its own wish, whatever the rule is.
        case (_, .asked): restart(child, after: run, isStable: isStable, cause, &turn)
        case (.onFailure, .done), (.never, .done):
            enter(child, .done, &turn)
            endTree(after: child, &turn)
        case (.never, _):
            park(child, cause, .never, retry: nil, &turn)
        case (.always, .config), (.onFailure, .config):
            park(child, cause, .config, retry: policy.delay.slowRetry.map { turn.now + $0 }, &turn)
        case (.always, _), (.onFailure, _):
            restart(child, after: run, isStable: isStable, cause, &turn)
        }
    }

    /// A clean exit sooner than this after the start, where the child must run, is an error of configuration.
    public static let shortLife: Duration = .seconds(1)

    private mutating func restart(
        _ child: ChildID, after run: Run, isStable: Bool, _ cause: Cause, _ turn: inout Turn
    ) {
        let policy = policy(child)
        if cause == .network {
            self[child].tally.network.increase()
        } else if self[child].gates.unmet == 0 {
            if !isStable { self[child].tally.unstable.increase() }
            let isTooOften = policy.intensity.map { self[child].restarts.counts(turn.now, beyond: $0) } ?? false
            if isTooOften || self[child].tally.unstable >= max(1, policy.delay.parkAfter) {
                let ground = isTooOften ? Ground.intensity : .unstable
                park(child, cause, ground, retry: policy.delay.slowRetry.map { turn.now + $0 }, &turn)
                return
            }
            if groupParks(for: child, cause, &turn) { return }
            if cause != .asked { sweepSiblings(of: child, &turn) }
        }
        // Else what it requires went away under it: its end is not counted, and it waits for that at the gate.
        delay(child, after: run, cause, &turn)
    }

    /// The next run, once the delay since the last start has passed; at once if it has.
    private mutating func delay(_ child: ChildID, after run: Run, _ cause: Cause, _ turn: inout Turn) {
        let tally = self[child].tally
        let delay: Duration
        if isLogWriter(child) {
            delay = DelayRule.logWriter.delay(after: tally.unstable > 0 ? tally.unstable - 1 : 0)
        } else if cause == .network {
            delay = min(policy(child).delay.delay(after: tally.network), DelayRule.networkLimit)
        } else {
            // A stable run too is not replaced sooner than the first delay after its start: the bound of all restarts.
            delay = policy(child).delay.delay(after: max(1, tally.unstable))
        }
        let until = run.started + delay.jittered(by: turn.jitter)
        if until <= turn.now {
            enter(child, .waiting(), &turn)
        } else {
            enter(child, .delayed(until: until, cause), &turn)
            turn.tell(.delayed(child, until: until, cause))
        }
    }

    /// Gives a child up for now; a critical one takes its group with it.
    private mutating func park(
        _ child: ChildID, _ cause: Cause, _ ground: Ground, retry: Instant?, _ turn: inout Turn
    ) {
        if policy(child).critical, let group = group(of: child) {
            park(group, because: child, cause, ground, &turn)
        } else {
            enter(child, .parked(cause, retry: retry, ground), &turn)
            let sequel = sequel(retry, of: child)
            turn.tell(.parked(child, cause, sequel))
            if sequel == .endOfTree { endTree(after: child, &turn) }
        }
    }
}

extension Exit? {
    /// False for a signal: a program that printed its usage or went into the background ends with a code.
    var isCode: Bool {
        switch self {
        case .code: true
        case .signal, .notExecuted, .unknown, nil: false
        }
    }
}

extension Ending {
    /// The main process went while it was to drain, and not because it had: neither its word nor a clean exit says so.
    fileprivate var isBeforeDrained: Bool {
        switch step {
        case .sweeping(let exit, _, let hasDrained): !hasDrained && exit != .code(0)
        case .draining, .leaving, .terminating, .killing: false
        }
    }
}

extension UInt16 {
    /// One more, at most all.
    mutating func increase() { if self < .max { self += 1 } }
}

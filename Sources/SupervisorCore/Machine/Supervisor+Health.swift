extension LivenessRule {
    /// Misses in a row where a worker reports the health of a child that has no liveness rule of its own.
    public static let defaultMisses: UInt8 = 3
}

extension Duration {
    /// No interval of a probe or watchdog is shorter than a millisecond: zero would be a busy loop.
    var asInterval: Duration { max(self, .milliseconds(1)) }
}

extension Supervisor {
    /// The start timeout went by, or the readiness probe is due.
    mutating func startingExpired(_ child: ChildID, _ run: Run, _ starting: Starting, _ turn: inout Turn) {
        var starting = starting
        if starting.until <= turn.now {
            beginStop(child, for: .probe, &turn)
            return
        }
        ask(child, run, &starting.probe, &turn)
        revise(child, .starting(run, starting))
    }

    /// The watchdog bites, a liveness probe is due, or the run counts as stable from now on.
    mutating func servingExpired(_ child: ChildID, _ run: Run, _ serving: Serving, _ turn: inout Turn) {
        var serving = serving
        if let stable = serving.stable, stable <= turn.now {
            serving.stable = nil
            self[child].tally.forget()
        }
        if let settled = serving.settled, settled <= turn.now {
            serving.settled = nil
            touched.add(child)
        }
        if let watchdog = serving.watchdog, watchdog <= turn.now {
            beginStop(child, for: .watchdog, &turn)
            return
        }
        ask(child, run, &serving.probe, &turn)
        revise(child, .serving(run, serving))
    }

    private func ask(_ child: ChildID, _ run: Run, _ probe: inout ProbeClock, _ turn: inout Turn) {
        guard let due = probe.instant, due <= turn.now else { return }
        probe = .asked
        turn.actions.append(.probe(child, run.id))
    }

    /// An answer to a probe.
    mutating func probed(_ child: ChildID, healthy: Bool, _ turn: inout Turn) {
        let policy = policy(child)
        switch self[child].state {
        case .starting(let run, var starting):
            guard case .probed(let interval) = policy.ready else { return }
            if healthy {
                becomeReady(child, run, &turn)
            } else {
                starting.probe = .due(turn.now + interval.asInterval)
                revise(child, .starting(run, starting))
            }
        case .serving(let run, var serving):
            let limit = policy.liveness?.misses ?? LivenessRule.defaultMisses
            serving.misses = healthy ? 0 : serving.misses &+ 1
            if let liveness = policy.liveness { serving.probe = .due(turn.now + liveness.interval.asInterval) }
            if serving.misses >= max(1, limit) {
                beginStop(child, for: .probe, &turn)
            } else {
                revise(child, .serving(run, serving))
            }
        case .off, .waiting, .scheduled, .delayed, .spawning, .stopping, .unkillable, .parked, .done: break
        }
    }

    /// A word of a worker about this child's health. It moves neither the probe nor the probe's misses: a worker that
    /// speaks more often than the probe is due would else keep it from ever being asked. Nor does it show readiness,
    /// which the shell reports where it does.
    mutating func judged(_ child: ChildID, healthy: Bool, _ turn: inout Turn) {
        switch self[child].state {
        case .serving(let run, var serving):
            let limit = policy(child).liveness?.misses ?? LivenessRule.defaultMisses
            serving.complaints = healthy ? 0 : serving.complaints &+ 1
            if serving.complaints >= max(1, limit) {
                beginStop(child, for: .probe, &turn)
            } else {
                revise(child, .serving(run, serving))
            }
        case .off, .waiting, .scheduled, .delayed, .spawning, .starting, .stopping, .unkillable, .parked, .done: break
        }
    }

    /// Nobody could answer: the misses stay as they are, and the probe is asked again in its time.
    mutating func unprobed(_ child: ChildID, _ turn: inout Turn) {
        let policy = policy(child)
        switch self[child].state {
        case .starting(let run, var starting):
            guard case .probed(let interval) = policy.ready, starting.probe == .asked else { return }
            starting.probe = .due(turn.now + interval.asInterval)
            revise(child, .starting(run, starting))
        case .serving(let run, var serving):
            guard let liveness = policy.liveness, serving.probe == .asked else { return }
            serving.probe = .due(turn.now + liveness.interval.asInterval)
            revise(child, .serving(run, serving))
        case .off, .waiting, .scheduled, .delayed, .spawning, .stopping, .unkillable, .parked, .done: break
        }
    }

    /// The run says that it hangs, which is what its silence would say later.
    mutating func triggered(_ child: ChildID, _ turn: inout Turn) {
        switch self[child].state {
        case .starting, .serving: beginStop(child, for: .watchdog, &turn)
        case .off, .waiting, .scheduled, .delayed, .spawning, .stopping, .unkillable, .parked, .done: break
        }
    }

    /// The run chooses its watchdog's interval, for as long as it lives; what it has waited so far is forgotten.
    mutating func changeWatchdog(_ child: ChildID, to interval: Duration, _ turn: inout Turn) {
        let bounded = min(max(interval, .zero), Run.longestWatchdog)
        let microseconds = UInt32(clamping: bounded.nanoseconds / 1000)
        switch self[child].state {
        case .starting(var run, let starting):
            run.watchdogMicroseconds = microseconds
            revise(child, .starting(run, starting))
        case .serving(var run, var serving):
            run.watchdogMicroseconds = microseconds
            serving.watchdog = run.watchdog(under: policy(child)).map { turn.now + $0.asInterval }
            revise(child, .serving(run, serving))
        case .off, .waiting, .scheduled, .delayed, .spawning, .stopping, .unkillable, .parked, .done: break
        }
    }

    /// The run lives: the watchdog starts anew.
    mutating func pinged(_ child: ChildID, _ turn: inout Turn) {
        switch self[child].state {
        case .serving(let run, var serving):
            guard let interval = run.watchdog(under: policy(child)) else { return }
            serving.watchdog = turn.now + interval.asInterval
            revise(child, .serving(run, serving))
        case .off, .waiting, .scheduled, .delayed, .spawning, .starting, .stopping, .unkillable, .parked, .done: break
        }
    }

    /// The run asks for more time. A timeout is never extended beyond ten times itself, and not at all once the tree is
    /// being ended for the second time: a child that asks for ever must not hold up its stop for ever.
    mutating func extendTimeout(_ child: ChildID, by time: Duration, _ turn: inout Turn) {
        let wish = turn.now + time
        let policy = policy(child)
        switch self[child].state {
        case .starting(let run, var starting):
            starting.until = max(starting.until, min(wish, run.started + policy.startTimeout.tenfold))
            revise(child, .starting(run, starting))
        case .stopping(let run, var ending):
            guard level < 2 else { return }
            let timeout: Duration
            switch ending.step {
            case .draining: timeout = stopRule(child).drain ?? .zero
            case .leaving, .terminating, .sweeping: timeout = stopRule(child).timeout
            case .killing: return
            }
            ending.step.until = max(ending.step.until, min(wish, ending.begun + timeout.tenfold))
            revise(child, .stopping(run, ending))
        case .off, .waiting, .scheduled, .delayed, .spawning, .serving, .unkillable, .parked, .done: break
        }
    }

    /// The loop was late: nobody is judged for what it did not read in time. Other deadlines keep their instants.
    mutating func shiftHealth(by lateness: Duration) {
        guard lateness > .zero else { return }
        for index in children.indices {
            let child = ChildID(index: index)
            switch self[child].state {
            case .starting(let run, var starting):
                starting.probe = starting.probe.shifted(by: lateness)
                revise(child, .starting(run, starting))
            case .serving(let run, var serving):
                serving.probe = serving.probe.shifted(by: lateness)
                serving.watchdog = serving.watchdog.map { $0 + lateness }
                revise(child, .serving(run, serving))
            case .off, .waiting, .scheduled, .delayed, .spawning, .stopping, .unkillable, .parked, .done: break
            }
        }
    }
}

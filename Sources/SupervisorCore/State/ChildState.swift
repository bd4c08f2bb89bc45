/// Where a child stands. Each case carries exactly what is true in it and nothing else.
package enum ChildState: Hashable, Sendable {
    /// Not wanted; nothing of it runs.
    case off
    /// Wanted; starts as soon as its gates hold. `barrier`: not before the run of this child is over, which is being ended
    /// and has what it needs.
    case waiting(barrier: ChildID? = nil)
    /// Wanted; starts when its time comes.
    case scheduled
    /// Wanted; the delay of its last, unstable run has not passed.
    case delayed(until: Instant, Cause)
    /// `Action.spawn` was said; its program is not executed. The start timeout counts already: who knows how long an exec
    /// takes.
    case spawning(Run, until: Instant)
    /// There is a process; it does not serve yet.
    case starting(Run, Starting)
    /// It serves.
    case serving(Run, Serving)
    /// It is being ended, or its main process ended and the rest is.
    case stopping(Run, Ending)
    /// Outlived SIGKILL and its grace; when it began to end, because readiness counts until there.
    case unkillable(Run, Verdict, begun: Instant, Exit?)
    /// Given up for now, by this rule; nil: until its group's retry or a command.
    case parked(Cause, retry: Instant?, Ground)
    /// Ended with success, and its rule wants no more.
    case done
}

/// One life of a child, as far as the core knows it.
package struct Run: Hashable, Sendable {
    /// Its id.
    package let id: RunID
    /// When it was spawned: delays count from here.
    package let started: Instant
    /// First ready, if ever.
    package var ready: Instant?
    /// What the run made of its watchdog by WATCHDOG_USEC, in microseconds; 0: it has none. nil: that of its policy.
    package var watchdogMicroseconds: UInt32?
    /// There is a process to be stopped, executed or not.
    package var hasProcess = false
    /// Its program was executed: only then is its end followed by a restart.
    package var isExecuted = false

    /// One that is about to be spawned.
    package init(id: RunID, started: Instant) {
        self.id = id
        self.started = started
    }

    /// The longest that a run may choose.
    static let longestWatchdog: Duration = .seconds(3600)

    /// The watchdog in force under a policy.
    func watchdog(under policy: ChildPolicy) -> Duration? {
        guard let own = watchdogMicroseconds else { return policy.watchdog }
        return own == 0 ? nil : .microseconds(Int64(own))
    }
}

/// What holds while a run is not ready yet.
package struct Starting: Hashable, Sendable {
    /// The start timeout in force.
    package var until: Instant
    /// The readiness probe.
    package var probe: ProbeClock

    /// Both.
    package init(until: Instant, probe: ProbeClock) {
        self.until = until
        self.probe = probe
    }
}

/// What holds while a run serves.
package struct Serving: Hashable, Sendable {
    /// Misses of the liveness probe in a row.
    package var misses: UInt8 = 0
    /// Words of workers in a row that call it unhealthy: neither these nor the probe's answers clear the other's.
    package var complaints: UInt8 = 0
    /// The liveness probe.
    package var probe: ProbeClock
    /// When the watchdog bites, if there is one.
    package var watchdog: Instant?
    /// When it has shown that it stays, for those who wait for that; nil: it has, or nobody does.
    package var settled: Instant?
    /// When this run counts as stable; nil when it does already or there is nothing to forget then.
    package var stable: Instant?

    /// One that has just become ready.
    package init(probe: ProbeClock, watchdog: Instant?, settled: Instant?, stable: Instant?) {
        self.probe = probe
        self.watchdog = watchdog
        self.settled = settled
        self.stable = stable
    }
}

extension Serving {
    /// The earliest of what is armed.
    var deadline: Instant? {
        guard let first = stable ?? settled else { return watchdog?.orEarlier(probe.instant) ?? probe.instant }
        return first.orEarlier(settled).orEarlier(watchdog).orEarlier(probe.instant)
    }
}

/// When a probe is due. At most one is under way for a run.
package enum ProbeClock: Hashable, Sendable {
    /// There is no probe.
    case none
    /// `Action.probe` was said; the answer is out.
    case asked
    /// To be asked at this instant.
    case due(Instant)
}

/// How far the end of a run has come, and why it ends.
package struct Ending: Hashable, Sendable {
    /// Why.
    package var verdict: Verdict
    /// When it began to end; readiness counts until here.
    package let begun: Instant
    /// How far it is.
    package var step: Step

    /// All of it.
    package init(verdict: Verdict, begun: Instant, step: Step) {
        self.verdict = verdict
        self.begun = begun
        self.step = step
    }

    /// The steps of a stop, in order; a crash begins with the last.
    package enum Step: Hashable, Sendable {
        /// The drain word is out. Patient: there is more time for it than its stop rule gives, as long as nothing else wants
        /// it down.
        case draining(until: Instant, isPatient: Bool)
        /// The run said by itself that it stops.
        case leaving(until: Instant)
        /// The main process has the stop signal. `hasDrained`: it said before that it had.
        case terminating(until: Instant, hasDrained: Bool)
        /// The main process is gone; the rest has the stop signal and what is left of the timeout. `hasDrained`: it went after
        /// it had said so.
        case sweeping(Exit, until: Instant, hasDrained: Bool)
        /// Everything has SIGKILL.
        case killing(Exit?, until: Instant)
    }
}

extension ChildState {
    /// The word for it.
    var phase: Phase {
        switch self {
        case .off: .off
        case .waiting: .waiting
        case .scheduled: .scheduled
        case .delayed: .delayed
        case .spawning, .starting: .starting
        case .serving: .ready
        case .stopping: .stopping
        case .unkillable: .unkillable
        case .parked: .parked
        case .done: .done
        }
    }

    /// The living run, if there is one; one that nobody can kill is still living.
    var run: Run? {
        switch self {
        case .spawning(let run, _), .starting(let run, _), .serving(let run, _), .stopping(let run, _),
            .unkillable(let run, _, _, _):
            run
        case .off, .waiting, .scheduled, .delayed, .parked, .done: nil
        }
    }

    /// True while a run is there that others wait for; an unkillable one holds up nobody.
    var isAlive: Bool {
        switch self {
        case .spawning, .starting, .serving, .stopping: true
        case .off, .waiting, .scheduled, .delayed, .unkillable, .parked, .done: false
        }
    }

    /// Whose end it waits for to have what it needs.
    var barrier: ChildID? {
        switch self {
        case .waiting(let barrier): barrier
        case .off, .scheduled, .delayed, .spawning, .starting, .serving, .stopping, .unkillable, .parked, .done: nil
        }
    }

    /// The next instant at which time alone changes something here.
    var deadline: Instant? {
        switch self {
        case .off, .waiting, .scheduled, .unkillable, .done: nil
        case .delayed(let until, _), .spawning(_, let until): until
        case .parked(_, let retry, _): retry
        case .starting(_, let starting): starting.until.orEarlier(starting.probe.instant)
        case .serving(_, let serving): serving.deadline
        case .stopping(_, let ending): ending.step.until
        }
    }
}

extension ProbeClock {
    /// When it is to be asked.
    var instant: Instant? {
        switch self {
        case .none, .asked: nil
        case .due(let instant): instant
        }
    }

    /// The same, later; for a loop that was late.
    func shifted(by lateness: Duration) -> ProbeClock {
        switch self {
        case .none, .asked: self
        case .due(let instant): .due(instant + lateness)
        }
    }
}

extension Ending.Step {
    /// When the step has taken too long.
    var until: Instant {
        get {
            switch self {
            case .draining(let until, _), .leaving(let until), .terminating(let until, _), .sweeping(_, let until, _),
                .killing(_, let until):
                until
            }
        }
        set {
            switch self {
            case .draining(_, let isPatient): self = .draining(until: newValue, isPatient: isPatient)
            case .leaving: self = .leaving(until: newValue)
            case .terminating(_, let hasDrained): self = .terminating(until: newValue, hasDrained: hasDrained)
            case .sweeping(let exit, _, let hasDrained):
                self = .sweeping(exit, until: newValue, hasDrained: hasDrained)
            case .killing(let exit, _): self = .killing(exit, until: newValue)
            }
        }
    }

    /// How the main process ended, once it did.
    var exit: Exit? {
        switch self {
        case .draining, .leaving, .terminating: nil
        case .sweeping(let exit, _, _): exit
        case .killing(let exit, _): exit
        }
    }
}

extension Instant {
    /// Later than everything.
    static let distantFuture = Instant(nanoseconds: .max)

    /// This one, or another if there is one and it comes first.
    func orEarlier(_ other: Instant?) -> Instant {
        guard let other else { return self }
        return min(self, other)
    }
}

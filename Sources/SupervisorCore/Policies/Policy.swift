/// When an ended run is replaced without anyone asking.
public enum RestartRule: UInt8, Hashable, Sendable, CaseIterable {
    /// Always; a clean exit that nobody asked for counts as a failure (cause `config` if it happens at once).
    case always
    /// Unless the run ended with a success code: that is `done`.
    case onFailure
    /// Never; the end is shown as `done` or with its cause.
    case never
}

/// The delay before a replacement, counted from the START of the last run: a run that outlived its delay is replaced at once.
public struct DelayRule: Hashable, Sendable {
    /// Delay after the first unstable run.
    public var first: Duration
    /// The delay doubles up to this.
    public var cap: Duration
    /// Ready time after which a run counts as stable and the delay falls back to `first`.
    public var stableAfter: Duration
    /// This many unstable runs in a row park the child.
    public var parkAfter: UInt16
    /// A parked child is tried again after this; nil: it waits for a command ("needs you").
    public var slowRetry: Duration?

    /// The design's defaults: 100 ms doubling to 30 s, stable after 60 s, parked after 12, slow retry after 15 min.
    public init(
        first: Duration = .milliseconds(100), cap: Duration = .seconds(30), stableAfter: Duration = .seconds(60),
        parkAfter: UInt16 = 12, slowRetry: Duration? = .seconds(900)
    ) {
        self.first = first
        self.cap = cap
        self.stableAfter = stableAfter
        self.parkAfter = parkAfter
        self.slowRetry = slowRetry
    }
}

/// An optional further bound: more than `restarts` within `window` parks (the child, or the group that carries it).
public struct Intensity: Hashable, Sendable {
    /// Restarts allowed within the window.
    public var restarts: UInt16
    /// Sliding window.
    public var window: Duration

    /// Both bounds together.
    public init(restarts: UInt16, window: Duration) {
        self.restarts = restarts
        self.window = window
    }
}

/// How the core learns that a run is ready.
public enum ReadyRule: Hashable, Sendable {
    /// The exec succeeded: ready at once.
    case spawned
    /// The shell reports `Event.ready` by itself (sd_notify, fd, bus, log line).
    case reported
    /// The core asks with `Action.probe` every `interval` until one succeeds (TCP connect, exec).
    case probed(interval: Duration)
}

/// Liveness: probes that are repeated while the run is ready, and the sd_notify watchdog.
public struct LivenessRule: Hashable, Sendable {
    /// Probe interval.
    public var interval: Duration
    /// Misses in a row before the run is ended with cause `probe`.
    public var misses: UInt8
    /// From ready until the first probe: a grace for what is ready before it is warm.
    public var first: Duration

    /// Interval and misses are at least 1 (ms, miss); Configuration checks that. `first` is one interval by default.
    public init(interval: Duration, misses: UInt8, first: Duration? = nil) {
        self.interval = interval
        self.misses = misses
        self.first = first ?? interval
    }
}

/// How a run is stopped.
public struct StopRule: Hashable, Sendable {
    /// Workers get the drain word first and this long to say `drained`; nil for others.
    public var drain: Duration?
    /// The stop signal.
    public var signal: Signal
    /// From the stop signal until everything left is killed.
    public var timeout: Duration
    /// From SIGKILL until a run that is still there is called unkillable.
    public var killGrace: Duration

    /// SIGTERM, 10 s, then SIGKILL and 5 s of grace.
    public init(
        drain: Duration? = nil, signal: Signal = .terminate, timeout: Duration = .seconds(10),
        killGrace: Duration = .seconds(5)
    ) {
        self.drain = drain
        self.signal = signal
        self.timeout = timeout
        self.killGrace = killGrace
    }
}

/// Everything the core needs to know of a child. What it executes is the shell's business.
public struct ChildPolicy: Hashable, Sendable {
    /// Its group; nil for a child at the root (log-writer).
    public var group: GroupID?
    /// Started with the tree. False: off until a command starts it.
    public var enabled: Bool
    /// Gates: each must be ready before this one starts; it is stopped before they are, and waits while they restart.
    public var requires: [ChildID]
    /// Order only: started after each of these is ready, parked, done or off; stopped before them.
    public var after: [ChildID]
    /// Its parking parks its group.
    public var critical: Bool
    /// When it ends by itself and does not come back by itself, the tree ends in order.
    public var significant: Bool
    /// Restart rule; means nothing to a scheduled child.
    public var restart: RestartRule
    /// Runs by the clock instead of staying.
    public var schedule: Schedule?
    /// Delay rule.
    public var delay: DelayRule
    /// Optional intensity.
    public var intensity: Intensity?
    /// Readiness.
    public var ready: ReadyRule
    /// From the spawn until the first readiness probe.
    public var firstProbe: Duration
    /// Until ready; a run that is not ready by then is ended with cause `probe`.
    public var startTimeout: Duration
    /// Repeated probes while ready, if any.
    public var liveness: LivenessRule?
    /// sd_notify watchdog interval, if the child has one.
    public var watchdog: Duration?
    /// Stop plan.
    public var stop: StopRule
    /// Meaning of exit codes.
    public var exits: ExitRule

    /// Defaults of the design; see each property.
    public init(
        group: GroupID? = nil, enabled: Bool = true, requires: [ChildID] = [], after: [ChildID] = [],
        critical: Bool = false, significant: Bool = false, restart: RestartRule = .always, schedule: Schedule? = nil,
        delay: DelayRule = DelayRule(), intensity: Intensity? = nil, ready: ReadyRule = .spawned,
        firstProbe: Duration = .zero, startTimeout: Duration = .seconds(60),
        liveness: LivenessRule? = nil, watchdog: Duration? = nil, stop: StopRule = StopRule(),
        exits: ExitRule = ExitRule()
    ) {
        self.group = group
        self.enabled = enabled
        self.requires = requires
        self.after = after
        self.critical = critical
        self.significant = significant
        self.restart = restart
        self.schedule = schedule
        self.delay = delay
        self.intensity = intensity
        self.ready = ready
        self.firstProbe = firstProbe
        self.startTimeout = startTimeout
        self.liveness = liveness
        self.watchdog = watchdog
        self.stop = stop
        self.exits = exits
    }
}

/// Which siblings restart when one of a group crashes; names and meaning as in Erlang/OTP.
public enum Strategy: UInt8, Hashable, Sendable, CaseIterable {
    /// Only the one that ended.
    case oneForOne
    /// All of them: the rest is stopped in reverse order, then all start in order.
    case oneForAll
    /// It and those after it in `children`.
    case restForOne
}

/// A group: an inner node of the tree with an explicit order.
public struct GroupPolicy: Hashable, Sendable {
    /// In the order of Supervisor.toml; a start order for one-for-all and rest-for-one.
    public var children: [ChildID]
    /// Restart strategy.
    public var strategy: Strategy
    /// Optional intensity over the whole group.
    public var intensity: Intensity?
    /// Slow retry of the group when a critical child parks it.
    public var slowRetry: Duration?

    /// one-for-one, no intensity, slow retry after 15 min.
    public init(
        children: [ChildID], strategy: Strategy = .oneForOne, intensity: Intensity? = nil,
        slowRetry: Duration? = .seconds(900)
    ) {
        self.children = children
        self.strategy = strategy
        self.intensity = intensity
        self.slowRetry = slowRetry
    }
}

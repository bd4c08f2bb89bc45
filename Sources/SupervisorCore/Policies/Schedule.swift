/// When a child runs that does not stay: by the clock, once each time. It is started by nothing else but a command.
public enum Schedule: Hashable, Sendable {
    /// This long after its last start; for the first time when the tree starts. At least a millisecond.
    case every(Duration)
    /// At the instants of `Event.timetable`, which the shell knows from the plan.
    case calendar
}

/// One time of a calendar.
public struct Moment: Hashable, Sendable {
    /// What it is called: seconds since 1970 on the wall clock. It is taken once, wherever the clock is set.
    public let second: Int64
    /// When that is, as the wall clock stands now; in the past where it has gone by.
    public let instant: Instant

    /// Both.
    public init(second: Int64, instant: Instant) {
        self.second = second
        self.instant = instant
    }
}

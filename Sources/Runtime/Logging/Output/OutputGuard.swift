import SupervisorCore

/// While log-writer is not running nobody empties the children's pipes: after a while nexusd does, and counts, so that a
/// child is held up for seconds and not for ever.
struct OutputGuard {
    /// Between two looks at the pipes.
    static let interval: Duration = .seconds(1)
    /// Looks without log-writer before anything is discarded: a log-writer that comes back in time loses nothing.
    static let patience = 5

    private(set) var deadline: Instant?
    private var looks = 0

    /// There is no log-writer from now on.
    mutating func begin(at now: Instant) {
        guard deadline == nil else { return }
        looks = 0
        deadline = now + Self.interval
    }

    /// Log-writer runs.
    mutating func end() { deadline = nil }

    /// One look; true when what fills a pipe is to be discarded.
    mutating func look(at now: Instant) -> Bool {
        looks += 1
        deadline = now + Self.interval
        return looks >= Self.patience
    }
}

import SupervisorCore

/// While no log-writer serves nobody empties the children's pipes: after a while nexusd does, and counts, so that a child
/// is held up for seconds and not for ever.
struct OutputGuard {
    /// Between two looks at the pipes.
    static let interval: Duration = .seconds(1)
    /// Looks without log-writer before anything is discarded: a log-writer that comes back in time loses nothing.
    static let patience = 5

    private(set) var deadline: Instant?
    private var looks = 0

    /// Nobody serves from now on, or has for so long.
    mutating func begin(at now: Instant, after silence: Duration = .zero) {
        guard deadline == nil else { return }
        looks = Int(silence.components.seconds)
        deadline = now + Self.interval
    }

    /// Log-writer serves; one that was merely started may end again before it does.
    mutating func end() { deadline = nil }

    /// It is long enough that whoever asks is told.
    var isWorthSaying: Bool { deadline != nil && looks > 0 }

    /// One look; true when what fills a pipe is to be discarded.
    mutating func look(at now: Instant) -> Bool {
        looks += 1
        deadline = now + Self.interval
        return looks >= Self.patience
    }
}

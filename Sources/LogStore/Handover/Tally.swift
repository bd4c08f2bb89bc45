import SupervisorCore
import Wire

/// What was counted of the children and is not told to nexusd yet. What was lost is told at most once a second, for a flood
/// of losses must not become a flood of words about them; what went well every 10 s, so that nexusd sleeps through a log.
struct Tally {
    /// How often losses are told.
    static let pause: Duration = .seconds(1)
    /// How long what went well may wait.
    static let calmPause: Duration = .seconds(10)

    private var counts: [String: LogCounts] = [:]
    private var isUrgent = false
    private var nextTelling = Instant(nanoseconds: 0)
    private var calmTelling = Instant(nanoseconds: 0)

    /// Counts something of a child.
    mutating func add(_ child: String, at now: Instant, _ change: (inout LogCounts) -> Void) {
        if counts.isEmpty { calmTelling = now + Tally.calmPause }
        change(&counts[child, default: LogCounts()])
        isUrgent = isUrgent || counts[child]?.isUrgent ?? false
    }

    /// When there is something to tell, nil when there is not.
    var dueAt: Instant? { counts.isEmpty ? nil : isUrgent ? min(nextTelling, calmTelling) : calmTelling }

    /// What is to be told now, by name; `all`: at once, because nothing can be told later.
    mutating func take(at now: Instant, all: Bool = false) -> [(child: String, counts: LogCounts)] {
        guard let dueAt, all || now >= dueAt else { return [] }
        nextTelling = now + Tally.pause
        isUrgent = false
        defer { counts = [:] }
        return counts.sorted { $0.key < $1.key }.map { (child: $0.key, counts: $0.value) }
    }
}

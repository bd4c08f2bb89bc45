import SupervisorCore

/// Keeps somebody who knocks all day from filling the log: one refusal a second is told, with how many were not.
struct RefusalMeter {
    static let interval: Duration = .seconds(1)

    private var next = Instant(nanoseconds: .min)
    private var untold = 0
    /// All of them, told or not.
    private(set) var total: UInt64 = 0

    /// How many were kept back since the last one told; nil: this one is kept back too.
    mutating func take(at now: Instant) -> Int? {
        total += 1
        guard now >= next else {
            untold += 1
            return nil
        }
        defer { untold = 0 }
        next = now + Self.interval
        return untold
    }
}

/// The last restarts, as many as an intensity allows: all it takes to know whether one more is too many.
struct RestartWindow: Hashable, Sendable {
    private var instants: [Instant] = []
    private var oldest = 0

    init() {}

    /// One that was taken out by `inOrder`.
    init(inOrder instants: [Instant], under rule: Intensity) { self.instants = instants.suffix(Int(rule.restarts)) }

    /// The oldest first.
    var inOrder: [Instant] { Array(instants[oldest...] + instants[..<oldest]) }

    /// Counts a restart. True: with it there are more than the rule allows within its window.
    mutating func counts(_ now: Instant, beyond rule: Intensity) -> Bool {
        let limit = Int(rule.restarts)
        if limit == 0 { return true }
        if instants.count < limit {
            instants.append(now)
            return false
        }
        let first = instants[oldest]
        instants[oldest] = now
        oldest = (oldest + 1) % limit
        return now - first <= rule.window
    }
}

/// What the log is told of a store that cannot be written. On a disk that is nearly full small writes go and larger ones do not,
/// and each is a change: each trouble is said once, and the end of all when there was none for `calm`.
struct TroubleReport {
    static let calm: Duration = .seconds(60)

    /// What was said, and is not said to be over; there are as many as there are words for it.
    private(set) var told: [String] = []
    private var soundSince: ContinuousClock.Instant?

    /// What a write came to; what is to be said.
    mutating func found(_ trouble: String?, at now: ContinuousClock.Instant) -> String? {
        guard let trouble else {
            soundSince = now
            return nil
        }
        soundSince = nil
        guard !told.contains(trouble) else { return nil }
        told.append(trouble)
        return trouble
    }

    /// True once, when the end of what was said has lasted.
    mutating func isOver(at now: ContinuousClock.Instant) -> Bool {
        guard !told.isEmpty, let soundSince, now - soundSince >= Self.calm else { return false }
        told = []
        return true
    }
}

import SupervisorCore

/// Keeps a crowd at the control socket from taking nexusd's processor: who comes again and again as fast as it is turned away
/// would have it busy without end, and what runs without end waits for its turn among all others. Above this rate the
/// door stays shut for a moment, and who knocks waits in the kernel's queue, in order, the owner too.
struct KnockMeter {
    /// Connections in `interval`, of whom it is turned away or is neither root nor nexusd's own user.
    static let limit = 64
    static let interval: Duration = .milliseconds(100)

    private var until = Instant(nanoseconds: .min)
    private var count = 0

    /// Somebody came.
    mutating func knock(at now: Instant) {
        if now >= until { (until, count) = (now + Self.interval, 0) }
        count += 1
    }

    /// More came in this interval than are looked at.
    func isCrowded(at now: Instant) -> Bool { count >= Self.limit && now < until }
}

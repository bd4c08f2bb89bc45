import SupervisorCore
import Wire

/// How much a child may still say, over all its streams and runs. A window begins with the first line after the last one
/// was over; what comes beyond the rate in it is counted.
struct FloodLimit {
    let rate: LogRate
    private var began: Instant
    private var kept: Int = 0
    /// Lines beyond the rate since they were taken last.
    private(set) var suppressed = 0

    /// Begins with the first window.
    init(_ rate: LogRate, at now: Instant) {
        self.rate = rate
        began = now
    }

    /// The window is over: the next line begins another.
    func isOver(at now: Instant) -> Bool { now - began >= rate.window }

    /// When the count of suppressed lines is to be told; nil: there are none.
    var endsAt: Instant? { suppressed > 0 ? began + rate.window : nil }

    /// Lines that may be kept now. Take what was suppressed before.
    mutating func allowance(at now: Instant) -> Int {
        if isOver(at: now) {
            began = now
            kept = 0
        }
        return Int(rate.lines) - kept
    }

    /// Counts what came; true for the first suppressed line of a window, which has to be said at once.
    mutating func count(kept more: Int, suppressed beyond: Int) -> Bool {
        kept = min(Int(rate.lines), kept + more)
        defer { suppressed += beyond }
        return suppressed == 0 && beyond > 0
    }

    /// The suppressed lines of a window that is over, or of one that has to end now.
    mutating func takeSuppressed(at now: Instant, all: Bool = false) -> Int {
        guard all || isOver(at: now) else { return 0 }
        defer { suppressed = 0 }
        return suppressed
    }
}

import SupervisorCore

/// How many restarts the delay rule lets happen within a window at most: an intensity above that is dead text.
enum Reach {
    /// Counted no further: `intensity.restarts` ends there.
    private static let limit = 1001

    /// The densest series begins with a run that was stable (its replacement comes at once and opens the window); after
    /// k unstable runs the next restart is `delay(k)` later; after `park-after - 1` of them, or earlier if that is
    /// denser, a stable run of `stable-after` starts the delay over.
    static func restarts(within window: Duration, policy: ChildPolicy) -> Int {
        if policy.restart == .never { return 0 }
        let delay = policy.delay
        // sums[k]: time that k restarts after unstable runs take.
        var sums: [Int64] = [0]
        var gap = max(delay.first.nanoseconds, 0)
        while sums.count < Int(delay.parkAfter), sums.count <= limit, let last = sums.last, last <= window.nanoseconds {
            sums.append(adding(last, min(gap, delay.cap.nanoseconds)))
            gap = min(adding(gap, gap), delay.cap.nanoseconds)
        }
        // shortest[n]: least time from the first to the n-th restart.
        var shortest: [Int64] = [0, 0]
        while shortest.count <= limit + 1 {
            let count = shortest.count
            var best = count - 1 < sums.count ? sums[count - 1] : .max
            for burst in 0..<min(sums.count, count - 1) {
                // A burst of unstable restarts at the end, before it one restart after a stable run.
                let before = shortest[count - 1 - burst]
                best = min(best, adding(adding(before, delay.stableAfter.nanoseconds), sums[burst]))
            }
            if best > window.nanoseconds { return count - 1 }
            shortest.append(best)
        }
        return limit + 1
    }

    private static func adding(_ left: Int64, _ right: Int64) -> Int64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }
}

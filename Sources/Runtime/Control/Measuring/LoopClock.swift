/// How punctual the loop is, and how long it keeps everybody else waiting: two histograms of bounded size.
struct LoopClock {
    /// Wake-ups by the timer: how long after the planned instant.
    var lateness = Histogram()
    /// From the end of a wait to the beginning of the next one.
    var turns = Histogram()

    /// Durations by size.
    struct Histogram {
        /// Upper bounds, each inclusive; what is above the last one counts too.
        static let bounds: [Duration] = [
            .microseconds(100), .milliseconds(1), .milliseconds(5), .milliseconds(20), .milliseconds(50),
            .milliseconds(250), .seconds(1), .seconds(5),
        ]

        /// How many were within each bound and above the one before it; one more for the rest.
        private(set) var counts = [UInt64](repeating: 0, count: bounds.count + 1)
        private(set) var sum = Duration.zero
        private(set) var longest = Duration.zero

        mutating func add(_ duration: Duration) {
            let duration = max(.zero, duration)
            counts[Self.bounds.firstIndex { duration <= $0 } ?? Self.bounds.count] += 1
            sum += duration
            longest = max(longest, duration)
        }
    }
}

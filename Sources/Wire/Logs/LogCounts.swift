/// At most so many lines of one child within so long a time; what it says beyond that is counted and not kept.
public struct LogRate: Hashable, Sendable {
    /// Lines of both outputs together, at least 1.
    public var lines: UInt32
    /// From the first of them on; above zero.
    public var window: Duration

    /// Both.
    public init(lines: UInt32, window: Duration) {
        self.lines = lines
        self.window = window
    }

    /// A million lines in 30 s: more than the files of a child hold by default, so that only a flood ever meets it.
    public static let standard = LogRate(lines: 1_000_000, window: .seconds(30))
}

/// What became of the lines of one child. A part of a line that was taken out before its newline counts as a line.
public struct LogCounts: Hashable, Sendable {
    /// Bytes of entries that the files have.
    public var bytes: UInt64 = 0
    /// Lines that the files have.
    public var lines: UInt64 = 0
    /// Lines beyond the child's rate: not kept.
    public var suppressed: UInt64 = 0
    /// Lines that the files did not take for 5 s: not kept.
    public var dropped: UInt64 = 0
    /// Lines that journald did not take; the files have them.
    public var missingInJournal: UInt64 = 0

    /// All zero.
    public init() {}

    /// True when nothing was counted.
    public var isEmpty: Bool { self == LogCounts() }

    /// True when something was lost, which is told sooner than what went well.
    public var isUrgent: Bool { suppressed > 0 || dropped > 0 || missingInJournal > 0 }

    /// Adds what came since; saturates, for a count must never trap.
    public static func += (counts: inout LogCounts, more: LogCounts) {
        counts.bytes = counts.bytes.addingClamped(more.bytes)
        counts.lines = counts.lines.addingClamped(more.lines)
        counts.suppressed = counts.suppressed.addingClamped(more.suppressed)
        counts.dropped = counts.dropped.addingClamped(more.dropped)
        counts.missingInJournal = counts.missingInJournal.addingClamped(more.missingInJournal)
    }
}

extension UInt64 {
    fileprivate func addingClamped(_ more: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(more)
        return overflow ? .max : sum
    }
}

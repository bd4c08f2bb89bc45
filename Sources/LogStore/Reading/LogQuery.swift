public import SupervisorCore

/// Which entries are wanted; what is nil does not narrow.
public struct LogQuery: Hashable, Sendable {
    /// Only so many of the last ones, over all children together.
    public var last: Int?
    /// Not before this instant.
    public var since: WallStamp?
    /// Not after this instant.
    public var until: WallStamp?
    /// At least this urgent.
    public var level: LogLevel?
    /// Only of this run.
    public var run: RunID?
    /// Not of this run.
    public var without: RunID?
    /// Only from this source.
    public var source: LogSource?
    /// Only lines that contain this; whole lines, also where the files have them in parts.
    public var pattern: LogPattern?

    /// Everything there is, unless narrowed.
    public init(
        last: Int? = nil, since: WallStamp? = nil, until: WallStamp? = nil, level: LogLevel? = nil, run: RunID? = nil,
        source: LogSource? = nil, pattern: LogPattern? = nil
    ) {
        self.last = last
        self.since = since
        self.until = until
        self.level = level
        self.run = run
        self.source = source
        self.pattern = pattern
    }

    /// Whether an entry is wanted, `last` aside.
    func wants(_ entry: LogEntry) -> Bool {
        if let since, entry.stamp < since { return false }
        if let until, entry.stamp > until { return false }
        if let level, entry.level > level { return false }
        if let run, entry.run != run { return false }
        if let without, entry.run == without { return false }
        if let source, entry.source != source { return false }
        return pattern?.matches(entry.bytes) ?? true
    }
}

public import SupervisorCore

/// Which entries are wanted; what is nil does not narrow.
public struct LogQuery: Hashable, Sendable {
    /// Only so many of the last ones, over all children together.
    public var last: Int?
    /// Not before this instant.
    public var since: WallStamp?
    /// At least this urgent.
    public var level: LogLevel?
    /// Only of this run.
    public var run: RunID?

    /// Everything there is, unless narrowed.
    public init(last: Int? = nil, since: WallStamp? = nil, level: LogLevel? = nil, run: RunID? = nil) {
        self.last = last
        self.since = since
        self.level = level
        self.run = run
    }

    /// Whether an entry is wanted, `last` aside.
    func wants(_ entry: LogEntry) -> Bool {
        if let since, entry.stamp < since { return false }
        if let level, entry.level > level { return false }
        if let run, entry.run != run { return false }
        return true
    }
}

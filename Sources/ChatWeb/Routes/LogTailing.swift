/// A child's log as it grows.
public protocol LogTailing: Sendable {
    /// What has come since, which is waited for; nil: there is no more.
    func next() async throws -> LogLines?
}

/// Up to where a log was read: the stamp of the last line, and how many lines with that stamp were.
public struct LogPlace: Hashable, Sendable {
    /// As in the file: RFC 3339 with microseconds.
    public var at: String
    /// At least 1.
    public var same: Int

    /// Wraps what a page says.
    public init(at: String, same: Int) {
        self.at = at
        self.same = same
    }
}

/// Some lines of a log.
public struct LogLines: Sendable, Encodable {
    /// One of them.
    public struct Line: Sendable, Encodable {
        /// RFC 3339 with microseconds.
        public var time: String
        /// A word of syslog(3).
        public var level: String
        /// Without control characters.
        public var text: String

        /// All of it.
        public init(time: String, level: String, text: String) {
            self.time = time
            self.level = level
            self.text = text
        }
    }

    private var type = "lines"
    /// In order.
    public var lines: [Line]
    /// Lines before these that came faster than they are shown.
    public var skipped: Int
    /// Where to go on, with `same`; empty: nothing was said yet.
    public var at: String
    /// Lines with the stamp `at`.
    public var same: Int

    /// Up to a place.
    public init(lines: [Line], skipped: Int, upTo place: LogPlace) {
        self.lines = lines
        self.skipped = skipped
        (at, same) = (place.at, place.same)
    }
}

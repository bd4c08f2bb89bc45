public import SupervisorCore

/// Which output of a child.
public enum StreamKind: UInt8, Hashable, Sendable, CaseIterable {
    case stdout = 1
    case stderr = 2
}

/// What nexusd tells its log-writer over the log link: one frame a packet (SOCK_SEQPACKET), the payload being this,
/// file descriptors beside it.
public enum LogOrder: Hashable, Sendable {
    /// Greets a new log-writer: who nexusd is, by the second in its runs' ids, and which runs of a nexusd before it were alive when it
    /// began. It tells the ends of both itself; every other run in the book that has no end gets the end record
    /// `unknown, supervisor died`.
    case greeting(second: UInt32, alive: [RunID])
    /// A fresh pipe of a run; its read end comes beside the packet.
    case stream(LogStream)
    /// nexusd's own record, or the book of runs: as fields, the human text first (`MESSAGE`).
    case event(LogEvent)
    /// Asks for the last lines of a run; answered by `LogReport.last` with the same tag.
    case last(RunID, lines: UInt16, tag: UInt32)
    /// Lines of this child that an earlier log-writer dropped and its file does not say yet; answered by `remarked` once it
    /// does.
    case missing(child: String, lines: UInt64)
    /// Read everything to its end, write it, say `drained`, exit.
    case drain
}

/// A pipe to be read.
public struct LogStream: Hashable, Sendable {
    /// Number of this stream on this link; named in `eof` and `matched`.
    public var number: UInt32
    /// Child name.
    public var child: String
    /// Run.
    public var run: RunID
    /// stdout or stderr.
    public var kind: StreamKind
    /// Bytes of a file before it is rotated.
    public var fileBytes: UInt64
    /// Rotated files kept.
    public var files: UInt16
    /// Journald too.
    public var journal: Bool
    /// What the child may say at most, in all its streams together; nil: anything.
    public var rate: LogRate?
    /// Ready pattern to look for, first match only.
    public var pattern: LinePattern?
    /// Secret values of this run to be redacted; never logged themselves.
    public var redactions: [String]

    /// Bytes of a value, or of a line of it, below which it is not looked for: that would blot out half of every log, and
    /// tell the value by where it is missing.
    public static let shortestRedaction = 6

    /// All fields.
    public init(
        number: UInt32, child: String, run: RunID, kind: StreamKind, fileBytes: UInt64, files: UInt16, journal: Bool,
        rate: LogRate? = nil, pattern: LinePattern? = nil, redactions: [String] = []
    ) {
        self.number = number
        self.child = child
        self.run = run
        self.kind = kind
        self.fileBytes = fileBytes
        self.files = files
        self.journal = journal
        self.rate = rate
        self.pattern = pattern
        self.redactions = redactions
    }
}

/// A record of nexusd itself.
public struct LogEvent: Hashable, Sendable {
    /// syslog(3) level, 0 to 7.
    public var priority: UInt8
    /// 128-bit MESSAGE_ID of the event kind, 32 hexadecimal digits.
    public var messageID: String
    /// A sentence.
    public var message: String
    /// The child it is about, if any.
    public var child: String?
    /// The run it is about, if any.
    public var run: RunID?
    /// What it says for the book of runs.
    public var book: Book
    /// Further fields, upper-case names (`CAUSE`, `EXIT_CODE`, …).
    public var fields: [Field]

    /// Meaning for the book of runs.
    public enum Book: UInt8, Hashable, Sendable, CaseIterable {
        case none, starting, ended
    }

    /// One journal field.
    public struct Field: Hashable, Sendable {
        /// [A-Z][A-Z0-9_]*
        public var name: String
        /// Any text.
        public var value: String

        /// Both.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// All fields.
    public init(
        priority: UInt8, messageID: String, message: String, child: String? = nil, run: RunID? = nil,
        book: Book = .none, fields: [Field] = []
    ) {
        self.priority = priority
        self.messageID = messageID
        self.message = message
        self.child = child
        self.run = run
        self.book = book
        self.fields = fields
    }
}

/// What log-writer tells nexusd.
public enum LogReport: Hashable, Sendable {
    /// It has its directory's lock and serves.
    case ready
    /// All writers of this stream are gone and everything is written.
    case eof(stream: UInt32)
    /// The ready pattern matched; captured values by name, each at most 128 bytes of [A-Za-z0-9._:/-].
    case matched(stream: UInt32, captures: [Capture])
    /// Answer to `last`.
    case last(tag: UInt32, lines: [String])
    /// What became of the lines of a child since the last time it was told.
    case counted(child: String, LogCounts)
    /// journald takes nothing any more, or takes lines again. Said once each way.
    case journal(isThere: Bool)
    /// Why the files of a child take nothing: what, where and what to do; empty when they have refused nothing for 5 s. Said
    /// once each way.
    case filing(child: String, trouble: String)
    /// The file of a child says how many of its lines are missing: all that were told as dropped before.
    case remarked(child: String)
    /// What is wrong with the book of runs and what to do; empty when it is kept again.
    case book(trouble: String)
    /// The answer to SIGUSR1: it serves. `isBehind`: something it has seen is not written yet.
    case alive(isBehind: Bool)
    /// Everything is written; it ends now.
    case drained

    /// One captured value.
    public struct Capture: Hashable, Sendable {
        /// Name in the pattern.
        public var name: String
        /// Value.
        public var value: String

        /// Both.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }
}

public import SupervisorCore
public import Wire

/// Who said a line.
public enum LogSource: Hashable, Sendable {
    /// The child, on this stream.
    case child(StreamKind)
    /// nexusd: an event of its own.
    case supervisor
    /// log-writer: a remark about what is missing here.
    case logWriter

    /// The letter in the files.
    var letter: UInt8 {
        switch self {
        case .child(.stdout): UInt8(ascii: "O")
        case .child(.stderr): UInt8(ascii: "E")
        case .supervisor: UInt8(ascii: "N")
        case .logWriter: UInt8(ascii: "W")
        }
    }

    init?(letter: UInt8) {
        switch letter {
        case UInt8(ascii: "O"): self = .child(.stdout)
        case UInt8(ascii: "E"): self = .child(.stderr)
        case UInt8(ascii: "N"): self = .supervisor
        case UInt8(ascii: "W"): self = .logWriter
        case _: return nil
        }
    }
}

/// The line format of the files, docs/logs.md: `STAMP RUN SLF TEXT\n`, where S is the source's letter, L the level's digit
/// and F is `+` when the line goes on in the next entry of the same run and source, `-` when it ends here.
enum EntryFormat {
    /// The run of an entry that speaks of none.
    static let noRun = RunID(rawValue: 0)
    /// The line goes on.
    static let partial = UInt8(ascii: "+")
    /// The line ends here.
    static let whole = UInt8(ascii: "-")
    /// Where the level's digit and the flag stand, counted from the end of the prefix.
    static let levelFromEnd = 3
    static let flagFromEnd = 2

    /// Everything before the text, with level `info` and the flag `whole`. The same for all lines of a batch but for those
    /// two bytes, which the formatter overwrites.
    static func prefix(_ stamp: WallStamp, _ run: RunID, _ source: LogSource) -> [UInt8] {
        let space = UInt8(ascii: " ")
        let info = UInt8(ascii: "0") + LogLevel.info.rawValue
        return stamp.bytes + [space] + Array(run.description.utf8) + [space, source.letter, info, whole, space]
    }

    /// `3 lines are missing here`, in a file.
    static func missing(_ lines: Int) -> String {
        lines == 1 ? "1 line is missing here" : "\(lines) lines are missing here"
    }

    /// One whole entry with its newline; newlines in the text become spaces, for an entry is a line.
    static func entry(_ stamp: WallStamp, _ run: RunID, _ source: LogSource, _ level: LogLevel, text: String) -> [UInt8]
    {
        var bytes = prefix(stamp, run, source)
        bytes[bytes.count - levelFromEnd] = UInt8(ascii: "0") + level.rawValue
        bytes += text.utf8.map { $0 == UInt8(ascii: "\n") ? UInt8(ascii: " ") : $0 }
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }
}

extension RunID {
    /// Reads `6743f2a1-17`; nil when it is anything else.
    public init?(_ text: some StringProtocol) {
        let halves = text.split(separator: "-", omittingEmptySubsequences: false)
        guard halves.count == 2, let second = UInt32(halves[0], radix: 16), let count = UInt32(halves[1]) else {
            return nil
        }
        self.init(second: second, count: count)
    }
}

/// How urgent a line is: syslog(3)'s numbers, 0 to 7; a smaller number is more urgent.
public enum LogLevel: UInt8, Hashable, Sendable, CaseIterable, Comparable {
    case emergency, alert, critical, error, warning, notice, info, debug

    /// More urgent levels are smaller.
    public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }

    /// The name as journalctl's `--priority` and `nexusctl logs --level` take it.
    public var name: String {
        switch self {
        case .emergency: "emerg"
        case .alert: "alert"
        case .critical: "crit"
        case .error: "err"
        case .warning: "warning"
        case .notice: "notice"
        case .info: "info"
        case .debug: "debug"
        }
    }

    /// A word that programs use for a level, in any case: `warn`, `ERR`, `fatal`, `trc`, …
    init?(word: UnsafeRawBufferPointer) {
        // The longest is "emergency"; the dispatch by length keeps this cheap on every capitalised word of every line.
        guard word.count >= 3, word.count <= 9 else { return nil }
        for (name, level) in LogLevel.words[word.count - 3] where word.isCaselessly(name) {
            self = level
            return
        }
        return nil
    }

    /// The numbers of JSON loggers: syslog's own 0 to 7, or bunyan's and pino's 10 (trace) to 60 (fatal).
    init?(number: Int) {
        switch number {
        case 0...7: self.init(rawValue: UInt8(number))
        case 10..<30: self = .debug
        case 30..<40: self = .info
        case 40..<50: self = .warning
        case 50..<60: self = .error
        case 60...100: self = .critical
        case _: return nil
        }
    }

    // By length, from three letters on.
    private static let words: [[(StaticString, LogLevel)]] = [
        [
            ("err", .error), ("wrn", .warning), ("inf", .info), ("dbg", .debug), ("trc", .debug), ("ftl", .critical),
            ("pnc", .critical),
        ],
        [("warn", .warning), ("info", .info), ("crit", .critical)],
        [
            ("error", .error), ("debug", .debug), ("trace", .debug), ("fatal", .critical), ("panic", .critical),
            ("alert", .alert), ("emerg", .emergency),
        ],
        [("notice", .notice), ("severe", .error)],
        [("warning", .warning), ("verbose", .debug)],
        [("critical", .critical)],
        [("emergency", .emergency)],
    ]
}

extension UnsafeRawBufferPointer {
    /// True when the bytes are this lower-case ASCII word, in any case.
    fileprivate func isCaselessly(_ word: StaticString) -> Bool {
        guard count == word.utf8CodeUnitCount else { return false }
        for index in 0..<count where self[index] | 0x20 != word.utf8Start[index] { return false }
        return true
    }
}

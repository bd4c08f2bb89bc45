import Glibc

extension WallTime {
    /// A time as people write it: `now`, `today`, `yesterday` (their midnight), `10min` or `10min ago`, `10:30[:15]` (today),
    /// `2026-11-25`, `2026-11-25 10:30[:15]`, `@1795406706`, or RFC 3339. What has no zone is meant in the machine's local
    /// time (localtime(3), `TZ`). nil for anything else.
    public init?(spoken text: String, now: WallTime) {
        let text = text.trimmed
        if let time = WallTime(rfc3339: text) {
            self = time
        } else if text.hasPrefix("@") {
            guard let seconds = Int64(text.dropFirst()), abs(seconds) < 100_000_000_000 else { return nil }
            self.init(seconds: seconds)
        } else if let ago = Duration(spoken: text.hasSuffix("ago") ? text.dropLast(3).trimmed : text) {
            self.init(nanosecondsSince1970: now.seconds * 1_000_000_000 + now.nanoseconds - ago.nanoseconds)
        } else {
            switch text {
            case "now": self = now
            case "today": self.init(local: LocalDay(of: now))
            case "yesterday": self.init(local: LocalDay(of: now, daysBefore: 1))
            case _: self.init(localText: text, now: now)
            }
        }
    }

    /// `Mon 2026-11-30 03:00:00` in the machine's local time, to the nearest second.
    public var local: String {
        var time = time_t(seconds + (nanoseconds >= 500_000_000 ? 1 : 0))
        var parts = tm()
        localtime_r(&time, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let day = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][Int(parts.tm_wday)]
        return "\(day) \(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
            + " \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    }

    /// So much later.
    public func advanced(by time: Duration) -> WallTime {
        WallTime(nanosecondsSince1970: seconds * 1_000_000_000 + nanoseconds + time.nanoseconds)
    }

    private init(seconds: Int64) { self.init(nanosecondsSince1970: seconds * 1_000_000_000) }

    /// `[YYYY-MM-DD[ T]][HH:MM[:SS]]`.
    private init?(localText text: String, now: WallTime) {
        let parts = text.split(whereSeparator: { $0 == " " || $0 == "T" })
        guard let first = parts.first, parts.count <= 2 else { return nil }
        var day = LocalDay(of: now)
        var clock: Substring?
        if first.contains("-") {
            guard let given = LocalDay(first) else { return nil }
            day = given
            clock = parts.count == 2 ? parts[1] : nil
        } else {
            guard parts.count == 1 else { return nil }
            clock = first
        }
        if let clock, !day.set(clock: clock) { return nil }
        self.init(local: day)
    }

    private init?(local day: LocalDay) {
        guard let seconds = day.seconds else { return nil }
        self.init(seconds: seconds)
    }
}

/// A civil time of the machine's zone.
private struct LocalDay {
    private var parts = tm()

    /// The midnight with which this day, or one before it, began.
    init(of time: WallTime, daysBefore: Int32 = 0) {
        var seconds = time_t(time.seconds)
        localtime_r(&seconds, &parts)
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (0, 0, 0)
        parts.tm_mday -= daysBefore
        parts.tm_isdst = -1
    }

    /// `2026-11-25`.
    init?(_ text: Substring) {
        let numbers = Self.numbers(text, "-", widths: [4, 2, 2])
        guard let numbers, (1...12).contains(numbers[1]), (1...31).contains(numbers[2]) else { return nil }
        parts.tm_year = numbers[0] - 1900
        parts.tm_mon = numbers[1] - 1
        parts.tm_mday = numbers[2]
        parts.tm_isdst = -1
    }

    /// `10:30` or `10:30:15`.
    mutating func set(clock text: Substring) -> Bool {
        guard let numbers = Self.numbers(text, ":", widths: [2, 2, 2]) ?? Self.numbers(text, ":", widths: [2, 2]),
            numbers[0] < 24, numbers[1] < 60, (numbers.count < 3 || numbers[2] < 60)
        else { return false }
        (parts.tm_hour, parts.tm_min) = (numbers[0], numbers[1])
        parts.tm_sec = numbers.count > 2 ? numbers[2] : 0
        return true
    }

    /// nil for a day that is not in the calendar (the 31st of February): mktime(3) would take the day after it.
    var seconds: Int64? {
        var copy = parts
        let month = parts.tm_mon
        let time = mktime(&copy)
        if parts.tm_mday > 28, copy.tm_mon != month { return nil }
        return Int64(time)
    }

    private static func numbers(_ text: Substring, _ mark: Character, widths: [Int]) -> [Int32]? {
        let words = text.split(separator: mark, omittingEmptySubsequences: false)
        guard words.map(\.utf8.count) == widths, words.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } })
        else { return nil }
        return words.compactMap { Int32($0) }
    }
}

extension StringProtocol {
    fileprivate var trimmed: String {
        let rest = drop { $0 == " " }
        return String(rest.prefix(rest.count - rest.reversed().prefix { $0 == " " }.count))
    }
}

/// A point of civil time as seconds since 1970-01-01T00:00:00Z; read from and written as RFC 3339.
public struct WallTime: Hashable, Comparable, Sendable {
    /// Whole seconds since 1970, UTC.
    public let seconds: Int64
    /// And this much more, 0 to 999,999,999.
    public let nanoseconds: Int64

    /// From a clock's nanoseconds since 1970.
    public init(nanosecondsSince1970 total: Int64) {
        let (quotient, remainder) = total.quotientAndRemainder(dividingBy: 1_000_000_000)
        seconds = remainder < 0 ? quotient - 1 : quotient
        nanoseconds = remainder < 0 ? remainder + 1_000_000_000 : remainder
    }

    private init(seconds: Int64, nanoseconds: Int64) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// Reads `2026-11-23T04:20:53Z`, with a fraction, an offset (`+01:00`) or a space for the `T`; nil for anything else.
    public init?(rfc3339 text: String) {
        var scanner = Scanner(rest: text.utf8[...])
        guard let year = scanner.number(4), scanner.mark("-") != nil, let month = scanner.number(2),
            scanner.mark("-") != nil, let day = scanner.number(2), scanner.mark("Tt ") != nil,
            let hour = scanner.number(2), scanner.mark(":") != nil, let minute = scanner.number(2),
            scanner.mark(":") != nil, let second = scanner.number(2),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60,
            let nanoseconds = scanner.fraction(), let offset = scanner.offset(), scanner.rest.isEmpty
        else { return nil }
        let time = hour * 3600 + minute * 60 + second - offset
        self.init(seconds: Self.days(year: year, month: month, day: day) * 86_400 + time, nanoseconds: nanoseconds)
    }

    private struct Scanner {
        var rest: Substring.UTF8View

        /// So many digits.
        mutating func number(_ digits: Int) -> Int64? {
            let part = rest.prefix(digits)
            guard part.count == digits, part.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            rest = rest.dropFirst(digits)
            return part.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
        }

        /// One of these characters.
        mutating func mark(_ allowed: String) -> UInt8? {
            guard let byte = rest.first, allowed.utf8.contains(byte) else { return nil }
            rest = rest.dropFirst()
            return byte
        }

        /// Nanoseconds; 0 where there is no fraction.
        mutating func fraction() -> Int64? {
            guard mark(".") != nil else { return 0 }
            let count = rest.prefix { (0x30...0x39).contains($0) }.count
            guard (1...9).contains(count), var nanoseconds = number(count) else { return nil }
            for _ in count..<9 { nanoseconds *= 10 }
            return nanoseconds
        }

        /// Seconds east of Greenwich.
        mutating func offset() -> Int64? {
            guard let sign = mark("Zz+-") else { return nil }
            if sign == UInt8(ascii: "Z") || sign == UInt8(ascii: "z") { return 0 }
            guard let hours = number(2), mark(":") != nil, let minutes = number(2), hours < 24, minutes < 60 else {
                return nil
            }
            return (hours * 3600 + minutes * 60) * (sign == UInt8(ascii: "-") ? -1 : 1)
        }
    }

    /// `2026-11-23T04:20:53.250Z`.
    public var rfc3339: String {
        let day = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let second = seconds - day * 86_400
        let (year, month, dayOfMonth) = Self.civil(days: day)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : String(number) }
        let milliseconds = String(nanoseconds / 1_000_000 + 1000).dropFirst()
        return "\(year)-\(two(month))-\(two(dayOfMonth))T\(two(second / 3600)):\(two(second / 60 % 60)):"
            + "\(two(second % 60)).\(milliseconds)Z"
    }

    /// Earlier times sort first.
    public static func < (left: WallTime, right: WallTime) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }

    /// The time from `earlier` to `later`.
    public static func - (later: WallTime, earlier: WallTime) -> Duration {
        .seconds(later.seconds - earlier.seconds) + .nanoseconds(later.nanoseconds - earlier.nanoseconds)
    }

    // Days since 1970 of a date in the proleptic Gregorian calendar; years begin in March so that the leap day is last.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    // The inverse.
    private static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}

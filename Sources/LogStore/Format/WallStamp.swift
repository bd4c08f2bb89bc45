import SupervisorCore

/// A point on CLOCK_REALTIME in whole microseconds, as the log files show it: `2026-11-23T04:05:06.123456Z`. UTC only:
/// a static program has no time zones, and a file read on another machine must mean the same.
public struct WallStamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Microseconds since 1970-01-01T00:00:00Z.
    public let microseconds: Int64

    /// Bytes of the text form.
    public static let byteCount = 27

    /// The years 0 to 9999 are shown; what lies outside is shown as the nearest of them.
    public init(microseconds: Int64) {
        self.microseconds = min(max(microseconds, -62_167_219_200_000_000), 253_402_300_799_999_999)
    }

    /// A reading of the wall clock.
    public init(nanoseconds: Int64) { self.init(microseconds: nanoseconds / 1000) }

    /// The instant that lies so much earlier.
    public static func - (stamp: WallStamp, duration: Duration) -> WallStamp {
        let (earlier, overflow) = stamp.microseconds.subtractingReportingOverflow(duration.nanoseconds / 1000)
        return WallStamp(microseconds: overflow ? .min : earlier)
    }

    /// Earlier stamps sort first.
    public static func < (left: WallStamp, right: WallStamp) -> Bool { left.microseconds < right.microseconds }

    /// Reads the text form; nil when it is anything else.
    public init?(_ text: some Collection<UInt8>) {
        guard text.count == WallStamp.byteCount else { return nil }
        var digits: [Int64] = []
        for (byte, shape) in zip(text, WallStamp.shape.utf8) {
            if shape == UInt8(ascii: "0") {
                guard byte >= 0x30, byte <= 0x39 else { return nil }
                digits.append(Int64(byte - 0x30))
            } else if byte != shape {
                return nil
            }
        }
        func number(_ range: Range<Int>) -> Int64 { digits[range].reduce(0) { $0 * 10 + $1 } }
        let (month, day) = (number(4..<6), number(6..<8))
        let (hour, minute, second) = (number(8..<10), number(10..<12), number(12..<14))
        guard (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 60 else { return nil }
        let days = WallStamp.days(year: number(0..<4), month: month, day: day)
        self.init(microseconds: (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000 + number(14..<20))
    }

    /// The text form, 27 bytes.
    public var bytes: [UInt8] {
        let seconds = microseconds.floored(by: 1_000_000)
        let days = seconds.floored(by: 86_400)
        let (year, month, day) = WallStamp.civil(days: days)
        let ofDay = seconds - days * 86_400
        let groups = [
            (year, 4), (month, 2), (day, 2), (ofDay / 3600, 2), (ofDay / 60 % 60, 2), (ofDay % 60, 2),
            (microseconds - seconds * 1_000_000, 6),
        ]
        var digits = groups.flatMap { value, width in WallStamp.digits(value, width) }[...]
        return WallStamp.shape.utf8.map { $0 == UInt8(ascii: "0") ? digits.removeFirst() : $0 }
    }

    /// The text form.
    public var description: String { String(decoding: bytes, as: UTF8.self) }

    private static let shape = "0000-00-00T00:00:00.000000Z"

    private static func digits(_ value: Int64, _ width: Int) -> [UInt8] {
        var digits = [UInt8](repeating: 0x30, count: width)
        var rest = value
        for index in digits.indices.reversed() {
            digits[index] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        return digits
    }

    // Days since 1970 to a date and back in the proleptic Gregorian calendar, counted in eras of 400 years (146,097
    // days) that begin on 1 March, so that the leap day is the last of its year.
    private static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted.floored(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear.floored(by: 400)
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension Int64 {
    /// Division that rounds towards minus infinity; the divisor is positive.
    fileprivate func floored(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}

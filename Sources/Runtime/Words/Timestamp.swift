/// RFC 3339 in UTC, to the second: `2026-11-23T04:14:00Z`. Days to civil date as in Howard Hinnant's
/// chrono-compatible algorithms, for the library's own calendar would bring Foundation along.
func timestamp(second: Int64) -> String {
    func floored(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, rest: Int64) {
        let rest = ((value % divisor) + divisor) % divisor
        return ((value - rest) / divisor, rest)
    }
    let (days, inDay) = floored(second, 86_400)
    let (era, dayOfEra) = floored(days + 719_468, 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shifted + 2) / 5 + 1
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    func digits(_ value: Int64, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    return digits(year, 4) + "-" + digits(month, 2) + "-" + digits(day, 2) + "T" + digits(inDay / 3600, 2) + ":"
        + digits(inDay / 60 % 60, 2) + ":" + digits(inDay % 60, 2) + "Z"
}

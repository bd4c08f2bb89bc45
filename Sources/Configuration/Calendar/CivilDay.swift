/// A day of the Gregorian calendar, by its number since 1970-01-01. The arithmetic is Howard Hinnant's
/// (http://howardhinnant.github.io/date_algorithms.html), exact for any year an Int64 of seconds can name.
struct CivilDay: Hashable {
    let number: Int64

    /// 0 is Monday.
    var weekday: Int { Int(((number + 3) % 7 + 7) % 7) }

    /// Year, month 1 to 12, day 1 to 31.
    var date: (year: Int, month: Int, day: Int) {
        let shifted = number + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (Int(yearOfEra + era * 400 + (month <= 2 ? 1 : 0)), Int(month), Int(day))
    }
}

/// The next instants of calendar times, where summer and winter time come and go.
///
/// A time that a change of the clocks leaves out comes at the first instant after the gap; one that comes twice is taken
/// the first time, unless the hour is `*`: then both, because an hour passes between them.
struct CalendarTimes {
    /// Seconds east of Greenwich at a second of UTC.
    let offset: (Int64) -> Int64

    /// No time is looked for beyond this; a leap day comes within it.
    static let horizonDays: Int64 = 366 * 10

    /// The first `limit` seconds of UTC after `now`, in ascending order.
    func next(_ times: [CalendarTime], after now: Int64, limit: Int) -> [Int64] {
        let all = times.flatMap { next($0, after: now, limit: limit) }
        return Array(Set(all).sorted().prefix(limit))
    }

    private func next(_ time: CalendarTime, after now: Int64, limit: Int) -> [Int64] {
        var found: Set<Int64> = []
        // A day before: what falls into a gap at midnight comes on the next.
        let first = (now + offset(now)) / 86_400 - 1
        for number in first..<first + Self.horizonDays where found.count < limit {
            let day = CivilDay(number: number)
            let (year, month, date) = day.date
            guard time.weekdays.contains(day.weekday), time.year.contains(year), time.month.contains(month),
                time.day.contains(date)
            else { continue }
            for hour in time.hour.all(in: 0...23) where found.count < limit {
                for minute in time.minute.all(in: 0...59) {
                    for second in time.second.all(in: 0...59) {
                        let local = number * 86_400 + Int64(hour * 3600 + minute * 60 + second)
                        for instant in instants(of: local, both: time.isHourly) where instant > now {
                            found.insert(instant)
                        }
                    }
                }
            }
        }
        return Array(found.sorted().prefix(limit))
    }

    /// What a local time, counted as if it were UTC, is in UTC.
    private func instants(of local: Int64, both: Bool) -> [Int64] {
        let before = offset(local - 86_400)
        let after = offset(local + 86_400)
        let candidates = Set([before, after]).map { local - $0 }.filter { $0 + offset($0) == local }.sorted()
        if let first = candidates.first { return both ? candidates : [first] }
        return [endOfGap(from: local - max(before, after), to: local - min(before, after))]
    }

    /// The first second with the new offset.
    private func endOfGap(from low: Int64, to high: Int64) -> Int64 {
        var (low, high) = (low - 1, high)
        let new = offset(high)
        while low + 1 < high {
            let middle = low + (high - low) / 2
            if offset(middle) == new { high = middle } else { low = middle }
        }
        return high
    }
}

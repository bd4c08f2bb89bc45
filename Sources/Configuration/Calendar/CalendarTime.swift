/// `[WEEKDAYS] [[YEAR-]MONTH-DAY] [HOUR:MINUTE[:SECOND]]`: a part of what systemd.time(7) calls calendar events. What is
/// left out of the date is every day, of the time midnight. Always in the machine's own time zone.
struct CalendarTime: Hashable {
    var weekdays: Set<Int> = Set(0...6)
    var year = CalendarField.any
    var month = CalendarField.any
    var day = CalendarField.any
    var hour = CalendarField(values: [0])
    var minute = CalendarField(values: [0])
    var second = CalendarField(values: [0])

    static let form = "a calendar time such as \"Mon..Fri 03:00\", \"*-*-01 04:30\", \"*:00/15\" or \"daily\""

    static let shorthands = [
        "minutely": "*-*-* *:*:00", "hourly": "*-*-* *:00:00", "daily": "*-*-* 00:00:00",
        "weekly": "Mon *-*-* 00:00:00",
        "monthly": "*-*-01 00:00:00", "quarterly": "*-01,04,07,10-01 00:00:00", "yearly": "*-01-01 00:00:00",
        "annually": "*-01-01 00:00:00",
    ]

    /// Nil: it is not of this form.
    init?(_ text: String) {
        var words = (Self.shorthands[text] ?? text).split(separator: " ")[...]
        guard let first = words.first else { return nil }
        if first.first?.isLetter == true {
            guard let weekdays = Self.weekdays(first) else { return nil }
            self.weekdays = weekdays
            words = words.dropFirst()
        }
        if let date = words.first, date.contains("-") {
            guard read(date: date) else { return nil }
            words = words.dropFirst()
        }
        if let time = words.first {
            guard read(time: time) else { return nil }
            words = words.dropFirst()
        }
        guard words.isEmpty else { return nil }
    }

    private mutating func read(date: Substring) -> Bool {
        let parts = date.split(separator: "-", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count) else { return false }
        guard let month = CalendarField(parts[parts.count - 2], 1...12),
            let day = CalendarField(parts[parts.count - 1], 1...31),
            let year = parts.count == 3 ? CalendarField(parts[0], 1970...2200) : .any
        else { return false }
        (self.year, self.month, self.day) = (year, month, day)
        return true
    }

    private mutating func read(time: Substring) -> Bool {
        let parts = time.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count) else { return false }
        guard let hour = CalendarField(parts[0], 0...23), let minute = CalendarField(parts[1], 0...59),
            let second = parts.count == 3 ? CalendarField(parts[2], 0...59) : CalendarField(values: [0])
        else { return false }
        (self.hour, self.minute, self.second) = (hour, minute, second)
        return true
    }

    /// `Mon`, `Mon,Wed`, `Mon..Fri`, `Sat..Mon`; also in full, in any case.
    private static func weekdays(_ text: Substring) -> Set<Int>? {
        var days: Set<Int> = []
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = item.split(separator: "..", omittingEmptySubsequences: false)
            guard (1...2).contains(ends.count), let first = weekday(ends[0]), let last = weekday(ends[ends.count - 1])
            else { return nil }
            var day = first
            days.insert(day)
            while day != last {
                day = (day + 1) % 7
                days.insert(day)
            }
        }
        return days
    }

    private static func weekday(_ text: Substring) -> Int? {
        let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
        let word = text.lowercased()
        return names.firstIndex { word == $0 || word == $0.prefix(3) }
    }

    /// Whether it names every hour: then it goes by hours that pass, not by what they are called.
    var isHourly: Bool { hour.values == nil }
}

import SupervisorCore

/// `100ms`, `30s`, `15min`, `2h`, `1d`, and sums of them: `1min 30s`.
public enum DurationText {
    /// Longest first, so that the shown form is the shortest.
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("min", 60_000_000_000), ("s", 1_000_000_000),
        ("ms", 1_000_000), ("us", 1000), ("ns", 1),
    ]

    /// What a person should write instead.
    public static let form = "a duration such as \"100ms\", \"30s\", \"15min\" or \"2h\""

    /// nil: not a duration, or more than 292 years.
    public static func parse(_ text: String) -> Duration? {
        let bytes = text.utf8
        var total: Int64 = 0
        var place = bytes.startIndex
        while place < bytes.endIndex {
            let letters = bytes[place...].firstIndex { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard let letters, let number = Int64(text[place..<letters]) else { return nil }
            let end = bytes[letters...].firstIndex { !isLetter($0) } ?? bytes.endIndex
            guard let unit = units.first(where: { $0.name == text[letters..<end] }) else { return nil }
            let (product, overflow) = number.multipliedReportingOverflow(by: unit.nanoseconds)
            let (sum, overflowed) = total.addingReportingOverflow(product)
            if overflow || overflowed { return nil }
            total = sum
            place = bytes[end...].firstIndex { $0 != UInt8(ascii: " ") } ?? bytes.endIndex
            if place == bytes.endIndex, end != place { return nil }
        }
        return bytes.isEmpty ? nil : .nanoseconds(total)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    /// The shortest form: `1min 30s` is `90s`, `3600s` is `1h`.
    public static func show(_ duration: Duration) -> String {
        let nanoseconds = duration.nanoseconds
        if nanoseconds == 0 { return "0s" }
        for unit in units where nanoseconds % unit.nanoseconds == 0 {
            return "\(nanoseconds / unit.nanoseconds)\(unit.name)"
        }
        return "\(nanoseconds)ns"
    }
}

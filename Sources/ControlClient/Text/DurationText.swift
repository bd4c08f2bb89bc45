extension Duration {
    /// What is left of one is cut off.
    public var wholeMilliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }

    /// How people say it, rounded to the nearest in one unit: `0.2 s`, `90 s`, `3 min`, `5 h`, `8 d`. The next unit begins at
    /// two of it, as in nexusd's own sentences. Negative durations read as `0 s`.
    public var spoken: String {
        let milliseconds = wholeMilliseconds
        switch milliseconds {
        case ..<50: return "0 s"
        case ..<9950:
            let tenths = (milliseconds + 50) / 100
            return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
        case ..<119_500: return "\((milliseconds + 500) / 1000) s"
        case ..<7_170_000: return "\((milliseconds + 30_000) / 60_000) min"
        case ..<171_000_000: return "\((milliseconds + 1_800_000) / 3_600_000) h"
        case _: return "\((milliseconds + 43_200_000) / 86_400_000) d"
        }
    }

    /// As `spoken`, but in milliseconds below a second: how long something took, which a moment may be all there is to.
    public var spokenFinely: String {
        let milliseconds = wholeMilliseconds
        return milliseconds < 1000 ? "\(max(0, milliseconds)) ms" : spoken
    }

    /// The duration in text like `250ms`, `30s`, `10min`, `2h`, `1d`, also with a space or a fraction-free bare number
    /// of seconds; nil if it is nothing of the kind or above a year.
    public init?(spoken text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int64(digits), count <= 31_536_000_000 else { return nil }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        let milliseconds: Int64
        switch unit {
        case "ms": milliseconds = 1
        case "", "s", "sec": milliseconds = 1000
        case "m", "min": milliseconds = 60_000
        case "h": milliseconds = 3_600_000
        case "d": milliseconds = 86_400_000
        case _: return nil
        }
        let (product, overflow) = count.multipliedReportingOverflow(by: milliseconds)
        guard !overflow, product <= 31_536_000_000 else { return nil }
        self = .milliseconds(product)
    }
}

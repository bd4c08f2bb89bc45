import Plan
import SupervisorCore
import Wire

/// `10000/30s`: lines in a time.
enum RateText {
    /// What a person should write instead.
    static let form = "a rate such as \"10000/30s\" (lines/time), or \"none\""
    /// Lines of a window.
    static let lines: ClosedRange<UInt32> = 1...1_000_000_000
    /// Windows.
    static let windows: ClosedRange<Duration> = .seconds(1) ... .seconds(3600)

    /// nil: not a rate, or out of its bounds.
    static func parse(_ text: String) -> LogRate? {
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, halves[0].first != "+", let count = UInt32(halves[0]), lines.contains(count),
            let window = DurationText.parse(String(halves[1])), windows.contains(window)
        else { return nil }
        return LogRate(lines: count, window: window)
    }

    static func show(_ rate: LogRate) -> String { "\(rate.lines)/\(DurationText.show(rate.window))" }
}

/// What `rate` says: a bound, or none.
enum GivenRate: Hashable, Sendable {
    case none
    case rate(LogRate)

    /// As the plan has it.
    var value: LogRate? {
        switch self {
        case .none: nil
        case .rate(let rate): rate
        }
    }
}

extension Key where Value == GivenRate? {
    static func rate(_ name: String, shown: String, _ summary: String) -> Key {
        let range =
            "\(RateText.lines.lowerBound) to \(RateText.lines.upperBound) lines in \(Shown.range(RateText.windows))"
        return Key(
            name, type: "lines/duration or \"none\"", shape: .form(.rate), initial: nil, shown: shown, range: range,
            summary
        ) {
            node throws(Mismatch) in
            guard case .string(let text) = node.value else { throw .kind(RateText.form, node) }
            if text == "none" { return GivenRate.none }
            guard let rate = RateText.parse(text) else {
                throw Mismatch(node.position, "must be \(RateText.form), \(range); found \"\(text)\"")
            }
            return .rate(rate)
        }
    }
}

import Foundation

/// What one day may use (`daily-dollars`, `daily-tokens` of `[agent]`); above that messages are refused until the next day.
/// A turn that runs goes on to its end.
public struct DailyCeiling: Hashable, Sendable {
    /// US dollars; nil: no ceiling.
    public var dollars: Int?
    /// Tokens of all kinds; nil: no ceiling.
    public var tokens: Int?

    /// Both are nil unless they are said.
    public init(dollars: Int? = nil, tokens: Int? = nil) {
        self.dollars = dollars
        self.tokens = tokens
    }

    /// From what `{agent}` in Supervisor.toml gives; nil: it is not that.
    public init?(json: String) {
        struct Form: Decodable {
            var dollars: Int?
            var tokens: Int?

            private enum CodingKeys: String, CodingKey {
                case dollars = "daily-dollars"
                case tokens = "daily-tokens"
            }
        }
        guard let form = try? JSONDecoder().decode(Form.self, from: Data(json.utf8)) else { return nil }
        self.init(dollars: form.dollars, tokens: form.tokens)
    }

    /// Why no message is taken on a day that used so much, and until when; nil: it is.
    func refusal(of spent: Spent, at now: Date, in zone: TimeZone = .current) -> String? {
        let why: String
        if let dollars, spent.cost >= Double(dollars) {
            why = "\(String(format: "%.2f", spent.cost)) of \(dollars) US dollars a day are spent (daily-dollars)"
        } else if let tokens, spent.tokens >= tokens {
            why = "\(spent.tokens) of \(tokens) tokens a day are used (daily-tokens)"
        } else {
            return nil
        }
        return
            "\(why); messages are taken again from \(Self.words(Day.end(of: now, in: zone), in: zone)). The ceiling is "
            + "in [agent] of Supervisor.toml"
    }

    private static func words(_ end: Date, in zone: TimeZone) -> String {
        var style = Date.ISO8601FormatStyle(timeZone: zone).year().month().day()
        style = style.dateTimeSeparator(.space).time(includingFractionalSeconds: false)
        let text = end.formatted(style)
        return "\(text.prefix(16)) (\(zone.identifier))"
    }
}

/// What a day used.
public struct Spent: Hashable, Sendable {
    /// Of all kinds.
    public var tokens: Int
    /// US dollars.
    public var cost: Double

    /// Nothing, unless it is said.
    public init(tokens: Int = 0, cost: Double = 0) {
        self.tokens = tokens
        self.cost = cost
    }
}

/// A day of this machine's time zone.
enum Day {
    /// YYYY-MM-DD
    static func name(of date: Date, in zone: TimeZone = .current) -> String {
        date.formatted(Date.ISO8601FormatStyle(timeZone: zone).year().month().day())
    }

    /// Where the next one begins; days with a change of the clock are shorter or longer.
    static func end(of date: Date, in zone: TimeZone = .current) -> Date {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        let start = calendar.startOfDay(for: date)
        return calendar.date(byAdding: .day, value: 1, to: start) ?? start.addingTimeInterval(86_400)
    }
}

/// What a turn used so far, subagents included, as opencode reckons it. Each number is between 0 and its bound, wherever
/// it came from, so that no sum of them overflows.
public struct Usage: Hashable, Sendable {
    /// Tokens of one kind; far beyond what a turn can use. More counts as this.
    public static let tokensLimit = 1_000_000_000_000
    /// US dollars. More counts as this.
    public static let costLimit = 1_000_000_000.0

    /// Tokens that were sent, but for those of the cache.
    public let input: Int
    /// Tokens that were answered.
    public let output: Int
    /// Tokens of reasoning.
    public let reasoning: Int
    /// Tokens that the provider had in its cache.
    public let cacheRead: Int
    /// Tokens that it put there.
    public let cacheWrite: Int
    /// US dollars; 0 where the provider asks none for each token, or opencode does not know its prices.
    public let cost: Double
    /// `PROVIDER/MODEL` of the newest answer; nil: not known.
    public var model: String?

    /// Nothing, unless it is said; what is below 0 is 0, what is above its bound that bound.
    public init(
        input: Int = 0, output: Int = 0, reasoning: Int = 0, cacheRead: Int = 0, cacheWrite: Int = 0, cost: Double = 0,
        model: String? = nil
    ) {
        self.input = Self.tokens(input)
        self.output = Self.tokens(output)
        self.reasoning = Self.tokens(reasoning)
        self.cacheRead = Self.tokens(cacheRead)
        self.cacheWrite = Self.tokens(cacheWrite)
        self.cost = cost > 0 ? min(cost, Self.costLimit) : 0
        self.model = model
    }

    /// All of them.
    public var tokens: Int { input + output + reasoning + cacheRead + cacheWrite }

    /// Both together; the model is the right one's.
    public static func + (left: Usage, right: Usage) -> Usage {
        Usage(
            input: left.input + right.input, output: left.output + right.output,
            reasoning: left.reasoning + right.reasoning, cacheRead: left.cacheRead + right.cacheRead,
            cacheWrite: left.cacheWrite + right.cacheWrite, cost: left.cost + right.cost,
            model: right.model ?? left.model)
    }

    /// A number of tokens, as somebody else says it: what is no number is none.
    public static func tokens(_ said: Double) -> Int {
        said > 0 ? Int(min(said, Double(tokensLimit)).rounded()) : 0
    }

    private static func tokens(_ said: Int) -> Int { min(max(0, said), tokensLimit) }
}

extension Usage: Codable {
    private enum CodingKeys: String, CodingKey {
        case input, output, reasoning, cost, model
        case cacheRead = "cache_read"
        case cacheWrite = "cache_write"
    }

    /// Also numbers that no `Int` can be: what was stored or said by another version is read all the same.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        func tokens(_ key: CodingKeys) throws -> Int { Self.tokens(try fields.decode(Double.self, forKey: key)) }
        self.init(
            input: try tokens(.input), output: try tokens(.output), reasoning: try tokens(.reasoning),
            cacheRead: try tokens(.cacheRead), cacheWrite: try tokens(.cacheWrite),
            cost: try fields.decode(Double.self, forKey: .cost),
            model: try fields.decodeIfPresent(String.self, forKey: .model))
    }
}

/// What a turn used so far, subagents included, as opencode reckons it.
public struct Usage: Hashable, Sendable, Codable {
    /// Tokens that were sent, but for those of the cache.
    public var input: Int
    /// Tokens that were answered.
    public var output: Int
    /// Tokens of reasoning.
    public var reasoning: Int
    /// Tokens that the provider had in its cache.
    public var cacheRead: Int
    /// Tokens that it put there.
    public var cacheWrite: Int
    /// US dollars; 0 where the provider asks none for each token, or opencode does not know its prices.
    public var cost: Double
    /// `PROVIDER/MODEL` of the newest answer; nil: not known.
    public var model: String?

    /// Nothing, unless it is said.
    public init(
        input: Int = 0, output: Int = 0, reasoning: Int = 0, cacheRead: Int = 0, cacheWrite: Int = 0, cost: Double = 0,
        model: String? = nil
    ) {
        self.input = input
        self.output = output
        self.reasoning = reasoning
        self.cacheRead = cacheRead
        self.cacheWrite = cacheWrite
        self.cost = cost
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

    private enum CodingKeys: String, CodingKey {
        case input, output, reasoning, cost, model
        case cacheRead = "cache_read"
        case cacheWrite = "cache_write"
    }
}

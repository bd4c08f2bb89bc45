import AgentModel

/// Counts of tokens, as both lines have them; all are numbers without a fraction in fact.
struct OpenCodeTokens: Decodable, Hashable {
    private let input: Double?
    private let output: Double?
    private let reasoning: Double?
    private let cache: Cache?

    private struct Cache: Decodable, Hashable {
        let read: Double?
        let write: Double?
    }

    /// What is below 0 is none, what is more than a turn can use the bound of `Usage`.
    func usage(cost: Double, model: String?) -> Usage {
        func count(_ number: Double?) -> Int { Usage.tokens(number ?? 0) }
        return Usage(
            input: count(input), output: count(output), reasoning: count(reasoning), cacheRead: count(cache?.read),
            cacheWrite: count(cache?.write), cost: cost, model: model?.cut(to: TurnChoice.limit))
    }
}

/// What an answer used, as if: words for tokens.
struct Usage: Sendable {
    /// What `meter` asks for a million tokens.
    static let price = 1000.0

    var tokens: Tokens
    var cost: Double

    /// Of the message that is being written.
    init(of stage: EchoAgent.Stage, asked words: Int) {
        let isMetered = stage.message.modelID == Catalog.meterID
        tokens = Tokens(input: isMetered ? words : 0, output: stage.words)
        cost = isMetered ? Double(words + stage.words) * Self.price / 1_000_000 : 0
    }
}

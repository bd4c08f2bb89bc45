/// How long and how often a word is tried.
enum Patience {
    /// A word that is older is of no use any more.
    static let lifetime: Duration = .seconds(12 * 3600)
    /// The first pause; each is twice the one before …
    static let first: Duration = .seconds(5)
    /// … up to this.
    static let longest: Duration = .seconds(900)

    /// Before the next try of a word of that age that failed just now, as it did so many times before; nil: it is given up.
    /// `asked`: what the receiver wants, of which at most an hour is granted.
    static func pause(after tries: Int, age: Duration, asked: Duration?) -> Duration? {
        let doubled = min(first * (1 << min(tries, 16)), longest)
        let pause = max(doubled, min(asked ?? .zero, .seconds(3600)))
        return age + pause < lifetime ? pause : nil
    }
}

import Chat

/// One-time codes that let a device in. Pure: time and randomness come in.
///
/// Only their hashes are kept, in memory: a restart forgets them, and `nexusctl pair` makes another.
struct PairingCodes: Sendable {
    /// How long a code is good.
    static let lifetime: Duration = .seconds(600)
    /// Codes that are good at a time; one more ends the oldest.
    static let limit = 8
    /// Characters of a code: 50 bits. No limit on tries stands before a good one, which strangers could use up: 100,000
    /// guesses a second, more than a machine answers, find one of `limit` codes in its lifetime with a chance of one in
    /// 2.3 million (8 · 600 s · 100,000/s / 2^50).
    static let length = 10

    /// Wrong passwords that a code takes; then it is worth nothing.
    static let passwordTries = 5

    struct Code {
        var passwordTries = PairingCodes.passwordTries
        var hash: [UInt8]
        var role: DeviceRole
        var until: ContinuousClock.Instant
    }
    private var codes: [Code] = []

    init() {}

    /// A new code, without its hyphen, and whether the oldest one had to end for it.
    mutating func issue(
        _ role: DeviceRole, at now: ContinuousClock.Instant, using generator: inout some RandomNumberGenerator
    ) -> (code: String, endsOldest: Bool) {
        let text = ReadableText.random(Self.length, using: &generator)
        codes.removeAll { $0.until <= now }
        let endsOldest = codes.count >= Self.limit
        if endsOldest { codes.removeFirst() }
        codes.append(Code(hash: Secrets.hash(text), role: role, until: now + Self.lifetime))
        return (text, endsOldest)
    }

    /// The role that a code gives, once; nil: it is wrong, old or spent.
    mutating func spend(_ typed: String, at now: ContinuousClock.Instant) -> DeviceRole? { take(typed, at: now)?.role }

    /// The same, with what `putBack` needs.
    mutating func take(_ typed: String, at now: ContinuousClock.Instant) -> Code? {
        index(of: typed, at: now).map { codes.remove(at: $0) }
    }

    /// Nobody came in by it: it is as good as before, unless as many are good by now as may be.
    mutating func putBack(_ code: Code) { if codes.count < Self.limit { codes.insert(code, at: 0) } }

    /// Whether a code would give a role now; it is not spent by that.
    func isGood(_ typed: String, at now: ContinuousClock.Instant) -> Bool { index(of: typed, at: now) != nil }

    /// Takes one of a code's tries for the password. False: it has none left, and is gone; or it is no good code.
    mutating func tryPassword(_ typed: String, at now: ContinuousClock.Instant) -> Bool {
        guard let index = index(of: typed, at: now) else { return false }
        guard codes[index].passwordTries > 0 else {
            codes.remove(at: index)
            return false
        }
        codes[index].passwordTries -= 1
        return true
    }

    private func index(of typed: String, at now: ContinuousClock.Instant) -> Int? {
        let hash = Secrets.hash(ReadableText.meant(typed))
        return codes.firstIndex { $0.hash == hash && $0.until > now }
    }

    /// As people read it: two groups of five.
    static func shown(_ code: String) -> String { "\(code.prefix(length / 2))-\(code.dropFirst(length / 2))" }
}

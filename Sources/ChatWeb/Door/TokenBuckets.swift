/// How often each of many may do something: a bucket each that fills steadily. Pure: time comes in.
///
/// Nobody is locked out: who was refused may come again as soon as a token has dropped in, and one key's emptiness is
/// no other's.
struct TokenBuckets<Key: Hashable & Sendable>: Sendable {
    /// Tokens of a full bucket.
    let capacity: Double
    /// Tokens that drop in.
    let perSecond: Double
    /// Buckets remembered; above it those that are full are forgotten, which changes nothing, then the fullest.
    let keyLimit: Int

    private struct Bucket {
        var tokens: Double
        var at: ContinuousClock.Instant
    }
    private var buckets: [Key: Bucket] = [:]

    init(capacity: Double, perSecond: Double, keyLimit: Int = 1024) {
        self.capacity = capacity
        self.perSecond = perSecond
        self.keyLimit = keyLimit
    }

    /// Takes a token; else says after how long there is one.
    mutating func take(_ key: Key, at now: ContinuousClock.Instant) -> Duration? {
        let tokens = level(key, at: now)
        guard tokens >= 1 else { return .seconds((1 - tokens) / perSecond) }
        buckets[key] = Bucket(tokens: tokens - 1, at: now)
        if buckets.count > keyLimit { forget(but: key, at: now) }
        return nil
    }

    /// How many are remembered.
    var count: Int { buckets.count }

    private func level(_ key: Key, at now: ContinuousClock.Instant) -> Double {
        guard let bucket = buckets[key] else { return capacity }
        return min(capacity, bucket.tokens + (now - bucket.at) / .seconds(1) * perSecond)
    }

    private mutating func forget(but key: Key, at now: ContinuousClock.Instant) {
        let levels = buckets.keys.filter { $0 != key }.map { ($0, level($0, at: now)) }.sorted { $0.1 > $1.1 }
        for (other, tokens) in levels where tokens >= capacity || buckets.count > keyLimit / 2 { buckets[other] = nil }
    }
}

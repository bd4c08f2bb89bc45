import Wire

/// How many requests to nexusd each link had answered in this turn of the loop.
struct ServingMeter {
    /// Requests of one link that are answered in a turn. Its bytes alone would not do as a bound: a request is a word.
    static let limit = 64

    private var counts: [PeerID: Int] = [:]

    /// Counts one more; false when the link has had its share.
    mutating func takes(_ peer: PeerID) -> Bool {
        counts[peer, default: 0] += 1
        return counts[peer, default: 0] <= Self.limit
    }

    /// A turn is over.
    mutating func reset() {
        if !counts.isEmpty { counts.removeAll(keepingCapacity: true) }
    }
}

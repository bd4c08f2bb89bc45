/// What went over a worker's links since nexusd began.
public struct BusCounts: Hashable, Sendable {
    /// Frames and bytes, headers included, that came from it.
    public var framesIn: UInt64 = 0
    /// Bytes of these.
    public var bytesIn: UInt64 = 0
    /// Frames and bytes that were written to it.
    public var framesOut: UInt64 = 0
    /// Bytes of these.
    public var bytesOut: UInt64 = 0
    /// Frames it addressed to somebody whom Supervisor.toml does not let it address.
    public var refused: UInt64 = 0
    /// Frames for it that were turned away because its queue was full.
    public var full: UInt64 = 0

    /// Nothing yet.
    public init() {}

    mutating func add(_ other: BusCounts) {
        framesIn += other.framesIn
        bytesIn += other.bytesIn
        framesOut += other.framesOut
        bytesOut += other.bytesOut
        refused += other.refused
        full += other.full
    }
}

extension Router {
    /// What went over the links of this worker, those that are over included.
    public func counts(of worker: PeerID) -> BusCounts {
        var sum = ended[worker] ?? BusCounts()
        if let link = links[worker] { sum.add(link.counts) }
        return sum
    }

    /// Bytes that wait to be written to a peer, and for one that is down.
    public func queuedBytes(for peer: PeerID) -> Int {
        (links[peer]?.outbox.countedBytes ?? 0) + (waiting[peer]?.byteCount ?? 0)
    }
}

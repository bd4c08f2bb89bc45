import SupervisorCore
import Testing

@testable import Wire

/// A router with workers 1 = a, 2 = b, 3 = c. `a` may address `b`; `b` may address `a` and `c`; `c` nobody.
struct BusRig {
    static let a = PeerID(rawValue: 1)
    static let b = PeerID(rawValue: 2)
    static let c = PeerID(rawValue: 3)

    var router = Router(workers: [
        Router.Worker(peer: a, name: "a", peers: [b]),
        Router.Worker(peer: b, name: "b", peers: [a, c], may: ["status"]),
        Router.Worker(peer: c, name: "c", peers: []),
    ])
    var now = Instant(nanoseconds: 1_000_000_000)
    private var decoders: [PeerID: FrameDecoder] = [:]

    /// Brings workers up, greeted, with everything read.
    init(up peers: [PeerID] = []) {
        for peer in peers { join(peer) }
        for peer in peers { _ = read(peer) }
        _ = router.takeDecisions()
    }

    mutating func join(_ peer: PeerID) {
        router.workerUp(peer, at: now)
        decoders[peer] = FrameDecoder()
        send(.hello, from: peer, payload: "1 1 -")
    }

    mutating func joinClient(mayAddressWorkers: Bool = true) throws -> PeerID {
        let number = router.clientUp(uid: 1000, mayAddressWorkers: mayAddressWorkers)
        let peer = try #require(number)
        send(.hello, from: peer, payload: "1 1 nexusctl")
        _ = read(peer)
        _ = router.takeDecisions()
        return peer
    }

    mutating func down(_ peer: PeerID) { router.linkDown(peer, at: now) }

    mutating func send(
        _ kind: FrameKind, from sender: PeerID, to peer: PeerID = .nexusd, id: FrameID = .none, payload: String = ""
    ) {
        send(Frame(kind, peer: peer, id: id, payload: Array(payload.utf8)), from: sender)
    }

    mutating func send(_ frame: Frame, from sender: PeerID) {
        frame.bytes.withUnsafeBytes { router.received($0, from: sender, at: now) }
    }

    mutating func credit(_ bytes: UInt32, from sender: PeerID, to peer: PeerID, id: FrameID) {
        var payload = ByteWriter()
        payload.write(bytes)
        send(Frame(.credit, peer: peer, id: id, payload: payload.bytes), from: sender)
    }

    /// Everything that is queued for a peer.
    mutating func read(_ peer: PeerID) -> [Frame] {
        var bytes: [UInt8] = []
        while router.flush(
            peer, at: now,
            {
                bytes.append(contentsOf: $0); return $0.count
            })
        {}
        var frames: [Frame] = []
        bytes.withUnsafeBytes { bytes in
            var rest = bytes
            while let frame = try? decoders[peer, default: FrameDecoder()].next(from: &rest) { frames.append(frame) }
        }
        return frames
    }

    /// The count-th id of a worker's present incarnation.
    func id(_ peer: PeerID, _ count: UInt32) -> FrameID {
        FrameID(epoch: router.links[peer]?.epoch ?? Epoch(rawValue: 99), count: count)
    }

    mutating func decisions() -> [BusDecision] { router.takeDecisions() }

    mutating func advance(_ duration: Duration) {
        now = now + duration
        router.tick(now)
    }
}

extension Frame {
    var text: String { String(decoding: payload, as: UTF8.self) }

    /// The `code` of an error frame.
    var code: BusErrorCode? {
        guard header.kind == .error else { return nil }
        return BusErrorCode.allCases.first { text.hasPrefix("{\"code\":\"\($0.rawValue)\"") }
    }
}

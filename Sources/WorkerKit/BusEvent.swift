import Foundation
public import Wire

/// What happens around a worker, without its having asked.
public enum BusEvent: Hashable, Sendable {
    /// Siblings told new values; all of them, not only the changed ones.
    case values([String: String])
    /// A reload changed whom this worker may address: all of them, by name.
    case peers([String: PeerID], may: [String])
    /// A worker that this one may address came or went.
    case peer(PeerID, name: String, isUp: Bool)
    /// A control client that talks to this worker came or went.
    case client(PeerID, uid: UInt32, name: String, hasJoined: Bool)
    /// The whole tree is about to stop.
    case stopping
    /// This child, which the worker may restart, has grown too large: `Bus.recycle` when it is idle.
    case recycle(child: String)
    /// An event of another worker, with its payload as it came.
    case other(from: PeerID, payload: [UInt8])
}

extension BusEvent {
    private struct Payload: Decodable {
        var event: String
        var values: [String: String]?
        var peer: UInt16?
        var uid: UInt32?
        var name: String?
        var state: String?
        var peers: [Peer]?
        var may: [String]?

        struct Peer: Decodable {
            var name: String
            var peer: UInt16
        }
    }

    /// Reads an `event` frame. Only nexusd's own frames speak of peers and values; from anyone else it is `other`.
    init(payload: [UInt8], from peer: PeerID) {
        self = BusEvent.ofNexusd(payload, from: peer) ?? .other(from: peer, payload: payload)
    }

    private static func ofNexusd(_ payload: [UInt8], from sender: PeerID) -> BusEvent? {
        guard sender == .nexusd, let read = try? JSONDecoder().decode(Payload.self, from: Data(payload)) else {
            return nil
        }
        let peer = read.peer.map(PeerID.init(rawValue:))
        switch (read.event, peer) {
        case ("values", _): return .values(read.values ?? [:])
        case ("stopping", _): return .stopping
        case ("peers", _):
            let listed = (read.peers ?? []).map { ($0.name, PeerID(rawValue: $0.peer)) }
            return .peers(Dictionary(listed) { first, _ in first }, may: read.may ?? [])
        case ("recycle", _): return read.name.map { .recycle(child: $0) }
        case ("peer", let peer?): return .peer(peer, name: read.name ?? "", isUp: read.state == "up")
        case ("client", let peer?):
            return .client(peer, uid: read.uid ?? .max, name: read.name ?? "", hasJoined: read.state == "joined")
        case _: return nil
        }
    }
}

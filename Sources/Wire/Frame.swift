public import SupervisorCore

/// An end of the bus: 0 is nexusd, 1…0x7FFF are children (their `ChildID`), 0x8000… are control clients.
public struct PeerID: Hashable, Sendable {
    /// As in the header.
    public let rawValue: UInt16

    /// Wraps a number from a header.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// A child.
    public init(_ child: ChildID) { rawValue = child.rawValue }

    /// nexusd.
    public static let nexusd = PeerID(rawValue: 0)
    /// The first number of control clients.
    public static let firstClient = PeerID(rawValue: 0x8000)
    /// The child behind the number, if it is one.
    public var child: ChildID? { (1..<0x8000).contains(rawValue) ? ChildID(rawValue: rawValue) : nil }
    /// True for control clients.
    public var isClient: Bool { rawValue >= 0x8000 }
}

/// One incarnation of a worker on the bus; the upper half of every id it makes.
public struct Epoch: Hashable, Sendable {
    /// Never 0.
    public let rawValue: UInt32

    /// Wraps a number from `welcome`.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// Identifies a request (and its reply, its stream, its credit) or an event. Upper half: the maker's epoch.
public struct FrameID: Hashable, Sendable {
    /// As in the header.
    public let rawValue: UInt64

    /// Wraps a number from a header.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The count-th id of an incarnation.
    public init(epoch: Epoch, count: UInt32) { rawValue = UInt64(epoch.rawValue) << 32 | UInt64(count) }

    /// Whose id it is.
    public var epoch: Epoch { Epoch(rawValue: UInt32(rawValue >> 32)) }
}

extension FrameID: CustomStringConvertible {
    /// `0x200000005`, as in docs/bus-protocol.md.
    public var description: String { "0x" + String(rawValue, radix: 16) }
}

/// What a frame is. The numbers are the protocol's; see docs/bus-protocol.md.
public enum FrameKind: UInt8, Hashable, Sendable, CaseIterable {
    case hello = 1, welcome
    case request, reply, error
    case event
    case stream, end, cancel
    case credit
    case ping, pong
    case drain, drained, ready, status, health
}

/// The 16 bytes before every payload, big-endian: u32 length · u8 version · u8 kind · u16 peer · u64 id.
public struct FrameHeader: Hashable, Sendable {
    /// Bytes of a header.
    public static let byteCount = 16
    /// Longest payload; more goes as a stream.
    public static let payloadLimit = 65_536
    /// Bytes of credit with which each stream between peers begins. A `stream` frame costs its payload and its header.
    public static let streamWindow = 65_536
    /// What this frame costs, and what its receiver grants again once it has consumed it: headers count, because a
    /// flood of tiny frames must be bounded as well.
    public var creditCost: Int { FrameHeader.byteCount + Int(length) }
    /// Longest payload of a `stream` frame between peers: with its header it fits a whole window.
    public static let streamPayloadLimit = 65_520
    /// The protocol's version.
    public static let version: UInt8 = 1

    /// Payload bytes, at most `payloadLimit`.
    public var length: UInt32
    /// Kind.
    public var kind: FrameKind
    /// Receiver in what a worker writes, sender in what it reads.
    public var peer: PeerID
    /// Id.
    public var id: FrameID

    /// All fields.
    public init(length: UInt32, kind: FrameKind, peer: PeerID, id: FrameID) {
        self.length = length
        self.kind = kind
        self.peer = peer
        self.id = id
    }
}

/// A header with its payload; `header.length` is the payload's count.
public struct Frame: Hashable, Sendable {
    /// The header.
    public var header: FrameHeader
    /// At most `FrameHeader.payloadLimit` bytes.
    public var payload: [UInt8]

    /// A frame whose header tells the payload's true length.
    public init(_ kind: FrameKind, peer: PeerID, id: FrameID, payload: [UInt8] = []) {
        header = FrameHeader(length: UInt32(payload.count), kind: kind, peer: peer, id: id)
        self.payload = payload
    }

    /// Bytes on the pipe.
    public var byteCount: Int { FrameHeader.byteCount + payload.count }
}

extension FrameID {
    /// The id of frames that need none: hello, welcome, ready, status, health, drain, drained.
    public static let none = FrameID(rawValue: 0)
}

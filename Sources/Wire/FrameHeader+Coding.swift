/// Why bytes are not a frame. The link on which they came is ended: after a bad header nothing that follows can be trusted.
public enum FrameError: Error, Hashable, Sendable {
    /// Another version than `FrameHeader.version`.
    case version(UInt8)
    /// A kind that this version does not have.
    case kind(UInt8)
    /// A payload above `FrameHeader.payloadLimit`; refused before anything is allocated for it.
    case length(UInt32)
}

extension FrameError: CustomStringConvertible {
    /// A sentence for logs and for the `end` record of the link.
    public var description: String {
        switch self {
        case .version(let version):
            "the frame has version \(version), this side speaks \(FrameHeader.version)"
        case .kind(let kind):
            "the frame has the unknown kind \(kind)"
        case .length(let length):
            "the frame announces \(length) bytes, at most \(FrameHeader.payloadLimit) are allowed"
        }
    }
}

extension FrameHeader {
    /// Reads the first 16 bytes of `bytes`, which the caller has made sure are there.
    public init(decoding bytes: UnsafeRawBufferPointer) throws(FrameError) {
        let length = UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self))
        // The version comes first: in another version the other fields may mean something else.
        guard bytes[4] == FrameHeader.version else { throw .version(bytes[4]) }
        guard let kind = FrameKind(rawValue: bytes[5]) else { throw .kind(bytes[5]) }
        guard length <= FrameHeader.payloadLimit else { throw .length(length) }
        self.init(
            length: length, kind: kind,
            peer: PeerID(rawValue: UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self))),
            id: FrameID(rawValue: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))))
    }

    /// Writes the 16 bytes to the start of `bytes`, which has room for them.
    public func encode(into bytes: UnsafeMutableRawBufferPointer) {
        bytes.storeBytes(of: length.bigEndian, as: UInt32.self)
        bytes[4] = FrameHeader.version
        bytes[5] = kind.rawValue
        bytes.storeBytes(of: peer.rawValue.bigEndian, toByteOffset: 6, as: UInt16.self)
        bytes.storeBytes(of: id.rawValue.bigEndian, toByteOffset: 8, as: UInt64.self)
    }

    /// Appends the 16 bytes.
    public func append(to bytes: inout [UInt8]) {
        withUnsafeTemporaryAllocation(byteCount: FrameHeader.byteCount, alignment: 8) { room in
            encode(into: room)
            bytes.append(contentsOf: room)
        }
    }
}

extension Frame {
    /// Appends header and payload.
    public func append(to bytes: inout [UInt8]) {
        bytes.reserveCapacity(bytes.count + byteCount)
        header.append(to: &bytes)
        bytes.append(contentsOf: payload)
    }

    /// Header and payload as one array.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }
}

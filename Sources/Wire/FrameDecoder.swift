/// Makes frames of a byte stream that arrives in pieces of any size.
///
///     var rest = UnsafeRawBufferPointer(justRead)
///     while let frame = try decoder.next(from: &rest) { … }
///
/// It holds at most one unfinished frame: 16 bytes of header and what came of the payload. After an error it must not
/// be fed again; there is no search for the next good header (a wrong guess would be obeyed as a frame).
public struct FrameDecoder: Sendable {
    var state = State.header([])

    enum State: Sendable {
        /// Fewer than 16 bytes of a header.
        case header([UInt8])
        /// A good header and fewer payload bytes than it announces.
        case payload(FrameHeader, [UInt8])
    }

    /// At a frame boundary.
    public init() {}

    /// True when every byte so far belongs to a complete frame: an end of file is clean only here.
    public var isAtBoundary: Bool {
        if case .header(let bytes) = state { bytes.isEmpty } else { false }
    }

    /// The next complete frame, or nil when all of `bytes` is taken in. What was used is removed from the front.
    public mutating func next(from bytes: inout UnsafeRawBufferPointer) throws(FrameError) -> Frame? {
        while true {
            switch state {
            case .header(let begun):
                guard let header = try readHeader(begun, from: &bytes) else { return nil }
                if let payload = take(Int(header.length), from: &bytes) {
                    state = .header([])
                    return Frame(header: header, payload: payload)
                }
                state = .payload(header, [])
            case .payload(let header, var begun):
                // Nothing else holds the array while it grows: no copy of what came before.
                state = .header([])
                let missing = Int(header.length) - begun.count
                if begun.isEmpty { begun.reserveCapacity(Int(header.length)) }
                let count = min(missing, bytes.count)
                begun.append(contentsOf: bytes[..<count])
                bytes = UnsafeRawBufferPointer(rebasing: bytes[count...])
                if count == missing { return Frame(header: header, payload: begun) }
                state = .payload(header, begun)
                return nil
            }
        }
    }

    private mutating func readHeader(
        _ begun: [UInt8], from bytes: inout UnsafeRawBufferPointer
    ) throws(FrameError) -> FrameHeader? {
        let missing = FrameHeader.byteCount - begun.count
        if bytes.count < missing {
            state = .header(begun + bytes)
            bytes = UnsafeRawBufferPointer(rebasing: bytes[bytes.count...])
            return nil
        }
        let header: FrameHeader
        if begun.isEmpty {
            header = try FrameHeader(decoding: bytes)
        } else {
            let whole = begun + bytes[..<missing]
            header = try decode(whole)
        }
        bytes = UnsafeRawBufferPointer(rebasing: bytes[missing...])
        return header
    }

    private func decode(_ whole: [UInt8]) throws(FrameError) -> FrameHeader {
        let result = whole.withUnsafeBytes { bytes in
            Result<FrameHeader, FrameError> { () throws(FrameError) in try FrameHeader(decoding: bytes) }
        }
        return try result.get()
    }

    private func take(_ count: Int, from bytes: inout UnsafeRawBufferPointer) -> [UInt8]? {
        guard bytes.count >= count else { return nil }
        let taken = [UInt8](bytes[..<count])
        bytes = UnsafeRawBufferPointer(rebasing: bytes[count...])
        return taken
    }
}

extension Frame {
    /// What the decoder has: the header tells the payload's length already.
    init(header: FrameHeader, payload: [UInt8]) {
        self.header = header
        self.payload = payload
    }
}

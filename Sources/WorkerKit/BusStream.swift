import Wire

/// The answer to `Bus.stream`: one element a frame, in order. Reading it grants the sender credit, so not reading it
/// stops the sender. It ends when the sender ends it and throws `BusError` when that failed; letting go of it, or
/// cancelling the task that reads it, tells the sender that nobody listens.
public struct BusStream: AsyncSequence, Sendable {
    /// A frame's payload.
    public typealias Element = [UInt8]
    private let lease: Lease

    init(_ buffer: StreamBuffer, id: FrameID, peer: PeerID, _ exchange: Exchange) {
        lease = Lease(buffer: buffer, id: id, peer: peer, exchange: exchange)
    }

    /// Tells the sender that nobody listens any more.
    public func cancel() { lease.cancel() }

    /// One iterator at a time.
    public func makeAsyncIterator() -> Iterator { Iterator(lease: lease) }

    /// Reads the stream.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let lease: Lease

        /// The next payload, nil at the end.
        public mutating func next() async throws -> [UInt8]? { try await lease.next() }
    }

    /// Lives as long as somebody may still read.
    fileprivate final class Lease: Sendable {
        let buffer: StreamBuffer
        let id: FrameID
        let peer: PeerID
        let exchange: Exchange

        init(buffer: StreamBuffer, id: FrameID, peer: PeerID, exchange: Exchange) {
            self.buffer = buffer
            self.id = id
            self.peer = peer
            self.exchange = exchange
        }

        deinit { cancel() }

        func cancel() { exchange.abandon(id, CancellationError()) }

        func next() async throws -> [UInt8]? {
            while true {
                let next = await withTaskCancellationHandler {
                    await buffer.next()
                } onCancel: {
                    cancel()
                }
                switch next {
                case .chunk(let payload): return payload
                // nexusd's own streams know no credit (docs/bus-protocol.md): the window is only ours to refill.
                case .grant(let bytes): if peer != .nexusd { exchange.grant(bytes, peer, id) }
                case .ended(let result):
                    try result.get()
                    return nil
                }
            }
        }
    }
}

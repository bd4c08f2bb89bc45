public import Wire

/// A request of another worker, or of a control client, to this worker.
public struct IncomingRequest: Sendable {
    /// Its id on the bus.
    public let id: FrameID
    /// Who asks, as nexusd says; whatever the payload claims.
    public let peer: PeerID
    /// The control client who asks, when it is one.
    public let client: Client?
    /// By convention JSON.
    public let payload: [UInt8]

    /// A control client (`nexusctl chat`).
    public struct Client: Hashable, Sendable {
        /// What it calls itself.
        public var name: String
        /// Its uid, as the kernel says.
        public var uid: UInt32
    }
}

/// What comes with a request, one element a frame, in order. It ends where the requester says so and throws when the
/// requester is gone, or does not want the answer any more. One reader.
public struct IncomingUpload: AsyncSequence, Sendable {
    /// A frame's payload.
    public typealias Element = [UInt8]
    private let request: IncomingRequest
    private let exchange: Exchange

    init(_ request: IncomingRequest, _ exchange: Exchange) {
        self.request = request
        self.exchange = exchange
    }

    /// One iterator at a time.
    public func makeAsyncIterator() -> Iterator {
        Iterator(buffer: exchange.upload(of: request.id), request: request, exchange: exchange)
    }

    /// Reads it.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let buffer: StreamBuffer?
        fileprivate let request: IncomingRequest
        fileprivate let exchange: Exchange

        /// The next payload, nil at the end.
        public mutating func next() async throws -> [UInt8]? {
            // Answered or cancelled already: nothing comes.
            guard let buffer else { throw CancellationError() }
            while true {
                switch await buffer.next() {
                case .chunk(let payload): return payload
                case .grant(let bytes): exchange.grant(bytes, request.peer, request.id)
                case .ended(let result):
                    try result.get()
                    return nil
                }
            }
        }
    }
}

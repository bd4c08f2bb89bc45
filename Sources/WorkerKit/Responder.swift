public import Wire

/// Answers one request. Exactly one of `reply`, `fail` and `end` finishes it; what comes after is ignored. A handler
/// that returns without any of them is answered for with `failed`.
public final class Responder: Sendable {
    /// What is answered.
    public let request: IncomingRequest
    private let exchange: Exchange

    init(_ request: IncomingRequest, _ exchange: Exchange) {
        self.request = request
        self.exchange = exchange
    }

    /// True when nobody listens any more; the handler's task is cancelled then too.
    public var isCancelled: Bool { !exchange.isOpen(request.id) }

    /// Answers with one payload. A long one (over 64 KiB) goes as a stream, which `Bus.request` puts together again.
    public func reply(_ payload: [UInt8]) async {
        guard payload.count > FrameHeader.payloadLimit else { return await finish(.reply, payload) }
        var rest = payload[...]
        do {
            while !rest.isEmpty {
                try await send([UInt8](rest.prefix(Responder.pieceBytes)))
                rest = rest.dropFirst(Responder.pieceBytes)
            }
            await end()
        } catch {
            // Cancelled, or the bus is gone: there is nobody to tell.
            return
        }
    }

    /// Answers with text.
    public func reply(_ text: String) async { await reply(Array(text.utf8)) }

    /// Sends one frame of a stream after waiting for credit, so a slow reader slows this down.
    ///
    /// Throws `CancellationError` when nobody listens any more, `BusError` (`too-large`, at most
    /// `FrameHeader.streamPayloadLimit` bytes a frame; `unavailable` when the bus is gone).
    public func send(_ payload: [UInt8]) async throws {
        try await exchange.send(payload, to: request.peer, id: request.id)
    }

    /// What the requester sends behind its request; to be read once. Reading it grants credit, so not reading it stops
    /// the requester.
    public var upload: IncomingUpload { IncomingUpload(request, exchange) }

    /// Ends a stream as a success.
    public func end() async { await finish(.end, []) }

    /// Answers with an error, or ends a stream with one, behind what was sent of it.
    public func fail(_ code: BusErrorCode, _ message: String) async {
        // 1024 scalars are at most 4 KiB and at most 6 KiB of JSON, far below a frame.
        await finish(.error, code.payload(String(message.unicodeScalars.prefix(1024))))
    }

    /// After the handler: an answer it forgot.
    func close() {
        guard exchange.finishServed(request.id) else { return }
        exchange.writer.post(frame(.error, BusErrorCode.failed.payload("the handler ended without an answer")))
    }

    /// Pieces of a long reply: one is under way at a time.
    private static let pieceBytes = 16_384

    private func finish(_ kind: FrameKind, _ payload: [UInt8]) async {
        let frame = frame(kind, payload)
        guard await exchange.enter(frame.byteCount, to: request.peer, for: request.id) else { return }
        defer { exchange.leave(frame.byteCount, to: request.peer) }
        guard exchange.finishServed(request.id) else { return }
        await exchange.writer.room()
        exchange.writer.post(frame)
    }

    private func frame(_ kind: FrameKind, _ payload: [UInt8]) -> Frame {
        Frame(kind, peer: request.peer, id: request.id, payload: payload)
    }
}

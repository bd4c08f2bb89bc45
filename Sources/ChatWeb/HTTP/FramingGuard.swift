import NIOCore
import NIOHTTP1

/// Ends a connection whose request has more around its body than any needs: extensions of chunks, trailers, empty lines before it.
/// NIO's decoder passes over most of that without a bound. Stands before it, where the bytes are still as they came.
final class FramingGuard: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// A head (16 KiB) with its request line, and as much for what stands around small chunks.
    static let byteLimit = 65_536
    /// What may come for each byte of a body besides: one in a chunk of its own has five.
    static let bytesPerByte = 8
    /// So many go to the decoder at once: a read may be as large as the bound, with the end of the request in it.
    private static let pieceBytes = 4096

    private let body = BodyCount()
    private var received = 0

    /// What is to stand behind the decoder, for this to know what of the bytes was a body.
    var counter: some RemovableChannelHandler { body }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        while let piece = bytes.readSlice(length: min(room, bytes.readableBytes)), piece.readableBytes > 0 {
            received += piece.readableBytes
            // The decoder is done with these bytes when this returns.
            context.fireChannelRead(wrapInboundOut(piece))
            if body.hasEnded {
                body.hasEnded = false
                // Some of it may be of the next request.
                (received, body.bytes) = (piece.readableBytes, 0)
            } else if received > allowed, !body.hasFailed {
                return context.close(promise: nil)
            }
        }
    }

    /// Bytes that a request may have by now: what came of its body, and what stands around that.
    private var allowed: Int { Self.byteLimit + (1 + Self.bytesPerByte) * body.bytes }

    /// Up to the first byte too many. What follows a request that is none is nobody's, and the answer that says so is on its
    /// way.
    private var room: Int { body.hasFailed ? .max : max(1, min(Self.pieceBytes, allowed + 1 - received)) }

    /// Counts the bytes of the body that comes.
    private final class BodyCount: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = HTTPServerRequestPart

        var bytes = 0
        /// A request did since this was last looked at.
        var hasEnded = false
        var hasFailed = false
        private var isInBody = false

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head: isInBody = true
            case .body(let part): bytes += part.readableBytes
            case .end: (hasEnded, isInBody) = (true, false)
            }
            context.fireChannelRead(data)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            hasFailed = true
            context.fireErrorCaught(error)
            // Nobody answers that: who waits for the rest of a body learns only that there is none.
            if isInBody { context.close(promise: nil) }
        }
    }
}

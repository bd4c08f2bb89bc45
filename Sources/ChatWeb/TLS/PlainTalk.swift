import NIOCore

/// Stands first on a port with TLS: who speaks HTTP there without it, as browsers do for an address that somebody typed,
/// is sent to the right one.
final class PlainTalk: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The first byte of a TLS record that begins a handshake (RFC 8446, 5.1).
    private static let handshake: UInt8 = 22

    private let place: String

    /// `place`: `https://…` of this very port. Not what the request names: it would be sent wherever it says.
    init(place: String) { self.place = place }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        guard bytes.readableBytesView.first != Self.handshake else {
            context.fireChannelRead(data)
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
            return
        }
        let answer = ByteBuffer(
            string:
                "HTTP/1.1 307 Temporary Redirect\r\nLocation: \(place)/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(answer)).whenComplete { _ in channel.close(promise: nil) }
    }
}

import NIOCore

/// Stands first on a port with TLS: who speaks HTTP there without it, as browsers do for an address that somebody typed,
/// is sent to the right one.
final class PlainTalk: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The first byte of a TLS record that begins a handshake (RFC 8446, 5.1).
    private static let handshake: UInt8 = 22

    private let place: (String?) -> String

    /// `place`: where to, for the host that the request names; `https://…` of a name that is served, whatever it names.
    init(place: @escaping (String?) -> String) { self.place = place }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        guard bytes.readableBytesView.first != Self.handshake else {
            context.fireChannelRead(data)
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
            return
        }
        let place = place(Self.host(bytes.readableBytesView))
        let answer = ByteBuffer(
            string:
                "HTTP/1.1 307 Temporary Redirect\r\nLocation: \(place)/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(answer)).whenComplete { _ in channel.close(promise: nil) }
    }

    /// As far as it has come: a browser's head comes whole.
    private static func host(_ bytes: ByteBufferView) -> String? {
        let lines = String(decoding: bytes.prefix(8192), as: UTF8.self).split(whereSeparator: \.isNewline)
        let field = lines.dropFirst().first { $0.lowercased().hasPrefix("host:") }
        return field.map { $0.dropFirst("host:".count).lowercased().filter { $0 != " " && $0 != "\t" } }
    }
}

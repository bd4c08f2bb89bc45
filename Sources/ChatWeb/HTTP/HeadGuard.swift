import NIOCore
import NIOHTTP1

/// Refuses requests whose head can be taken in two ways, by us and by somebody on the way; their connection ends. Stands where
/// the head is still as it came: what follows knows neither its version nor a host in its target.
final class HeadGuard: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private var isRefusing = false
    /// An answer may be under way, into which another would be written.
    private var hasPassedOne = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What follows a refused request is not looked at any more.
        if isRefusing { return }
        guard case .head(let head) = unwrapInboundIn(data), !Self.isClear(head) else {
            hasPassedOne = true
            return context.fireChannelRead(data)
        }
        isRefusing = true
        if hasPassedOne { return context.close(promise: nil) }
        let answer = HTTPResponseHead(
            version: .http1_1, status: .badRequest, headers: ["Content-Length": "0", "Connection": "close"])
        context.write(wrapOutboundOut(.head(answer)), promise: nil)
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
    }

    /// A client of HTTP/1.0 knows no body in chunks (RFC 9112, 6.1); a request has one Host field (3.2); a target that begins
    /// with a host and not with a slash (absolute-form) goes before that field (3.2.2), so both are to be the same.
    static func isClear(_ head: HTTPRequestHead) -> Bool {
        if head.version != .http1_1, head.headers.contains(name: "Transfer-Encoding") { return false }
        let hosts = head.headers["Host"]
        if hosts.count > 1 { return false }
        if head.uri.hasPrefix("/") { return true }
        let target = head.uri.lowercased()
        guard let scheme = ["http://", "https://"].first(where: target.hasPrefix) else { return false }
        return target.dropFirst(scheme.utf8.count).prefix { !"/?#".contains($0) } == (hosts.first ?? "").lowercased()
    }
}

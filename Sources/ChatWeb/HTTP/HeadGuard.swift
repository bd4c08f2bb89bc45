import NIOCore
import NIOHTTP1

/// Refuses requests whose head can be taken in two ways, by us and by somebody on the way; their connection ends. So it does
/// behind an answer that says so, and behind one to HTTP/1.0, which gets no chunks. Stands where the head is still as it came:
/// what follows knows neither its version nor a host in its target.
final class HeadGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private var isRefusing = false
    /// The request that is answered is of HTTP/1.0.
    private var isOld = false
    /// The answer that is under way is the connection's last.
    private var isLast = false
    /// An answer may be under way, into which another would be written.
    private var hasPassedOne = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What follows a refused request is not looked at any more.
        if isRefusing { return }
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        guard let refusal = Self.refusal(of: head) else {
            hasPassedOne = true
            isOld = head.version != .http1_1
            if isOld { head.headers.replaceOrAdd(name: "Connection", value: "close") }
            if Self.waitsForLeave(head) {
                let goOn = HTTPResponseHead(version: .http1_1, status: .continue)
                context.writeAndFlush(wrapOutboundOut(.head(goOn)), promise: nil)
            }
            return context.fireChannelRead(wrapInboundOut(.head(head)))
        }
        isRefusing = true
        if hasPassedOne { return context.close(promise: nil) }
        let answer = HTTPResponseHead(
            version: .http1_1, status: refusal, headers: ["Content-Length": "0", "Connection": "close"])
        context.write(wrapOutboundOut(.head(answer)), promise: nil)
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The parser's opinion of a request that is answered already would become a second answer.
        if !isRefusing { context.fireErrorCaught(error) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            // An answer whose length is not known ends with the connection; NIO writes chunks but in this version.
            if isOld, !head.headers.contains(name: "Content-Length") { head.version = .http1_0 }
            isLast = head.headers["Connection"].contains("close")
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end where isLast:
            // What still comes is no request any more. It is taken and dropped, as long as `ConnectionGuard` lets it: who is
            // sending when the connection is cut would not read the answer.
            isRefusing = true
            let written = promise ?? context.eventLoop.makePromise(of: Void.self)
            let channel = context.channel
            written.futureResult.whenComplete { _ in
                channel.close(mode: .output).whenFailure { _ in channel.close(promise: nil) }
            }
            context.write(data, promise: written)
        case .body, .end: context.write(data, promise: promise)
        }
    }

    /// Nil: it can be taken in one way only, and that is understood here.
    static func refusal(of head: HTTPRequestHead) -> HTTPResponseStatus? {
        guard isClear(head) else { return .badRequest }
        let codings = head.headers["Transfer-Encoding"]
        if codings.isEmpty || codings.map({ $0.lowercased() }) == ["chunked"] { return nil }
        // RFC 9112, 6.1. A list with nothing in one of its places is read in several ways.
        let names = codings.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
        return names.contains { $0.allSatisfy { $0 == " " || $0 == "\t" } } ? .badRequest : .notImplemented
    }

    /// Whoever asks whether he may send a body waits for word on it (RFC 9110, 10.1.1). One that is too long is refused at once.
    static func waitsForLeave(_ head: HTTPRequestHead) -> Bool {
        guard head.version == .http1_1,
            head.headers[canonicalForm: "Expect"].contains(where: { $0.lowercased() == "100-continue" })
        else { return false }
        return head.headers["Content-Length"].first.flatMap { Int($0) } ?? 0 <= Body.limitBytes
    }

    /// A client of HTTP/1.0 knows no body in chunks (RFC 9112, 6.1); a request has one Host field (3.2); a target that begins
    /// with a host and not with a slash (absolute-form) goes before that field (3.2.2), so both are to be the same.
    static func isClear(_ head: HTTPRequestHead) -> Bool {
        if head.version != .http1_1, head.headers.contains(name: "Transfer-Encoding") { return false }
        let hosts = head.headers["Host"]
        if hosts.count > 1 || hosts.isEmpty && head.version == .http1_1 { return false }
        if head.uri.hasPrefix("/") { return true }
        let target = head.uri.lowercased()
        guard let scheme = ["http://", "https://"].first(where: target.hasPrefix) else { return false }
        return target.dropFirst(scheme.utf8.count).prefix { !"/?#".contains($0) } == (hosts.first ?? "").lowercased()
    }
}

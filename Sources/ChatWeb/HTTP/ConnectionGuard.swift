import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// How long a connection may hold its place without using it.
struct ConnectionLimits: Sendable {
    /// A stranger's, waiting for a whole request, or with an answer of which nothing is taken.
    var stranger = TimeAmount.seconds(10)
    /// A device's, for the same.
    var device = TimeAmount.seconds(30)
    /// One of cloudflared's, waiting for the next request; it drops them itself after 90 s.
    var pool = TimeAmount.seconds(120)
    /// Longest silence of an answer that goes on.
    var beat = Duration.seconds(10)
}

/// Closes connections that hold a place without using it: no whole request within its time, an answer that is not taken.
///
/// The times run over everything that is received meanwhile, so that a byte now and then does not prolong them.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart

    private let limits: ConnectionLimits
    private let connection: Connection
    private var request: Scheduled<Void>?
    private var answer: Scheduled<Void>?
    private var answersOwed = 0
    private var isInRequest = false

    init(limits: ConnectionLimits, connection: Connection) {
        self.limits = limits
        self.connection = connection
    }

    func handlerAdded(context: ChannelHandlerContext) { if context.channel.isActive { expectRequest(context) } }

    func channelActive(context: ChannelHandlerContext) {
        expectRequest(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        request?.cancel()
        answer?.cancel()
        connection.leave()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent { connection.leave() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            answersOwed += 1
            isInRequest = true
            connection.begin(head)
            // The wait for it was the pool's business; the request is somebody's.
            if connection.entrance == .tunnel { expectRequest(context) }
        case .body: break
        case .end:
            isInRequest = false
            request?.cancel()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            answersOwed -= 1
            if answersOwed <= 0 {
                connection.end()
                expectRequest(context)
            }
        }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        answer?.cancel()
        answer = context.channel.isWritable ? nil : after(TimeAmount.zero, context) { $0.answer = $1 }
        context.fireChannelWritabilityChanged()
    }

    private func expectRequest(_ context: ChannelHandlerContext) {
        request?.cancel()
        request = after(TimeAmount.zero, context) { $0.request = $1 }
    }

    /// Whose it is may change while the time runs: it is looked at anew when it is over.
    private var limit: TimeAmount {
        if connection.isDevices { return limits.device }
        return connection.entrance == .tunnel && !isInRequest && answersOwed <= 0 ? limits.pool : limits.stranger
    }

    private func after(
        _ passed: TimeAmount, _ context: ChannelHandlerContext,
        _ keep: @escaping (ConnectionGuard, Scheduled<Void>) -> Void
    ) -> Scheduled<Void> {
        let limit = limit
        let channel = context.channel
        let bound = NIOLoopBound((self, context, keep), eventLoop: context.eventLoop)
        return context.eventLoop.scheduleTask(in: limit - passed) {
            let (guarding, context, keep) = bound.value
            if guarding.limit > limit {
                keep(guarding, guarding.after(limit, context, keep))
            } else {
                channel.close(promise: nil)
            }
        }
    }
}

import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes connections that hold a place without using it: no whole request within its time, an answer that is not taken.
///
/// The times run over everything that is received meanwhile, so that a byte now and then does not prolong them.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart

    /// How long a connection may wait for a request, or be at sending one.
    static let requestLimit = TimeAmount.seconds(30)
    /// How long an answer may lie in the socket without any of it being taken.
    static let answerLimit = TimeAmount.seconds(30)

    private let requestLimit: TimeAmount
    private let answerLimit: TimeAmount
    private var request: Scheduled<Void>?
    private var answer: Scheduled<Void>?
    private var answersOwed = 0

    init(requestLimit: TimeAmount = requestLimit, answerLimit: TimeAmount = answerLimit) {
        self.requestLimit = requestLimit
        self.answerLimit = answerLimit
    }

    func handlerAdded(context: ChannelHandlerContext) { if context.channel.isActive { expectRequest(context) } }

    func channelActive(context: ChannelHandlerContext) {
        expectRequest(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        request?.cancel()
        answer?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: answersOwed += 1
        case .body: break
        case .end: request?.cancel()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            answersOwed -= 1
            if answersOwed <= 0 { expectRequest(context) }
        }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        answer?.cancel()
        answer = context.channel.isWritable ? nil : close(context, after: answerLimit)
        context.fireChannelWritabilityChanged()
    }

    private func expectRequest(_ context: ChannelHandlerContext) {
        request?.cancel()
        request = close(context, after: requestLimit)
    }

    private func close(_ context: ChannelHandlerContext, after limit: TimeAmount) -> Scheduled<Void> {
        let channel = context.channel
        return context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    }
}

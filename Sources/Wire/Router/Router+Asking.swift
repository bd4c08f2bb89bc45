public import SupervisorCore

/// What nexusd itself asks a worker. Its ids have epoch 0, which no link has, so that nobody else can make or answer one.
extension Router {
    /// Bytes of an answer to nexusd.
    public static let askedAnswerLimit = 1024

    /// Sends a request of nexusd's own; ends as `BusDecision.answered` or `unanswered`. nil when the worker is not there
    /// or takes no more: nothing waits for it.
    public mutating func ask(_ worker: PeerID, _ payload: [UInt8], at now: Instant) -> FrameID? {
        guard let link = links[worker], link.isGreeted, link.serving < Router.requestLimit else { return nil }
        lastQuestion = lastQuestion == .max ? 1 : lastQuestion + 1
        let id = FrameID(rawValue: UInt64(lastQuestion))
        let request = Frame(.request, peer: .nexusd, id: id, payload: payload)
        guard open[id] == nil, offer(request, from: .nexusd, to: worker, at: now) else { return nil }
        register(id, id, from: .nexusd, to: worker)
        markSent(id, to: worker)
        return id
    }

    /// nexusd does not want this answer any more; what still comes is dropped.
    public mutating func withdraw(_ id: FrameID) {
        guard let request = open[id], request.requester == .nexusd else { return }
        cancel(id, request)
    }

    /// From the worker that was asked. One reply, short enough: everything else is no answer.
    mutating func answerToNexusd(_ frame: Frame, _ id: FrameID) {
        switch frame.header.kind {
        case .reply where frame.payload.count <= Router.askedAnswerLimit:
            finish(id)
            decisions.append(.answered(id, frame.payload))
        case .error:
            finish(id)
            decisions.append(.unanswered(id, Router.printable(frame.payload, limit: Router.statusLimit)))
        case .reply: close(id, .tooLarge, "an answer of \(frame.payload.count) bytes")
        case .stream, .end: close(id, .badRequest, "a \(frame.header.kind) where one reply was asked for")
        case .hello, .welcome, .request, .event, .cancel, .credit, .ping, .pong, .drain, .drained, .ready, .status,
            .health:
            dropped += 1
        }
    }
}

import SupervisorCore

extension Router {
    /// Frames about an open request: from its responder the answer, from its requester an upload, credit or `cancel`.
    /// What fits no open request of this link, or names another peer than the other side of it, is dropped.
    mutating func answer(_ frame: Frame, from peer: PeerID, at now: Instant) {
        guard let id = links[peer]?.globalID(frame.header.id), let request = open[id] else {
            dropped += 1
            return
        }
        switch peer {
        case request.responder where frame.header.peer == request.requester:
            answer(frame, id, request, at: now)
        case request.requester where frame.header.peer == request.responder:
            follow(frame, id, request, at: now)
        case _: dropped += 1
        }
    }

    /// From the responder.
    private mutating func answer(_ frame: Frame, _ id: FrameID, _ request: OpenRequest, at now: Instant) {
        switch frame.header.kind {
        case .reply, .error, .end:
            guard forward(frame, as: request.requesterID, from: request.responder, to: request.requester, at: now)
            else { return close(id, .busy, "the requester's queue is full: the answer was dropped") }
            finish(id)
        case .stream:
            stream(frame, id, from: request.responder, to: request.requester, as: request.requesterID, at: now) {
                Router.spend($0, &$1.answerCredit)
            }
        case .credit: credit(frame, id, request, \.uploadCredit, as: request.requesterID, at: now)
        case .hello, .welcome, .request, .event, .cancel, .ping, .pong, .drain, .drained, .ready, .status, .health:
            dropped += 1
        }
    }

    /// From the requester, about its own request.
    private mutating func follow(_ frame: Frame, _ id: FrameID, _ request: OpenRequest, at now: Instant) {
        switch frame.header.kind {
        case .cancel: cancel(id, request)
        case .credit where request.responder != .nexusd: credit(frame, id, request, \.answerCredit, as: id, at: now)
        case .stream where request.responder != .nexusd && !request.hasUploadEnded:
            stream(frame, id, from: request.requester, to: request.responder, as: id, at: now) {
                Router.spend($0, &$1.uploadCredit)
            }
        case .end where request.responder != .nexusd && !request.hasUploadEnded,
            .error where request.responder != .nexusd && !request.hasUploadEnded:
            guard forward(frame, as: id, from: request.requester, to: request.responder, at: now) else {
                return close(id, .busy, "the responder's queue is full: the upload was cut")
            }
            open[id]?.hasUploadEnded = true
        case .hello, .welcome, .request, .reply, .error, .event, .stream, .end, .credit, .ping, .pong, .drain,
            .drained, .ready, .status, .health:
            dropped += 1
        }
    }

    // MARK: - Streams

    private static func spend(_ cost: Int, _ credit: inout Int) -> Bool {
        guard credit >= cost else { return false }
        credit -= cost
        return true
    }

    private mutating func stream(
        _ frame: Frame, _ id: FrameID, from sender: PeerID, to receiver: PeerID, as receiverID: FrameID,
        at now: Instant, spend: (Int, inout OpenRequest) -> Bool
    ) {
        guard var request = open[id] else { return }
        if !request.isStreaming {
            guard beginStream(request) else {
                return close(id, .busy, "\(Router.streamLimit) streams of one of the two links are open")
            }
            request.isStreaming = true
        }
        let hasCredit = spend(frame.byteCount, &request)
        open[id] = request
        guard hasCredit else { return close(id, .failed, "the stream went beyond its credit") }
        if !forward(frame, as: receiverID, from: sender, to: receiver, at: now) {
            close(id, .busy, "the receiver's queue is full: the stream was cut")
        }
    }

    private mutating func beginStream(_ request: OpenRequest) -> Bool {
        for peer in [request.requester, request.responder] {
            if let link = links[peer], link.streams >= Router.streamLimit { return false }
        }
        for peer in [request.requester, request.responder] { _ = mutate(peer) { $0.streams += 1 } }
        return true
    }

    private mutating func credit(
        _ frame: Frame, _ id: FrameID, _ request: OpenRequest, _ path: WritableKeyPath<OpenRequest, Int>,
        as receiverID: FrameID, at now: Instant
    ) {
        let isAnswer = path == \OpenRequest.answerCredit
        let (sender, receiver) =
            isAnswer ? (request.requester, request.responder) : (request.responder, request.requester)
        var reader = ByteReader(frame.payload)
        guard let bytes = try? reader.read(UInt32.self), reader.remaining == 0,
            request[keyPath: path] + Int(bytes) <= FrameHeader.streamWindow
        else {
            return close(id, .badRequest, "credit is a u32, and at most \(FrameHeader.streamWindow) bytes are out")
        }
        open[id]?[keyPath: path] += Int(bytes)
        if !forward(frame, as: receiverID, from: sender, to: receiver, at: now) {
            close(id, .busy, "a queue on the way is full: the stream was cut")
        }
    }

    // MARK: - Ends

    /// The requester does not listen any more. A request that was not written yet is taken back: nobody will see it.
    mutating func cancel(_ id: FrameID, _ request: OpenRequest) {
        finish(id)
        if request.responder == .nexusd { return decisions.append(.cancelled(id)) }
        guard links[request.responder]?.isGreeted == true else {
            return stopWaiting(for: request.responder) { $0.frame.header.id == id }
        }
        let wasQueued = mutate(request.responder) { !$0.outbox.withdraw { $0.id == id }.isEmpty } ?? true
        if !wasQueued { own(.cancel, to: request.responder, from: request.requester, id: id, []) }
    }

    /// nexusd ends a request between two peers: the requester gets the error, and the responder too, which must not go
    /// on answering.
    mutating func close(_ id: FrameID, _ code: BusErrorCode, _ message: String) {
        guard let request = open[id] else { return }
        finish(id)
        fail(request.requesterID, at: request.requester, code, message)
        if request.responder != .nexusd { fail(id, at: request.responder, code, message) }
    }

    /// Passes a frame on, with the sender in its header; false when it could not be queued.
    private mutating func forward(
        _ frame: Frame, as id: FrameID, from sender: PeerID, to receiver: PeerID, at now: Instant
    ) -> Bool {
        var forwarded = frame
        forwarded.header.id = id
        forwarded.header.peer = sender
        return offer(forwarded, from: sender, to: receiver, at: now)
    }

    /// Queues a frame of one link for another, within the bounds.
    mutating func offer(_ frame: Frame, from sender: PeerID, to receiver: PeerID, at now: Instant) -> Bool {
        let isQueued = mutate(receiver) { link in
            guard link.isGreeted else { return false }
            let isQueued = link.outbox.offer(frame, from: sender)
            if !isQueued, link.fullSince == nil { link.fullSince = now }
            return isQueued
        }
        if isQueued == true { announce(receiver) }
        return isQueued ?? false
    }
}

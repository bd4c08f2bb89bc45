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
        case request.responder where frame.header.peer == request.requester && request.requester == .nexusd:
            answerToNexusd(frame, id)
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
            guard forward(frame, id, request, .answer, at: now) else {
                return close(id, .busy, "the requester's queue is full: the answer was dropped")
            }
            finish(id)
        case .stream: stream(frame, id, request, .answer, at: now)
        case .credit: credit(frame, id, request, for: .upload, at: now)
        case .hello, .welcome, .request, .event, .cancel, .ping, .pong, .drain, .drained, .ready, .status, .health:
            dropped += 1
        }
    }

    /// From the requester, about its own request.
    private mutating func follow(_ frame: Frame, _ id: FrameID, _ request: OpenRequest, at now: Instant) {
        let mayUpload = request.responder != .nexusd && !request.hasUploadEnded
        switch frame.header.kind {
        case .cancel: cancel(id, request)
        case .credit where request.responder != .nexusd: credit(frame, id, request, for: .answer, at: now)
        case .stream where mayUpload: stream(frame, id, request, .upload, at: now)
        case .end where mayUpload, .error where mayUpload:
            guard forward(frame, id, request, .upload, at: now) else {
                return close(id, .busy, "the responder's queue is full: the upload was cut")
            }
            open[id]?.hasUploadEnded = true
        case .hello, .welcome, .request, .reply, .error, .event, .stream, .end, .credit, .ping, .pong, .drain,
            .drained, .ready, .status, .health:
            dropped += 1
        }
    }

    // MARK: - Streams

    private mutating func stream(
        _ frame: Frame, _ id: FrameID, _ request: OpenRequest, _ direction: OpenRequest.Direction, at now: Instant
    ) {
        if !request.isStreaming {
            guard beginStream(request) else {
                return close(id, .busy, "\(Router.streamLimit) streams of one of the two links are open")
            }
            open[id]?.isStreaming = true
        }
        guard request[credit: direction] >= frame.header.creditCost else {
            return close(id, .failed, "the stream went beyond its credit")
        }
        open[id]?[credit: direction] -= frame.header.creditCost
        if !forward(frame, id, request, direction, at: now) {
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

    /// Credit for what is sent in `direction`; it travels the other way.
    private mutating func credit(
        _ frame: Frame, _ id: FrameID, _ request: OpenRequest, for direction: OpenRequest.Direction, at now: Instant
    ) {
        var reader = ByteReader(frame.payload)
        guard let bytes = try? reader.read(UInt32.self), reader.remaining == 0,
            request[credit: direction] + Int(bytes) <= FrameHeader.streamWindow
        else {
            return close(id, .badRequest, "credit is a u32, and at most \(FrameHeader.streamWindow) bytes are out")
        }
        open[id]?[credit: direction] += Int(bytes)
        if !forward(frame, id, request, direction == .answer ? .upload : .answer, at: now) {
            close(id, .busy, "a queue on the way is full: the stream was cut")
        }
    }

    // MARK: - Ends

    /// The requester does not listen any more.
    mutating func cancel(_ id: FrameID, _ request: OpenRequest) {
        finish(id)
        if request.responder == .nexusd { return decisions.append(.cancelled(id)) }
        if !takeBack(id, request) { own(.cancel, to: request.responder, from: request.requester, id: id, []) }
    }

    /// nexusd ends a request between two peers: the requester gets the error, and so does a responder that has seen the
    /// request: it must not go on answering. `busy` says that it was not seen: where it may have been, it is `cut`.
    mutating func close(_ id: FrameID, _ code: BusErrorCode, _ message: String) {
        guard let request = open[id] else { return }
        finish(id)
        let isSeen = request.responder != .nexusd && !takeBack(id, request)
        let code = code == .busy && (isSeen || request.responder == .nexusd) ? .cut : code
        fail(request.requesterID, at: request.requester, code, message)
        if isSeen { fail(id, at: request.responder, code, message) }
    }

    /// Takes back a request of which no byte was written yet: its responder will never see it. False when it may have.
    private mutating func takeBack(_ id: FrameID, _ request: OpenRequest) -> Bool {
        guard request.isSent else {
            stopWaiting(for: request.responder) { $0.frame.header.id == id }
            return true
        }
        defer { answerPings(to: request.responder) }
        return mutate(request.responder) { !$0.outbox.withdraw { $0.id == id }.isEmpty } ?? true
    }

    /// Passes a frame on, under the id that its receiver knows and with the sender in its header; false when it could
    /// not be queued.
    private mutating func forward(
        _ frame: Frame, _ id: FrameID, _ request: OpenRequest, _ direction: OpenRequest.Direction, at now: Instant
    ) -> Bool {
        var forwarded = frame
        forwarded.header.id = direction == .answer ? request.requesterID : id
        forwarded.header.peer = request.sender(direction)
        return offer(
            forwarded, from: request.sender(direction), to: request.receiver(direction), at: now)
    }

    /// Queues a frame of one link for another, within the bounds.
    mutating func offer(_ frame: Frame, from sender: PeerID, to receiver: PeerID, at now: Instant) -> Bool {
        let isQueued = mutate(receiver) { link in
            guard link.isGreeted else { return false }
            let isQueued = link.outbox.offer(frame, from: sender)
            if !isQueued {
                link.counts.full += 1
                if link.fullSince == nil { link.fullSince = now }
            }
            return isQueued
        }
        if isQueued == true { announce(receiver) }
        return isQueued ?? false
    }
}

/// What nexusd itself says on the bus.
extension Router {
    // MARK: - Answers to requests that came as `BusDecision.request`

    /// True until the request is answered or nobody waits for it any more.
    public func isOpen(_ id: FrameID) -> Bool { open[id]?.responder == .nexusd }

    /// Answers with one JSON object. What does not fit a frame goes as a stream.
    public mutating func reply(_ id: FrameID, _ json: [UInt8]) {
        guard isOpen(id), let request = open[id] else { return }
        guard answerBytes(for: request.requester) + json.count <= Router.answerLimit else {
            return close(id, .busy, "answers of \(Router.answerLimit) bytes are unread")
        }
        if json.count <= FrameHeader.payloadLimit {
            put(.reply, json, request)
        } else {
            for start in stride(from: 0, to: json.count, by: FrameHeader.payloadLimit) {
                put(.stream, [UInt8](json[start..<min(start + FrameHeader.payloadLimit, json.count)]), request)
            }
            put(.end, [], request)
        }
        finish(id)
    }

    /// Answers with an error, or ends a stream with one, behind what was sent of it.
    public mutating func fail(_ id: FrameID, _ code: BusErrorCode, _ message: String) {
        guard isOpen(id), let request = open[id] else { return }
        finish(id)
        own(.error, to: request.requester, id: request.requesterID, code.payload(message), behindData: true)
    }

    /// One frame of a stream: a part of a long answer, or a record of `events`. A peer that leaves more than 256 KiB
    /// of it unread is told `cut` and the stream is over. False when nobody listens any more.
    public mutating func stream(_ id: FrameID, _ bytes: [UInt8]) -> Bool {
        guard isOpen(id), let request = open[id] else { return false }
        guard answerBytes(for: request.requester) + bytes.count <= Outbox.limit else {
            close(id, .busy, "\(Outbox.limit) bytes of the answer are unread: the stream was cut")
            return false
        }
        put(.stream, bytes, request)
        return true
    }

    /// Ends a stream as a success.
    public mutating func endStream(_ id: FrameID) {
        guard isOpen(id), let request = open[id] else { return }
        put(.end, [], request)
        finish(id)
    }

    private mutating func put(_ kind: FrameKind, _ payload: [UInt8], _ request: OpenRequest) {
        let frame = Frame(kind, peer: .nexusd, id: request.requesterID, payload: payload)
        _ = mutate(request.requester) { $0.outbox.put(answer: frame) }
        announce(request.requester)
    }

    // MARK: - Words to workers

    /// The drain word; a worker that has not said hello yet gets it right behind its welcome.
    public mutating func drain(_ peer: PeerID) {
        _ = mutate(peer) { $0.isDrainDue = !$0.isGreeted }
        own(.drain, to: peer, id: .none, [])
    }

    /// Captured values that this worker may know: they go into its welcome, and into an event when they change later.
    public mutating func setValues(_ new: [String: String], for peer: PeerID) {
        guard values[peer] != new else { return }
        values[peer] = new
        event(to: peer) { json in
            json.field("event", "values")
            json.object("values") { Router.write(new, into: &$0) }
        }
    }

    /// Tells every worker that the whole tree is about to stop.
    public mutating func announceStopping() {
        for peer in workers.keys { event(to: peer) { $0.field("event", "stopping") } }
    }

    /// Asks a worker that may restart `child` to say when it is idle, for it is to be recycled.
    public mutating func suggestRecycling(_ child: String, to peer: PeerID) {
        event(to: peer) {
            $0.field("event", "recycle")
            $0.field("name", child)
        }
    }

    /// Tells those who may address a worker that it came or went.
    mutating func announcePeer(_ peer: PeerID, isUp: Bool) {
        guard let worker = workers[peer] else { return }
        for other in workers.values where other.peers.contains(peer) && other.peer != peer {
            event(to: other.peer) { json in
                json.field("event", "peer")
                json.field("peer", peer.rawValue)
                json.field("name", worker.name)
                json.field("state", isUp ? "up" : "down")
            }
        }
    }

    /// Tells a worker who the control client is, before its first request.
    mutating func introduce(_ peer: PeerID, to worker: PeerID) {
        let isNew = mutate(peer) { $0.withClient { $0.known.insert(worker).inserted } }.flatMap { $0 }
        if isNew == true { announceClient(peer, to: worker, hasJoined: true) }
    }

    mutating func announceClient(_ peer: PeerID, to worker: PeerID, hasJoined: Bool) {
        guard let link = links[peer], case .client(let client) = link.role else { return }
        event(to: worker) { json in
            json.field("event", "client")
            json.field("peer", peer.rawValue)
            json.field("uid", client.uid)
            json.field("name", link.name)
            json.field("state", hasJoined ? "joined" : "left")
        }
    }

    mutating func event(to peer: PeerID, _ fields: (inout JSONWriter) -> Void) {
        guard links[peer]?.isGreeted == true else { return }
        var json = JSONWriter()
        json.object(fields)
        own(.event, to: peer, id: .none, json.bytes)
    }

    static func write(_ values: [String: String], into json: inout JSONWriter) {
        for (name, value) in values.sorted(by: { $0.key < $1.key }) { json.field(name, value) }
    }

    // MARK: - Queueing

    /// Queues a small frame of nexusd's; before hello there is nothing to say. A link that leaves too many of them unread is ended at the next `tick`.
    mutating func own(
        _ kind: FrameKind, to peer: PeerID, from sender: PeerID = .nexusd, id: FrameID, _ payload: [UInt8],
        behindData: Bool = false
    ) {
        let frame = Frame(kind, peer: sender, id: id, payload: payload)
        let ownBytes = mutate(peer) { link -> Int? in
            guard link.isGreeted else { return nil }
            if behindData { link.outbox.put(end: frame) } else { link.outbox.put(own: frame) }
            return link.outbox.ownBytes
        }.flatMap { $0 }
        guard let ownBytes else { return }
        announce(peer)
        if ownBytes > Outbox.ownLimit { overdue.insert(peer) }
    }
}

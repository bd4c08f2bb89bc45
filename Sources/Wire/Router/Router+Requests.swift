import SupervisorCore

extension Router {
    mutating func request(_ frame: Frame, from peer: PeerID, at now: Instant) {
        let (id, receiver) = (frame.header.id, frame.header.peer)
        guard let link = links[peer] else { return }
        guard let global = admit(id, of: link, peer, at: now) else { return }
        guard link.asking < Router.requestLimit else {
            return fail(id, at: peer, .busy, "\(Router.requestLimit) requests of this link are open")
        }
        if receiver == .nexusd {
            register(global, id, from: peer, to: receiver)
            return decisions.append(.request(global, from: peer, words: frame.payload))
        }
        guard link.mayAddress(receiver), receiver != peer else { return refuse(id, from: peer, to: receiver) }
        guard workers[receiver] != nil else {
            return fail(id, at: peer, .unknown, "there is no worker with number \(receiver.rawValue)")
        }
        var request = frame
        request.header.id = global
        request.header.peer = peer
        guard links[receiver]?.isGreeted == true else {
            return wait(request, original: id, for: receiver, at: now)
        }
        if links[receiver].map({ $0.serving >= Router.requestLimit }) == true {
            return fail(id, at: peer, .busy, "\(Router.requestLimit) requests to it are open")
        }
        introduce(peer, to: receiver)
        guard offer(request, from: peer, to: receiver, at: now) else {
            return fail(id, at: peer, .busy, "its queue is full")
        }
        register(global, id, from: peer, to: receiver)
        markSent(global, to: receiver)
    }

    /// Checks the id of a request; nil when that ended the link. Clients number as they like: the bus gives them ids.
    private mutating func admit(_ id: FrameID, of link: Link, _ peer: PeerID, at now: Instant) -> FrameID? {
        switch link.role {
        case .worker:
            if id.epoch != link.epoch {
                end(peer, .foreignID(id), at: now)
            } else if open[id] != nil {
                end(peer, .idInUse(id), at: now)
            } else {
                return id
            }
        case .client(let client):
            if id == .none {
                end(peer, .foreignID(id), at: now)
            } else if client.ids[id] != nil {
                end(peer, .idInUse(id), at: now)
            } else {
                let epoch = link.epoch
                return mutate(peer) { link in
                    link.withClient { client in
                        client.lastID &+= 1
                        return FrameID(epoch: epoch, count: client.lastID)
                    }
                }.flatMap { $0 }
            }
        }
        return nil
    }

    mutating func register(_ global: FrameID, _ id: FrameID, from peer: PeerID, to receiver: PeerID) {
        open[global] = OpenRequest(requester: peer, responder: receiver, requesterID: id)
        _ = mutate(peer) { link in
            link.asking += 1
            _ = link.withClient { $0.ids[id] = global }
        }
    }

    mutating func markSent(_ id: FrameID, to receiver: PeerID) {
        open[id]?.isSent = true
        _ = mutate(receiver) { $0.serving += 1 }
    }

    /// The request is over; the tables forget it.
    mutating func finish(_ id: FrameID) {
        guard let request = open.removeValue(forKey: id) else { return }
        _ = mutate(request.requester) { link in
            link.asking -= 1
            if request.isStreaming { link.streams -= 1 }
            _ = link.withClient { $0.ids[request.requesterID] = nil }
        }
        _ = mutate(request.responder) { link in
            if request.isSent { link.serving -= 1 }
            if request.isStreaming { link.streams -= 1 }
        }
    }

    // MARK: - Refusals

    mutating func refuse(_ id: FrameID, from peer: PeerID, to receiver: PeerID) {
        decisions.append(.refused(from: peer, to: receiver))
        _ = mutate(peer) { $0.counts.refused += 1 }
        let name = workers[receiver]?.name ?? "peer \(receiver.rawValue)"
        fail(id, at: peer, .refused, "\(links[peer]?.name ?? "this link") may not address \(name)")
    }

    /// An `error` of nexusd's under an id as the peer knows it.
    mutating func fail(_ id: FrameID, at peer: PeerID, _ code: BusErrorCode, _ message: String) {
        if peer == .nexusd { return decisions.append(.unanswered(id, message)) }
        own(.error, to: peer, id: id, code.payload(message))
    }

    // MARK: - Requests for a worker that is down

    private mutating func wait(_ request: Frame, original id: FrameID, for receiver: PeerID, at now: Instant) {
        let sender = request.header.peer
        var queue = waiting[receiver] ?? WaitingRequests()
        guard queue.byteCount + request.byteCount <= Router.waitBytesLimit,
            queue.entries.count < Router.requestLimit
        else {
            return fail(id, at: sender, .unavailable, "it is down, and the room for waiting requests is full")
        }
        waiting[receiver] = nil
        queue.entries.append(
            WaitingRequests.Entry(frame: request, sender: sender, deadline: now + Router.waitLimit))
        queue.byteCount += request.byteCount
        waiting[receiver] = queue
        register(request.header.id, id, from: sender, to: receiver)
    }

    /// The worker has said hello: what waited goes to it. It fits: its queue is empty and as large as the waiting room.
    mutating func sendWaiting(_ peer: PeerID, at now: Instant) {
        guard var queue = waiting.removeValue(forKey: peer) else { return }
        while let entry = queue.entries.popFirst() {
            let id = entry.frame.header.id
            guard open[id] != nil else { continue }
            introduce(entry.sender, to: peer)
            if offer(entry.frame, from: entry.sender, to: peer, at: now) {
                markSent(id, to: peer)
            } else {
                close(id, .busy, "its queue is full")
            }
        }
    }

    /// Takes back requests that wait for a worker and are not wanted any more.
    mutating func stopWaiting(for peer: PeerID, where matches: (WaitingRequests.Entry) -> Bool) {
        guard var queue = waiting.removeValue(forKey: peer) else { return }
        for entry in queue.entries.remove(where: matches) { queue.byteCount -= entry.frame.byteCount }
        if !queue.entries.isEmpty { waiting[peer] = queue }
    }
}

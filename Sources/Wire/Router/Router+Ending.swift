public import SupervisorCore

extension Router {
    /// A link is gone: its run ended, its descriptor is at its end or failed, its client left. Half a frame of it is
    /// dropped, its requests are cancelled, and what it was asked fails as `peer-restarted`.
    public mutating func linkDown(_ peer: PeerID, at now: Instant) {
        guard var link = links[peer] else { return }
        let mine = open.filter { $0.value.requester == peer || $0.value.responder == peer }
        withdraw(asked: mine.filter { $0.value.requester == peer }, by: peer)
        if link.isGreeted { farewell(peer, link) }
        links[peer] = nil
        for (sender, ping) in link.outbox.takePings() { pong(ping, to: sender) }
        if link.isWorker { ended[peer, default: BusCounts()].add(link.counts) }
        // What waits for its next run goes on waiting.
        for (id, request) in mine where request.responder == peer && request.isSent {
            finish(id)
            fail(
                request.requesterID, at: request.requester, .peerRestarted,
                "\(link.name) ended while the request was open")
        }
    }

    /// Time has passed `nextDeadline`.
    public mutating func tick(_ now: Instant) {
        endOverdue(at: now)
        for (peer, link) in links {
            if let since = link.fullSince, since + Router.stallLimit <= now { end(peer, .takesNothing, at: now) }
        }
        for peer in Array(waiting.keys) { expireWaiting(for: peer, at: now) }
    }

    /// When `tick` is due: the first waiting request expires, or a link that takes nothing is given up.
    public var nextDeadline: Instant? {
        if !overdue.isEmpty { return Instant(nanoseconds: 0) }
        let stalls = links.values.lazy.compactMap { $0.fullSince.map { $0 + Router.stallLimit } }.min()
        let waits = waiting.values.lazy.compactMap { $0.entries.first?.deadline }.min()
        guard let stalls, let waits else { return stalls ?? waits }
        return min(stalls, waits)
    }

    /// Ends a link for a fault of its own.
    mutating func end(_ peer: PeerID, _ fault: LinkFault, at now: Instant) {
        guard links[peer] != nil else { return }
        linkDown(peer, at: now)
        decisions.append(.endLink(peer, fault))
    }

    private mutating func endOverdue(at now: Instant) {
        while let peer = overdue.popFirst() { end(peer, .takesNothing, at: now) }
    }

    // MARK: - What a link leaves behind

    /// Its own requests: those not written yet are taken back, the others' responders are told that nobody listens.
    private mutating func withdraw(asked: [FrameID: OpenRequest], by peer: PeerID) {
        for id in asked.keys { finish(id) }
        for responder in Set(asked.values.map(\.responder)) {
            stopWaiting(for: responder) { $0.sender == peer }
            let unseen = mutate(responder) { Set($0.outbox.withdraw { $0.peer == peer }) } ?? []
            answerPings(to: responder)
            for (id, request) in asked where request.responder == responder {
                if responder == .nexusd {
                    decisions.append(.cancelled(id))
                } else if request.isSent, !unseen.contains(id) {
                    own(.cancel, to: responder, from: peer, id: id, [])
                }
            }
        }
    }

    private mutating func farewell(_ peer: PeerID, _ link: Link) {
        switch link.role {
        case .worker:
            announcePeer(peer, isUp: false)
            // Its next run has heard of no client.
            for other in Array(links.keys) { _ = mutate(other) { $0.withClient { $0.known.remove(peer) } } }
        case .client(let client):
            for worker in client.known { announceClient(peer, to: worker, hasJoined: false) }
        }
    }

    private mutating func expireWaiting(for peer: PeerID, at now: Instant) {
        guard var queue = waiting.removeValue(forKey: peer) else { return }
        while let entry = queue.entries.first, entry.deadline <= now {
            queue.entries.popFirst()
            queue.byteCount -= entry.frame.byteCount
            let name = workers[peer]?.name ?? "the worker"
            close(entry.frame.header.id, .unavailable, "\(name) is down, and was for \(Router.waitLimit)")
        }
        if !queue.entries.isEmpty { waiting[peer] = queue }
    }
}

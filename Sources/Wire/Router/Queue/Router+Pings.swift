import SupervisorCore

/// Pings from one worker to another peer. nexusd answers them itself, when everything that the sender wrote to that peer
/// before has left the peer's queue: by that a sender knows how much of its share is free again, whether or not what
/// it sent is being consumed. It needs no right to address the peer: it learns of nothing but its own frames.
extension Router {
    mutating func ping(_ frame: Frame, from peer: PeerID, at now: Instant) {
        let (id, receiver) = (frame.header.id, frame.header.peer)
        guard let link = links[peer] else { return }
        // The answer may come when this run is over: by its epoch it is kept from the next one.
        guard id.epoch == link.epoch else { return end(peer, .foreignID(id), at: now) }
        let isQueued = mutate(receiver) { $0.outbox.offer(ping: frame, from: peer) }
        // To a link that is not there nothing is queued.
        guard let isQueued else { return pong(frame, to: peer) }
        guard isQueued else { return fail(id, at: peer, .busy, "its queue is full") }
        answerPings(to: receiver)
    }

    /// Answers the pings to a link whose turn has come.
    mutating func answerPings(to receiver: PeerID) {
        for (peer, frame) in mutate(receiver, { $0.outbox.takePassed() }) ?? [] { pong(frame, to: peer) }
    }

    /// The pong has the receiver of the ping as its peer. A run that is gone needs none.
    mutating func pong(_ ping: Frame, to peer: PeerID) {
        guard links[peer]?.epoch == ping.header.id.epoch else { return }
        own(.pong, to: peer, from: ping.header.peer, id: ping.header.id, ping.payload)
    }
}

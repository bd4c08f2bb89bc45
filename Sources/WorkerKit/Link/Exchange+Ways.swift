import Wire

/// Pacing: what this worker sends to one peer stays within what nexusd queues for it, however late the peer reads.
extension Exchange {
    private enum Entry { case taken, closed, waits }

    /// Waits until there is room for a frame of an answer or an upload on the way to its peer, and takes it: `leave` must
    /// follow. False when the request is not open any more. It waits as long as the peer reads nothing at all, and ends
    /// with the request, the peer's link or this one.
    func enter(_ cost: Int, to peer: PeerID, for id: FrameID) async -> Bool {
        while true {
            let entry = state.withLock { state -> Entry in
                guard state.isSending(id) else { return .closed }
                return state.ways[peer, default: Way()].take(cost) ? .taken : .waits
            }
            switch entry {
            case .taken: return true
            case .closed: return false
            case .waits: await wait(cost, peer, id)
            }
        }
    }

    private func wait(_ cost: Int, _ peer: PeerID, _ id: FrameID) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isReady = state.withLock { state in
                guard state.isSending(id), var way = state.ways[peer], !way.hasRoom(cost) else { return true }
                way.wait(continuation)
                state.ways[peer] = way
                return false
            }
            if isReady { return continuation.resume() }
            ping(peer)
        }
    }

    /// A frame for which room was taken is with the writer.
    func leave(_ cost: Int, to peer: PeerID) {
        state.withLock { $0.ways[peer]?.post(cost) }
        ping(peer)
    }

    /// Asks how far the frames to a peer have come, when it is time to.
    private func ping(_ peer: PeerID) {
        let id = state.withLock { state -> FrameID? in
            guard case .success(let welcome) = state.welcome, state.ways[peer]?.isPingDue == true else { return nil }
            let id = state.nextID(welcome.epoch)
            state.ways[peer]?.begin(ping: id)
            return id
        }
        if let id { writer.post(Frame(.ping, peer: peer, id: id)) }
    }

    func pong(_ frame: Frame) {
        let peer = frame.header.peer
        let waiters = state.withLock { state in
            let waiters = state.ways[peer]?.answered(frame.header.id) ?? []
            if state.ways[peer]?.isIdle == true { state.ways[peer] = nil }
            return waiters
        }
        ping(peer)
        for waiter in waiters { waiter.resume() }
    }

    /// Something ended: whoever waits on this way looks whether it was its own.
    func wakeWay(to peer: PeerID) {
        for waiter in state.withLock({ $0.ways[peer]?.takeWaiters() ?? [] }) { waiter.resume() }
    }
}

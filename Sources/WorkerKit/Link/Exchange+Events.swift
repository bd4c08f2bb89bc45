import Wire

/// Events, captured values, and the drain.
extension Exchange {
    func announce(_ event: BusEvent) {
        let listeners = state.withLock { state in
            switch event {
            case .values(let values): state.values = values
            case .client(let peer, let uid, let name, let hasJoined):
                state.clients[peer] = hasJoined ? IncomingRequest.Client(name: name, uid: uid) : nil
            case .peers(let peers, let may):
                state.peers = peers
                state.may = may
            case .peer, .stopping, .recycle, .other: break
            }
            return Array(state.listeners.values)
        }
        if case .client(let peer, _, _, false) = event {
            // Nothing is sent to it any more; its number may come again.
            for waiter in state.withLock({ $0.ways.removeValue(forKey: peer)?.waiters ?? [] }) { waiter.resume() }
        }
        for listener in listeners { listener.yield(event) }
    }

    /// A listener that is slow loses the oldest events beyond 256.
    func listen() -> AsyncStream<BusEvent> {
        let (stream, continuation) = AsyncStream<BusEvent>.makeStream(bufferingPolicy: .bufferingNewest(256))
        let number = state.withLock { state -> Int? in
            guard !state.isClosed else { return nil }
            state.lastListener += 1
            state.listeners[state.lastListener] = continuation
            return state.lastListener
        }
        guard let number else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.listeners.removeValue(forKey: number) }
        }
        return stream
    }

    /// No new requests; then what the owner wants done; then what is being served ends by itself; then `drained`.
    /// There is no limit here: nexusd has one, and sends the stop signal after it.
    func drain() {
        let drainers = state.withLock { state -> [@Sendable () async -> Void]? in
            guard !state.isDraining else { return nil }
            state.isDraining = true
            return state.drainers
        }
        guard let drainers else { return }
        Task {
            for drainer in drainers { await drainer() }
            await idle()
            writer.post(Frame(.drained, peer: .nexusd, id: .none))
            ending.yield(.drained)
        }
    }

    private func idle() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.running > 0 { state.idle.append(continuation) }
                return state.running == 0
            }
            if isIdle { continuation.resume() }
        }
    }
}

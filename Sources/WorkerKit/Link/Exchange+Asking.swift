import Wire

/// Requests of this worker.
extension Exchange {
    /// Registers a request and sends it; answered through `entry`.
    func open(to peer: PeerID, _ payload: [UInt8], id: FrameID, _ entry: Asked, hasUpload: Bool = false) {
        let isClosed = state.withLock { state in
            if !state.isClosed {
                state.asked[id] = entry
                if hasUpload { state.uploads[id] = Flow() }
            }
            return state.isClosed
        }
        if isClosed {
            Exchange.finish(entry, .failure(BusError.closed))
        } else if !writer.post(Frame(.request, peer: peer, id: id, payload: payload)) {
            // Unless `close` was quicker, which has told it.
            take(id).map { Exchange.finish($0, .failure(BusError.closed)) }
        } else if Task.isCancelled {
            // The cancellation handler may have run before the entry was there.
            abandon(id, CancellationError())
        }
    }

    /// The next id of this incarnation; 0 is no id.
    func makeID(_ epoch: Epoch) -> FrameID {
        state.withLock { $0.nextID(epoch) }
    }

    /// Nobody here waits for this answer any more: tell the other side, and whoever still waits.
    func abandon(_ id: FrameID, _ reason: any Error) {
        guard let entry = take(id) else { return }
        writer.post(Frame(.cancel, peer: entry.peer, id: id))
        Exchange.finish(entry, .failure(reason))
    }

    /// reply, error, stream and end: answers to what we asked. What matches nothing was abandoned and is ignored.
    func settle(_ frame: Frame) {
        let id = frame.header.id
        switch frame.header.kind {
        case .stream: piece(frame)
        case .reply: take(id).map { Exchange.finish($0, .success(frame.payload)) }
        case .error: settle(error: frame)
        case .end:
            guard let entry = take(id) else { return endUpload(id) }
            if case .reply(_, _, let pieces) = entry {
                Exchange.finish(entry, .success(pieces))
            } else {
                Exchange.finish(entry, .success([]))
            }
        case _: break
        }
    }

    private func settle(error frame: Frame) {
        let error = BusError(payload: frame.payload)
        if let entry = take(frame.header.id) { return Exchange.finish(entry, .failure(error)) }
        // Not an answer: nexusd gave back something we sent (an answer to a requester with a full queue, an event).
        failServed(frame.header.id, error)
    }

    /// The request is over, and its upload with it.
    private func take(_ id: FrameID) -> Asked? {
        let (entry, flow) = state.withLock {
            ($0.asked.removeValue(forKey: id), $0.uploads.removeValue(forKey: id))
        }
        flow?.waiter?.resume(returning: .lookAgain)
        if flow != nil, let entry { wakeWay(to: entry.peer) }
        return entry
    }

    private enum Overrun { case none, credit, answer, upload }

    private func piece(_ frame: Frame) {
        let id = frame.header.id
        let overrun = state.withLock { state -> Overrun in
            switch state.asked[id] {
            // Not an answer: what comes with a request to us.
            case nil: return state.served[id]?.upload.put(frame.payload) == false ? .upload : .none
            case .stream(let buffer, _): return buffer.put(frame.payload) ? .none : .credit
            case .reply(let continuation, let peer, var pieces):
                guard pieces.count + frame.payload.count <= Exchange.answerLimit else { return .answer }
                // Taken out while it grows, so that the pieces are not copied each time.
                state.asked[id] = nil
                pieces.append(contentsOf: frame.payload)
                state.asked[id] = .reply(continuation, peer, pieces: pieces)
                // Pieces between workers cost credit like any stream; they are consumed at once.
                if peer != .nexusd { grant(StreamBuffer.cost(frame.payload), peer, id) }
                return .none
            }
        }
        switch overrun {
        case .none: break
        case .credit: abandon(id, BusError(.failed, "the stream went beyond its credit"))
        case .answer: abandon(id, BusError(.tooLarge, "the answer is longer than \(Exchange.answerLimit) bytes"))
        case .upload: cancelServed(id, telling: BusError(.failed, "the upload went beyond its credit"))
        }
    }

    /// Lets the other side send this many more bytes of a stream.
    func grant(_ bytes: Int, _ peer: PeerID, _ id: FrameID) {
        var payload = ByteWriter()
        payload.write(UInt32(bytes))
        writer.post(Frame(.credit, peer: peer, id: id, payload: payload.bytes))
    }
}

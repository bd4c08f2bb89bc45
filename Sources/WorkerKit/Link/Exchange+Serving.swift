import Wire

/// Requests to this worker.
extension Exchange {
    /// A request of someone else that is open.
    struct Served {
        let peer: PeerID
        var task: Task<Void, Never>?
        /// The answer, when it is a stream.
        var flow = Flow()
        /// What the requester sends behind its request.
        let upload = StreamBuffer()
    }

    /// One direction of a stream, on its sender's side.
    struct Flow {
        /// Bytes of `stream` frames that may still be sent.
        var credit = FrameHeader.streamWindow
        /// The sender's task, waiting for credit.
        var waiter: CheckedContinuation<Credit, Never>?
    }

    /// From now on requests go to `handler`; those that came before it first.
    func serve(_ handler: @escaping Handler) {
        let early = state.withLock { state in
            state.handler = handler
            defer { state.early = [] }
            return state.early
        }
        for request in early { begin(request, handler) }
    }

    func accept(_ frame: Frame) {
        let id = frame.header.id
        let decision = state.withLock { state -> Result<(IncomingRequest, Handler)?, BusError> in
            let request = IncomingRequest(
                id: id, peer: frame.header.peer, client: state.clients[frame.header.peer], payload: frame.payload)
            if state.isDraining { return .failure(BusError(.unavailable, "this worker is about to end")) }
            guard state.served.count < Exchange.servedLimit else {
                return .failure(BusError(.busy, "\(Exchange.servedLimit) requests are being served"))
            }
            state.served[id] = Served(peer: request.peer)
            if let handler = state.handler { return .success((request, handler)) }
            guard state.early.count < Exchange.earlyLimit else {
                state.served[id] = nil
                return .failure(BusError(.busy, "this worker does not serve yet"))
            }
            state.early.append(request)
            return .success(nil)
        }
        switch decision {
        case .success(let next): if let (request, handler) = next { begin(request, handler) }
        case .failure(let error):
            writer.post(Frame(.error, peer: frame.header.peer, id: id, payload: error.code.payload(error.message)))
        }
    }

    private func begin(_ request: IncomingRequest, _ handler: @escaping Handler) {
        let responder = Responder(request, self)
        let isOpen = state.withLock { state in
            guard state.served[request.id] != nil else { return false }
            state.running += 1
            return true
        }
        guard isOpen else { return }
        let task = Task {
            await handler(request, responder)
            responder.close()
            ended()
        }
        let wasCancelled = state.withLock { state in
            state.served[request.id]?.task = task
            return state.served[request.id] == nil
        }
        // Cancelled (or answered) between the two locks; for an answered one this is without effect.
        if wasCancelled { task.cancel() }
    }

    private func ended() {
        let idle = state.withLock { state in
            state.running -= 1
            guard state.running == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.idle = [] }
            return state.idle
        }
        for waiter in idle { waiter.resume() }
    }

    /// Nobody listens any more: the handler's task is cancelled and what it still says goes nowhere.
    /// - Parameter telling: the reason is this side's, and the requester hears it.
    func cancelServed(_ id: FrameID, telling reason: BusError? = nil) {
        guard let entry = state.withLock({ $0.served.removeValue(forKey: id) }) else { return }
        if let reason {
            writer.post(Frame(.error, peer: entry.peer, id: id, payload: reason.code.payload(reason.message)))
        }
        end(entry)
    }

    private func end(_ entry: Served) {
        entry.flow.waiter?.resume(returning: .lookAgain)
        entry.upload.end(.failure(CancellationError()))
        entry.task?.cancel()
        wakeWay(to: entry.peer)
    }

    /// That was all of what came with a request.
    func endUpload(_ id: FrameID) { state.withLock { $0.served[id]?.upload.end(.success(())) } }

    /// Where the rest of a request to us is read.
    func upload(of id: FrameID) -> StreamBuffer? { state.withLock { $0.served[id]?.upload } }

    func failServed(_ id: FrameID, _ error: BusError) {
        let entry = state.withLock { state in state.served.removeValue(forKey: id) }
        if let entry { end(entry) }
        if entry != nil { Log.warning("an answer did not arrive: \(error)") }
    }

    // MARK: - Answers

    /// Closes the request; true when it was open, so that exactly one frame finishes it.
    func finishServed(_ id: FrameID) -> Bool {
        state.withLock { $0.served.removeValue(forKey: id) } != nil
    }

    func isOpen(_ id: FrameID) -> Bool { state.withLock { $0.served[id] != nil } }

    /// Waits until the stream has credit for `cost` bytes, and takes it.
    func takeCredit(_ cost: Int, for id: FrameID) async throws {
        while true {
            let outcome = await withCheckedContinuation { continuation in
                let known = state.withLock { state -> Credit? in
                    let outcome = Exchange.take(cost, for: id, &state)
                    guard case .lookAgain = outcome else { return outcome }
                    state[flow: id]?.waiter = continuation
                    return nil
                }
                if let known { continuation.resume(returning: known) }
            }
            switch outcome {
            case .taken: return
            case .cancelled: throw CancellationError()
            case .closed: throw BusError.closed
            case .lookAgain: continue
            }
        }
    }

    /// What became of the wish to send a piece of a stream.
    enum Credit {
        case taken, cancelled, closed
        /// Something changed since it had to wait.
        case lookAgain
    }

    private static func take(_ cost: Int, for id: FrameID, _ state: inout State) -> Credit {
        guard let flow = state[flow: id] else { return state.isClosed ? .closed : .cancelled }
        guard flow.credit >= cost else { return .lookAgain }
        state[flow: id]?.credit -= cost
        return .taken
    }

    func credit(_ frame: Frame) {
        var reader = ByteReader(frame.payload)
        guard let bytes = try? reader.read(UInt32.self) else { return }
        let waiter = state.withLock { state -> CheckedContinuation<Credit, Never>? in
            guard var flow = state[flow: frame.header.id] else { return nil }
            flow.credit = min(flow.credit + Int(bytes), FrameHeader.streamWindow)
            defer { state[flow: frame.header.id] = flow }
            return flow.waiter.take()
        }
        waiter?.resume(returning: .lookAgain)
    }
}

extension Exchange.State {
    /// The stream that this worker sends under an id: an answer of its own, or an upload. Setting it to nil does nothing.
    subscript(flow id: FrameID) -> Exchange.Flow? {
        get { served[id]?.flow ?? uploads[id] }
        set {
            guard let newValue else { return }
            if served[id] == nil { uploads[id] = newValue } else { served[id]?.flow = newValue }
        }
    }

    /// Something may still be sent under this id.
    func isSending(_ id: FrameID) -> Bool { served[id] != nil || uploads[id] != nil }
}

import Wire

extension Bus {
    /// Asks another worker and waits for its one answer. A long answer that comes in pieces is put together (4 MiB).
    ///
    /// Throws `BusError` with the other side's or nexusd's code (`peer-restarted`, `unavailable`, `busy`, …; `timeout`
    /// after `timeout`), or `CancellationError` when this task is cancelled; the other side is told in both cases.
    public func request(_ peer: String, _ payload: [UInt8], timeout: Duration = .seconds(30)) async throws -> [UInt8] {
        try await request(number(of: peer), payload, timeout: timeout, label: peer)
    }

    /// Sends one frame of an upload; waits while the receiver is slow, throws when it does not want any more.
    public typealias UploadSink = @Sendable ([UInt8]) async throws -> Void

    /// Asks another worker for a stream. There is no time limit: cancel the task that reads it.
    /// - Parameter upload: sends what goes with the request, at most `FrameHeader.streamPayloadLimit` bytes a frame. When
    ///   it throws the request is cancelled, and its error is what the stream ends with.
    public func stream(
        _ peer: String, _ payload: [UInt8], upload: (@Sendable (UploadSink) async throws -> Void)? = nil
    ) async throws -> BusStream {
        try await stream(number(of: peer), payload, upload: upload)
    }

    /// Asks nexusd for a stream (`events`); one who reads too slowly loses it (`failed`) and asks again.
    public func follow(_ words: String) async throws -> BusStream {
        try await stream(.nexusd, Array(words.utf8), upload: nil)
    }

    private func stream(
        _ number: PeerID, _ payload: [UInt8], upload: (@Sendable (UploadSink) async throws -> Void)?
    ) async throws -> BusStream {
        try check(payload)
        await exchange.writer.room()
        let buffer = StreamBuffer()
        let id = exchange.makeID(welcome.epoch)
        let stream = BusStream(buffer, id: id, peer: number, exchange)
        exchange.open(to: number, payload, id: id, .stream(buffer, number), hasUpload: upload != nil)
        if let upload {
            Task { [exchange] in
                do {
                    try await upload { try await exchange.send($0, to: number, id: id) }
                    exchange.finishUpload(id, to: number)
                } catch {
                    exchange.abandon(id, error)
                }
            }
        }
        return stream
    }

    /// Asks nexusd, in the words of the control socket (`status`, `start cloudflared`); the answer is JSON.
    /// Supervisor.toml must grant it.
    public func ask(_ words: String, timeout: Duration = .seconds(30)) async throws -> [UInt8] {
        try await request(.nexusd, Array(words.utf8), timeout: timeout, label: "nexusd")
    }

    /// Says that a child is idle and may be recycled; Supervisor.toml must grant `restart:CHILD`.
    public func recycle(_ child: String) async throws { _ = try await ask("recycle \(child)") }

    /// Asks nexusd for a new run of this worker, which no grant is needed for and which is no failure: drain and stop
    /// follow. Asked for by run after run it is slowed down like a crash. What was answered before is on its way before them.
    public func restart() async throws { _ = try await ask("restart child:\(welcome.name) --no-wait") }

    /// Tells another worker something without wanting an answer. It may be lost: when the other is down or its queue
    /// is full.
    public func emit(_ payload: [UInt8], to peer: String) async throws {
        let number = try number(of: peer)
        try check(payload)
        await exchange.writer.room()
        exchange.writer.post(Frame(.event, peer: number, id: exchange.makeID(welcome.epoch), payload: payload))
    }

    /// Serves requests of workers and control clients from now on, each in a task of its own, which is cancelled when
    /// the requester does not listen any more. Requests that came before wait.
    public func serve(_ handler: @escaping @Sendable (IncomingRequest, Responder) async -> Void) {
        exchange.serve(handler)
    }

    private func request(
        _ peer: PeerID, _ payload: [UInt8], timeout: Duration, label: String
    ) async throws -> [UInt8] {
        try check(payload)
        await exchange.writer.room()
        let id = exchange.makeID(welcome.epoch)
        let timer = Task { [exchange] in
            try await Task.sleep(for: timeout)
            exchange.abandon(id, BusError(.timeout, "\(label) did not answer within \(timeout)"))
        }
        defer { timer.cancel() }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                exchange.open(to: peer, payload, id: id, .reply(continuation, peer, pieces: []))
            }
        } onCancel: {
            exchange.abandon(id, CancellationError())
        }
        return try result.get()
    }

    private func number(of peer: String) throws -> PeerID {
        if let number = self.peer(named: peer) { return number }
        throw BusError(
            .refused, "\(welcome.name) may not address \"\(peer)\": add it to `peers` of [child.\(welcome.name)]")
    }

    private func check(_ payload: [UInt8]) throws {
        guard payload.count <= FrameHeader.payloadLimit else {
            throw BusError(.tooLarge, "a request holds at most \(FrameHeader.payloadLimit) bytes")
        }
    }
}

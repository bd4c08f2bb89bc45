import Wire

/// `stream` frames of this worker: of an answer, or behind a request of its own.
extension Exchange {
    /// Sends one when there is credit and room on the way for it.
    func send(_ payload: [UInt8], to peer: PeerID, id: FrameID) async throws {
        guard payload.count <= FrameHeader.streamPayloadLimit else {
            throw BusError(.tooLarge, "a stream frame holds at most \(FrameHeader.streamPayloadLimit) bytes")
        }
        let frame = Frame(.stream, peer: peer, id: id, payload: payload)
        try await takeCredit(frame.byteCount, for: id)
        guard await enter(frame.byteCount, to: peer, for: id) else {
            throw state.withLock { $0.isClosed } ? BusError.closed : CancellationError()
        }
        defer { leave(frame.byteCount, to: peer) }
        await writer.room()
        guard writer.post(frame) else { throw BusError.closed }
    }

    /// Says that an upload is whole; the request stays open for its answer.
    func finishUpload(_ id: FrameID, to peer: PeerID) {
        let isOpen = state.withLock { $0.uploads.removeValue(forKey: id) != nil }
        if isOpen { writer.post(Frame(.end, peer: peer, id: id)) }
    }
}

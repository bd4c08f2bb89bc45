import SupervisorCore

/// A request that is not finished: who may answer it, who may stream how much.
struct OpenRequest: Sendable {
    let requester: PeerID
    let responder: PeerID
    /// The id the requester knows; differs from the bus's only for control clients.
    let requesterID: FrameID
    /// Bytes of `stream` frames that the responder, and the requester (an upload), may still send.
    var answerCredit = FrameHeader.streamWindow
    var uploadCredit = FrameHeader.streamWindow
    var isStreaming = false
    var hasUploadEnded = false
}

/// Requests for a worker that is not there; in order, so the first is the next to expire.
struct WaitingRequests: Sendable {
    struct Entry: Sendable {
        let frame: Frame
        let sender: PeerID
        let deadline: Instant
    }

    var entries = FIFO<Entry>()
    var byteCount = 0
}

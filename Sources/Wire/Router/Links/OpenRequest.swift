import SupervisorCore

/// A request that is not finished: who may answer it, who may stream how much.
struct OpenRequest: Sendable {
    let requester: PeerID
    let responder: PeerID
    /// The id the requester knows; differs from the bus's only for control clients.
    let requesterID: FrameID
    /// Given to the responder's queue, as opposed to waiting for a responder that is down.
    var isSent = false
    var isStreaming = false
    var hasUploadEnded = false
    private var answerCredit = FrameHeader.streamWindow
    private var uploadCredit = FrameHeader.streamWindow

    /// Which way a stream goes: from the responder, or from the requester.
    enum Direction: Sendable { case answer, upload }

    init(requester: PeerID, responder: PeerID, requesterID: FrameID) {
        self.requester = requester
        self.responder = responder
        self.requesterID = requesterID
    }

    /// Bytes of `stream` frames that may still be sent this way.
    subscript(credit direction: Direction) -> Int {
        get {
            switch direction {
            case .answer: answerCredit
            case .upload: uploadCredit
            }
        }
        set {
            switch direction {
            case .answer: answerCredit = newValue
            case .upload: uploadCredit = newValue
            }
        }
    }

    func sender(_ direction: Direction) -> PeerID { direction == .answer ? responder : requester }

    func receiver(_ direction: Direction) -> PeerID { direction == .answer ? requester : responder }
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

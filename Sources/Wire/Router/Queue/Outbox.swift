/// What waits to be written to one link, in two queues, with its bounds.
///
/// Frames of other links are refused when the sender has its share or all of them together fill the queue. nexusd's own
/// small frames (errors, credits' end, events) are always taken in: each answers something, and a link that leaves
/// more than `ownLimit` of them unread is not reading at all and is ended.
struct Outbox: Sendable {
    /// Who pays for a queued frame.
    enum Account: Sendable {
        case sender(PeerID)
        /// nexusd's own small frames.
        case own
        /// nexusd's answers to requests.
        case answer
    }

    private struct Queued: Sendable {
        var frame: Frame
        var account: Account
    }

    static let limit = 256 * 1024
    /// The largest frame fits into a sender's empty share.
    static let shareLimit = FrameHeader.payloadLimit + FrameHeader.byteCount
    static let ownLimit = 256 * 1024

    private var urgent = FIFO<Queued>()
    private var data = FIFO<Queued>()
    /// The frame whose first bytes are on the pipe: nothing overtakes it.
    private var current: Queued?
    private var currentOffset = 0
    private var shares: [PeerID: Int] = [:]
    private var routedBytes = 0
    private(set) var ownBytes = 0
    private(set) var answerBytes = 0

    var isEmpty: Bool { current == nil && urgent.isEmpty && data.isEmpty }

    /// Bytes by the accounts.
    var countedBytes: Int { routedBytes + ownBytes + answerBytes }

    /// Bytes by looking at every frame; a pass over all, for tests.
    var queuedBytes: Int {
        var sum = current?.frame.byteCount ?? 0
        for queue in [urgent, data] {
            queue.scan {
                sum += $0.frame.byteCount
                return true
            }
        }
        return sum
    }

    /// Queues a frame that came from `sender`, or refuses it.
    mutating func offer(_ frame: Frame, from sender: PeerID) -> Bool {
        let size = frame.byteCount
        let share = shares[sender, default: 0] + size
        guard share <= Outbox.shareLimit, routedBytes + size <= Outbox.limit else { return false }
        shares[sender] = share
        routedBytes += size
        put(Queued(frame: frame, account: .sender(sender)))
        return true
    }

    /// Queues a frame of nexusd itself.
    mutating func put(own frame: Frame) {
        ownBytes += frame.byteCount
        put(Queued(frame: frame, account: .own))
    }

    /// Queues an answer of nexusd, or a part of one.
    mutating func put(answer frame: Frame) {
        answerBytes += frame.byteCount
        put(Queued(frame: frame, account: .answer))
    }

    /// Takes back requests that nobody waits for any more and of which no byte was written yet.
    mutating func withdraw(where matches: (FrameHeader) -> Bool) -> [FrameID] {
        let removed = data.remove { $0.frame.header.kind == .request && matches($0.frame.header) }
        for queued in removed { release(queued) }
        return removed.map(\.frame.header.id)
    }

    /// Copies what is to be written next to the end of `bytes`, whole frames (but for the one begun) up to `limit`. The
    /// order is that of `written`: an urgent frame that does not fit any more lets no smaller one of the data before it.
    func stage(into bytes: inout [UInt8], limit: Int) {
        if let current { current.frame.append(to: &bytes, from: currentOffset) }
        func add(_ queued: Queued) -> Bool {
            if !bytes.isEmpty, bytes.count + queued.frame.byteCount > limit { return false }
            queued.frame.append(to: &bytes)
            return true
        }
        if urgent.scan(add) { data.scan(add) }
    }

    /// The first `count` staged bytes were written; how many frames are complete with them.
    @discardableResult
    mutating func written(_ count: Int) -> Int {
        var left = count
        var frames = 0
        while left > 0, let queued = current ?? urgent.popFirst() ?? data.popFirst() {
            let size = queued.frame.byteCount - currentOffset
            guard left >= size else {
                current = queued
                currentOffset += left
                return frames
            }
            left -= size
            frames += 1
            current = nil
            currentOffset = 0
            release(queued)
        }
        return frames
    }

    private mutating func put(_ queued: Queued) {
        if queued.frame.header.kind.overtakesData { urgent.append(queued) } else { data.append(queued) }
    }

    private mutating func release(_ queued: Queued) {
        let size = queued.frame.byteCount
        switch queued.account {
        case .own: ownBytes -= size
        case .answer: answerBytes -= size
        case .sender(let sender):
            routedBytes -= size
            let share = shares[sender, default: size] - size
            shares[sender] = share > 0 ? share : nil
        }
    }
}

extension FrameKind {
    /// Kinds that are written before data that was queued earlier. `welcome` is the first frame of a link in any case.
    var overtakesData: Bool {
        switch self {
        case .welcome, .error, .cancel, .credit, .ping, .pong, .drain: true
        case .hello, .request, .reply, .event, .stream, .end, .drained, .ready, .status, .health: false
        }
    }
}

extension Frame {
    /// Appends header and payload without the first `offset` bytes.
    func append(to bytes: inout [UInt8], from offset: Int) {
        if offset < FrameHeader.byteCount {
            var head: [UInt8] = []
            header.append(to: &head)
            bytes.append(contentsOf: head[offset...])
            bytes.append(contentsOf: payload)
        } else {
            bytes.append(contentsOf: payload[(offset - FrameHeader.byteCount)...])
        }
    }
}

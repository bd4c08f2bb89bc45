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

    struct Queued: Sendable {
        var frame: Frame
        var account: Account

        var isPing: Bool { frame.header.kind == .ping }
        var ping: (PeerID, Frame)? {
            switch account {
            case .sender(let sender): isPing ? (sender, frame) : nil
            case .own, .answer: nil
            }
        }
    }

    static let limit = 256 * 1024
    /// The largest frame fits into a sender's empty share.
    static let shareLimit = FrameHeader.payloadLimit + FrameHeader.byteCount
    static let ownLimit = 256 * 1024
    /// Pings still find room when data has filled the share.
    static let pingRoom = 1024

    var urgent = FIFO<Queued>()
    var data = FIFO<Queued>()
    /// The frame whose first bytes are on the pipe: nothing overtakes it.
    var current: Queued?
    var currentOffset = 0
    var shares: [PeerID: Int] = [:]
    var routedBytes = 0
    var ownBytes = 0
    var answerBytes = 0
    /// Pings to this link whose turn has come: everything that their sender had queued before them is written.
    var passed: [(PeerID, Frame)] = []

    var isEmpty: Bool { current == nil && urgent.isEmpty && data.isEmpty }

    /// Bytes by the accounts.
    var countedBytes: Int { routedBytes + ownBytes + answerBytes }

    /// Bytes by looking at every frame; a pass over all, for tests.
    var queuedBytes: Int {
        var sum = current?.frame.byteCount ?? 0
        for queue in [urgent, data] {
            queue.scan {
                if !$0.isPing { sum += $0.frame.byteCount }
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

    /// Takes in a ping that another link sent to this one. It is never written: when everything of its sender before it
    /// is, `takePassed` has it; at once when nothing of its sender is queued. False when too many wait already.
    mutating func offer(ping: Frame, from sender: PeerID) -> Bool {
        guard let share = shares[sender] else {
            passed.append((sender, ping))
            return true
        }
        guard share + ping.byteCount <= Outbox.shareLimit + Outbox.pingRoom else { return false }
        shares[sender] = share + ping.byteCount
        data.append(Queued(frame: ping, account: .sender(sender)))
        return true
    }

    /// The pings whose turn has come since the last call, with their senders.
    mutating func takePassed() -> [(PeerID, Frame)] {
        defer { passed = [] }
        return passed
    }

    /// The same when the link is gone: nothing of what was queued can still be in somebody's way.
    mutating func takePings() -> [(PeerID, Frame)] { takePassed() + data.remove(where: \.isPing).compactMap(\.ping) }

    /// Queues a frame of nexusd itself.
    mutating func put(own frame: Frame) {
        ownBytes += frame.byteCount
        put(Queued(frame: frame, account: .own))
    }

    /// The same behind the data that is queued: the end of an answer does not overtake its beginning.
    mutating func put(end frame: Frame) {
        ownBytes += frame.byteCount
        data.append(Queued(frame: frame, account: .own))
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
        passPings()
        return removed.map(\.frame.header.id)
    }

    /// Copies what is to be written next to the end of `bytes`, whole frames (but for the one begun) up to `limit`. The
    /// order is that of `written`: an urgent frame that does not fit any more lets no smaller one of the data before it.
    func stage(into bytes: inout [UInt8], limit: Int) {
        if let current { current.frame.append(to: &bytes, from: currentOffset) }
        func add(_ queued: Queued) -> Bool {
            if queued.isPing { return true }
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
            if queued.isPing {
                pass(queued)
                continue
            }
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
        passPings()
        return frames
    }

    /// Takes out the pings that have nothing before them any more.
    private mutating func passPings() {
        while current == nil, urgent.isEmpty, let first = data.first, first.isPing {
            data.popFirst()
            pass(first)
        }
    }

    private mutating func pass(_ queued: Queued) {
        release(queued)
        if let ping = queued.ping { passed.append(ping) }
    }

    private mutating func put(_ queued: Queued) {
        let header = queued.frame.header
        let isInOrder = !header.kind.overtakesData || header.kind == .error && hasData(of: header.id)
        if isInOrder { data.append(queued) } else { urgent.append(queued) }
    }

    /// An error that ends a stream comes behind what was sent of it.
    private func hasData(of id: FrameID) -> Bool {
        guard id != .none else { return false }
        var found = false
        data.scan {
            found = $0.frame.header.id == id
            return !found
        }
        return found
    }

    private mutating func release(_ queued: Queued) {
        let size = queued.frame.byteCount
        switch queued.account {
        case .own: ownBytes -= size
        case .answer: answerBytes -= size
        case .sender(let sender):
            if !queued.isPing { routedBytes -= size }
            let share = shares[sender, default: size] - size
            shares[sender] = share > 0 ? share : nil
        }
    }
}

extension FrameKind {
    /// Kinds that are written before data that was queued earlier, an error not before that of its own request. `welcome` is the first frame of a link in any case.
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

public import SupervisorCore

/// The bus as bytes, at a frame boundary, with what half came and what half went on each link: for a nexusd that goes on as
/// another program, whose workers keep their pipes.
///
/// Control clients are to have left, and nexusd to have finished what it was asked and taken back what it asked itself
/// (`leaveOnlyWorkers`): those who had that in hand are not there any more.
extension Router {
    /// Raised by any change of what is written.
    public static let encodingVersion: UInt16 = 1

    /// Finishes what is nexusd's own part: who asked it something is told so, and nexusd wants no answer any more.
    public mutating func leaveOnlyWorkers(_ words: String, at now: Instant) {
        for peer in Array(links.keys) where peer.isClient { linkDown(peer, at: now) }
        for (id, request) in open where request.requester == .nexusd || request.responder == .nexusd {
            if request.requester == .nexusd { withdraw(id) } else { fail(id, .peerRestarted, words) }
        }
    }

    /// All of it.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.write(lastEpoch)
        writer.write(lastQuestion)
        writer.write(lastClient)
        writer.write(dropped)
        writer.write(links.keys.filter { !$0.isClient }.sorted { $0.rawValue < $1.rawValue }) { writer, peer in
            writer.write(peer.rawValue)
            links[peer]?.write(to: &writer)
        }
        writer.write(open.filter { $0.value.isBetweenWorkers }.sorted { $0.key.rawValue < $1.key.rawValue }) {
            writer, entry in
            writer.write(entry.key.rawValue)
            entry.value.write(to: &writer)
        }
        writer.write(waiting.sorted { $0.key.rawValue < $1.key.rawValue }) { writer, entry in
            writer.write(entry.key.rawValue)
            writer.write(entry.value.entries.all) { $1.write(to: &$0) }
        }
        writer.write(values.sorted { $0.key.rawValue < $1.key.rawValue }) { writer, entry in
            writer.write(entry.key.rawValue)
            writer.write(entry.value.sorted { $0.key < $1.key }) { writer, value in
                writer.write(value.key)
                writer.write(value.value)
            }
        }
        writer.write(ended.sorted { $0.key.rawValue < $1.key.rawValue }) { writer, entry in
            writer.write(entry.key.rawValue)
            entry.value.write(to: &writer)
        }
        return writer.bytes
    }

    /// The inverse, among these workers. Total: any bytes give a router whose tables fit each other, or an error.
    public init(workers: [Worker], encoded bytes: [UInt8]) throws(ByteError) {
        self.init(workers: workers)
        var reader = ByteReader(bytes)
        lastEpoch = try reader.read()
        lastQuestion = try reader.read()
        lastClient = max(try reader.read(), PeerID.firstClient.rawValue - 1)
        dropped = try reader.read()
        for (peer, link) in try reader.readList({ reader throws(ByteError) in
            (try reader.readPeer(), try Link(from: &reader))
        }) where !peer.isClient && peer != .nexusd {
            links[peer] = link
            links[peer]?.role = .worker(peers: self.workers[peer]?.peers ?? [])
        }
        for (id, request) in try reader.readList({ reader throws(ByteError) in
            (FrameID(rawValue: try reader.read()), try OpenRequest(from: &reader))
        }) { recall(id, request) }
        for (peer, entries) in try reader.readList({ reader throws(ByteError) in
            (
                try reader.readPeer(),
                try reader.readList { reader throws(ByteError) in try WaitingRequests.Entry(from: &reader) }
            )
        }) { recall(entries, for: peer) }
        for (peer, known) in try reader.readList({ reader throws(ByteError) in
            (
                try reader.readPeer(),
                try reader.readList { reader throws(ByteError) in (try reader.readString(), try reader.readString()) }
            )
        }) { values[peer] = Dictionary(known) { first, _ in first } }
        for (peer, counts) in try reader.readList({ reader throws(ByteError) in
            (try reader.readPeer(), try BusCounts(from: &reader))
        }) { ended[peer] = counts }
        try reader.finish()
        forgetLostWaits()
        for (peer, link) in links where !link.outbox.isEmpty || link.lostEvents > 0 { announce(peer) }
    }

    /// Only between links that are there; the counts of both follow from it.
    private mutating func recall(_ id: FrameID, _ request: OpenRequest) {
        guard request.isBetweenWorkers, links[request.requester] != nil,
            !request.isSent || links[request.responder] != nil
        else { return }
        open[id] = request
        _ = mutate(request.requester) { link in
            link.asking += 1
            if request.isStreaming { link.streams += 1 }
        }
        _ = mutate(request.responder) { link in
            if request.isSent { link.serving += 1 }
            if request.isStreaming { link.streams += 1 }
        }
    }

    private mutating func recall(_ entries: [WaitingRequests.Entry], for peer: PeerID) {
        var queue = WaitingRequests()
        for entry in entries where open[entry.frame.header.id].map({ !$0.isSent }) == true {
            queue.entries.append(entry)
            queue.byteCount += entry.frame.byteCount
        }
        if !queue.entries.isEmpty { waiting[peer] = queue }
    }

    /// A request that is not with its responder has to wait for it somewhere.
    private mutating func forgetLostWaits() {
        var found: Set<FrameID> = []
        for queue in waiting.values { for entry in queue.entries.all { found.insert(entry.frame.header.id) } }
        for (id, request) in open where !request.isSent && !found.contains(id) { finish(id) }
    }
}

extension OpenRequest {
    fileprivate var isBetweenWorkers: Bool {
        [requester, responder].allSatisfy { !$0.isClient && $0 != .nexusd }
    }
}

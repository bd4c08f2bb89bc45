public import SupervisorCore

/// All decisions of the bus: who may address whom, what is queued where, which request waits for whose answer. No I/O:
/// the shell reads and writes descriptors, hands over bytes and time, and carries out `takeDecisions`.
///
///     router.received(bytes, from: peer, at: now)      // what read(2) brought, at most 64 KiB a turn
///     for decision in router.takeDecisions() { … }
///     for peer in router.takeWritable() { router.flush(peer, at: now) { write($0) } }
///
/// Frames are routed by their header; payloads of other peers are never looked at. Permission goes by the link on which
/// a frame came. Every request is finished exactly once, towards a requester that is still there, by one `reply`,
/// `error` or `end` (or by its own `cancel`), whatever happens to the responder.
public struct Router: Sendable {
    /// A worker of the plan, up or not.
    public struct Worker: Hashable, Sendable {
        /// Its number.
        public var peer: PeerID
        /// Its name in Supervisor.toml.
        public var name: String
        /// Whom it may address.
        public var peers: Set<PeerID>
        /// What it may ask of nexusd, in the words of Supervisor.toml. It is told so; nexusd judges by itself.
        public var may: [String]

        /// All of it.
        public init(peer: PeerID, name: String, peers: Set<PeerID>, may: [String] = []) {
            self.peer = peer
            self.name = name
            self.peers = peers
            self.may = may
        }
    }

    /// Open requests of one link, in either direction.
    public static let requestLimit = 1024
    /// Of these, how many may be streams.
    public static let streamLimit = 64
    /// How long and how much may wait for one worker that is down.
    public static let waitLimit: Duration = .seconds(5)
    /// Bytes, with headers, that may wait for one worker that is down.
    public static let waitBytesLimit = 65_536
    /// How long a link may take nothing while frames for it are refused.
    public static let stallLimit: Duration = .seconds(10)
    /// Bytes of an answer of nexusd that is handed over whole.
    public static let answerLimit = 4 * 1024 * 1024
    /// Bytes of a status line.
    public static let statusLimit = 256
    /// Control clients at the same time.
    public static let clientLimit = 256
    /// Bytes of the writing buffer that are kept between writes.
    static let keptScratch = 8192
    /// Bytes given to one write.
    public static let writeLimit = 65_536

    var workers: [PeerID: Worker]
    var links: [PeerID: Link] = [:]
    var open: [FrameID: OpenRequest] = [:]
    var waiting: [PeerID: WaitingRequests] = [:]
    var values: [PeerID: [String: String]] = [:]
    var decisions: [BusDecision] = []
    var writable: [PeerID] = []
    /// Links that left too much of nexusd's own words unread; ended at the next `tick`.
    var overdue: Set<PeerID> = []
    /// Counts of the workers' links that are over.
    var ended: [PeerID: BusCounts] = [:]
    private var scratch: [UInt8] = []
    var lastEpoch: UInt32 = 0
    var lastQuestion: UInt32 = 0
    var lastClient = PeerID.firstClient.rawValue - 1

    /// Frames that matched no open request and were dropped.
    public internal(set) var dropped: UInt64 = 0

    /// A bus with these workers, all of them down.
    public init(workers: [Worker]) {
        self.workers = Dictionary(workers.map { ($0.peer, $0) }) { first, _ in first }
    }

    // MARK: - Links

    /// A run of this worker has begun, with fresh pipes. An older link of it is ended first.
    public mutating func workerUp(_ peer: PeerID, at now: Instant) {
        linkDown(peer, at: now)
        guard let worker = workers[peer] else { return }
        links[peer] = Link(.worker(peers: worker.peers), name: worker.name, epoch: nextEpoch())
    }

    /// A control client has connected; nil when there are too many. Its uid is the kernel's word.
    public mutating func clientUp(uid: UInt32, mayAddressWorkers: Bool) -> PeerID? {
        guard links.values.count(where: { !$0.isWorker }) < Router.clientLimit else { return nil }
        // A number comes again only after 32,767 others.
        repeat {
            lastClient = lastClient == .max ? PeerID.firstClient.rawValue : lastClient + 1
        } while links[PeerID(rawValue: lastClient)] != nil
        let peer = PeerID(rawValue: lastClient)
        let client = Link.Client(uid: uid, mayAddressWorkers: mayAddressWorkers)
        links[peer] = Link(.client(client), name: "-", epoch: nextEpoch())
        return peer
    }

    /// Requests that are not finished.
    public var openCount: Int { open.count }

    /// True while the beginning of a frame waits for its rest: the shell gives that a time limit.
    public func isMidFrame(_ peer: PeerID) -> Bool { links[peer].map { !$0.decoder.isAtBoundary } ?? false }

    /// True while the router knows this link.
    public func hasLink(_ peer: PeerID) -> Bool { links[peer] != nil }

    /// What a control client calls itself, or a worker's name.
    public func name(of peer: PeerID) -> String? { links[peer]?.name ?? workers[peer]?.name }

    private mutating func nextEpoch() -> Epoch {
        lastEpoch = lastEpoch == .max ? 1 : lastEpoch + 1
        return Epoch(rawValue: lastEpoch)
    }

    // MARK: - For the shell's turn

    /// What is left to the shell since the last call.
    public mutating func takeDecisions() -> [BusDecision] {
        defer { decisions = [] }
        return decisions
    }

    /// Something is left to the shell: a link that fails while it is written to leaves some after the shell has asked.
    public var hasDecisions: Bool { !decisions.isEmpty }

    /// Links that got something to write since they were last named here; each is to be flushed.
    public mutating func takeWritable() -> [PeerID] {
        defer { writable = [] }
        for peer in writable { links[peer]?.isAnnounced = false }
        return writable
    }

    /// Hands what is queued for a link to `write`, up to 64 KiB at once; it returns how many bytes were taken, 0 when
    /// the pipe is full. Returns true when something is left: then call again when the descriptor is writable.
    public mutating func flush(
        _ peer: PeerID, at now: Instant, _ write: (UnsafeRawBufferPointer) -> Int
    ) -> Bool {
        tellLostEvents(peer)
        guard let index = links.index(forKey: peer), !links.values[index].outbox.isEmpty else { return false }
        scratch.removeAll(keepingCapacity: true)
        links.values[index].outbox.stage(into: &scratch, limit: Router.writeLimit)
        let count = scratch.withUnsafeBytes(write)
        // Memory of a long answer is not kept for short ones.
        if scratch.capacity > Router.keptScratch { scratch = [] }
        guard count > 0 else { return true }
        defer { answerPings(to: peer) }
        return mutate(peer) { link in
            link.fullSince = nil
            link.counts.framesOut += UInt64(link.outbox.written(count))
            link.counts.bytesOut += UInt64(count)
            return !link.outbox.isEmpty || link.lostEvents > 0
        } ?? false
    }

    /// Bytes of nexusd's own answers that wait to be written to a peer: a long answer is made piece by piece.
    public func answerBytes(for peer: PeerID) -> Int { links[peer]?.outbox.answerBytes ?? 0 }

    // MARK: - Changing a link in place

    mutating func mutate<Value>(_ peer: PeerID, _ body: (inout Link) -> Value) -> Value? {
        guard let index = links.index(forKey: peer) else { return nil }
        return body(&links.values[index])
    }

    /// Something was queued.
    mutating func announce(_ peer: PeerID) {
        let isNew = mutate(peer) { link in
            defer { link.isAnnounced = true }
            return !link.isAnnounced
        }
        if isNew == true { writable.append(peer) }
    }
}

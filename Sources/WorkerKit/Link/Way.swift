import Wire

/// What is on the way to one peer: positions in the bytes that were ever sent to it, all streams and answers together.
///
/// nexusd queues at most 64 KiB of one sender for one receiver and cuts what is beyond. It answers a ping to a peer when
/// everything before it has left that queue, so a pong moves `arrived`, whoever of the receivers sleeps.
struct Way {
    /// Bytes on the way at most, unless a single frame is larger: three quarters of a share, so that the small frames
    /// that wait for nobody (credit, requests, events) find room too.
    static let limit = 48 * 1024
    /// A ping costs 16 bytes: one for each quarter.
    static let pingStep = limit / 4

    /// Promised to a frame, put behind the frames before it, known to have left nexusd's queue.
    private var taken = 0
    private var posted = 0
    private var arrived = 0
    /// The ping that is open, and what was posted before it.
    private var ping: (id: FrameID, posted: Int)?
    private(set) var waiters: [CheckedContinuation<Void, Never>] = []

    /// Nothing is on the way: the table can forget it.
    var isIdle: Bool { taken == arrived && ping == nil && waiters.isEmpty }

    func hasRoom(_ cost: Int) -> Bool { taken == arrived || taken - arrived + cost <= Way.limit }

    /// Takes room for a frame; false when it has to wait.
    mutating func take(_ cost: Int) -> Bool {
        guard hasRoom(cost) else { return false }
        taken += cost
        return true
    }

    /// A frame for which room was taken is with the writer.
    mutating func post(_ cost: Int) { posted += cost }

    mutating func wait(_ continuation: CheckedContinuation<Void, Never>) { waiters.append(continuation) }

    /// Enough is posted, or somebody waits, and no ping is open.
    var isPingDue: Bool { ping == nil && posted > arrived && (posted - arrived >= Way.pingStep || !waiters.isEmpty) }

    mutating func begin(ping id: FrameID) { ping = (id, posted) }

    /// The ping is answered; who waited looks again.
    mutating func answered(_ id: FrameID) -> [CheckedContinuation<Void, Never>] {
        guard let ping, ping.id == id else { return [] }
        arrived = ping.posted
        self.ping = nil
        return takeWaiters()
    }

    mutating func takeWaiters() -> [CheckedContinuation<Void, Never>] {
        defer { waiters = [] }
        return waiters
    }
}

/// The epoll set of a loop. What is registered is named by the caller's token; a token carries a generation, so that an
/// event that was already in the batch when its descriptor was closed is recognised as stale.
public struct Poller: ~Copyable {
    private let kernel: any Kernel
    private let epoll: OwnedFD
    /// The events of the last wait.
    public let batch: PollBatch

    /// An empty set; `capacity` bounds the events of one turn.
    public init(_ kernel: any Kernel, capacity: Int = 64) throws(Errno) {
        self.kernel = kernel
        epoll = try kernel.makeEpoll()
        batch = PollBatch(capacity: capacity)
    }

    /// Watches a descriptor. Errors and hang-ups are always reported.
    public func add(_ fd: borrowing OwnedFD, token: UInt64, for events: PollEvents = .readable) throws(Errno) {
        try kernel.watch(fd, by: epoll, for: events, token: token, change: false)
    }

    /// Watches it for something else; re-arms an edge.
    public func modify(_ fd: borrowing OwnedFD, token: UInt64, for events: PollEvents) throws(Errno) {
        try kernel.watch(fd, by: epoll, for: events, token: token, change: true)
    }

    /// Leaves the set; to be called before the descriptor is closed or handed on. A descriptor that is not in the set
    /// is no error: leaving must always be possible.
    public func remove(_ fd: borrowing OwnedFD) {
        do { try kernel.unwatch(fd, by: epoll) } catch {}
    }

    /// Waits until something is ready, at most this long (rounded up to milliseconds); nil: without end. The events are
    /// in `batch`; an interrupted wait brings none.
    public func wait(atMost limit: Duration? = nil) throws(Errno) {
        var milliseconds: Int32?
        if let limit {
            let rounded = (max(0, limit.nanoseconds) + 999_999) / 1_000_000
            milliseconds = Int32(clamping: rounded)
        }
        try kernel.wait(epoll, into: batch, milliseconds: milliseconds)
    }
}

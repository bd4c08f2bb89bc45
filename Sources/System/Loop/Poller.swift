/// The epoll set of a loop. What is registered is named by the caller's token; a token carries a generation, so that an
/// event that was already in the batch when its descriptor was closed is recognised as stale.
public struct Poller: ~Copyable {
    private let kernel: any Kernel
    private let epoll: OwnedFD
    /// The events of the last wait.
    public let batch: PollBatch
    private let postponed = Postponed()

    /// Before what the kernel had no room for is tried again.
    public static let pause: Duration = .milliseconds(100)

    /// Descriptors that are to be watched and that the kernel had no room for (ENOMEM, ENOSPC of epoll_ctl(2)), by number.
    private final class Postponed {
        var list: [Int32: (token: UInt64, events: PollEvents)] = [:]
    }

    /// An empty set; `capacity` bounds the events of one turn.
    public init(_ kernel: any Kernel, capacity: Int = 64) throws(Errno) {
        self.kernel = kernel
        epoll = try kernel.makeEpoll()
        batch = PollBatch(capacity: capacity)
    }

    /// Watches a descriptor, or throws: for those without which nothing can begin.
    public func addAtOnce(_ fd: borrowing OwnedFD, token: UInt64) throws(Errno) {
        try kernel.watch(fd, by: epoll, for: .readable, token: token, change: false)
    }

    /// Watches a descriptor. Errors and hang-ups are always reported. Where the kernel has no room for one more, it is watched
    /// as soon as there is: nobody is never heard because memory was short for a moment.
    public func add(_ fd: borrowing OwnedFD, token: UInt64, for events: PollEvents = .readable) throws(Errno) {
        do {
            try kernel.watch(fd, by: epoll, for: events, token: token, change: false)
        } catch  where error == .noMemory || error == .noSpace {
            postponed.list[fd.raw] = (token, events)
        }
    }

    /// Watches it for something else; re-arms an edge.
    public func modify(_ fd: borrowing OwnedFD, token: UInt64, for events: PollEvents) throws(Errno) {
        if postponed.list[fd.raw] != nil {
            postponed.list[fd.raw] = (token, events)
        } else {
            try kernel.watch(fd, by: epoll, for: events, token: token, change: true)
        }
    }

    /// Leaves the set; to be called before the descriptor is closed or handed on. A descriptor that is not in the set
    /// is no error: leaving must always be possible.
    public func remove(_ fd: borrowing OwnedFD) {
        if postponed.list.removeValue(forKey: fd.raw) != nil { return }
        do { try kernel.unwatch(fd, by: epoll) } catch {}
    }

    /// Waits until something is ready, at most this long (rounded up to milliseconds); nil: without end. The events are
    /// in `batch`; an interrupted wait brings none.
    public func wait(atMost limit: Duration? = nil) throws(Errno) {
        var limit = limit
        if !postponed.list.isEmpty, !watchPostponed() { limit = min(limit ?? Self.pause, Self.pause) }
        var milliseconds: Int32?
        if let limit {
            let rounded = (max(0, limit.nanoseconds) + 999_999) / 1_000_000
            milliseconds = Int32(clamping: rounded)
        }
        try kernel.wait(epoll, into: batch, milliseconds: milliseconds)
    }

    /// True when none is left.
    private func watchPostponed() -> Bool {
        for (raw, wanted) in postponed.list {
            let fd = OwnedFD(owning: raw)
            do {
                try kernel.watch(fd, by: epoll, for: wanted.events, token: wanted.token, change: false)
                postponed.list[raw] = nil
            } catch {
                if error != .noMemory, error != .noSpace { postponed.list[raw] = nil }
            }
            _ = fd.release()
        }
        return postponed.list.isEmpty
    }
}

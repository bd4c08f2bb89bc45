import System

/// Whether anything new was written into the children's pipes, without a wake-up for each line: an epoll set of their
/// reading ends, by edges, which is itself watched only while nobody knows of anything new.
final class PipeWatch {
    private let kernel: any Kernel
    /// Readable when something new is in one of the pipes.
    let set: OwnedFD
    private let edges = PollBatch(capacity: 64)
    /// Looks of one `takeNews`: a writer may be faster than they are.
    private static let lookLimit = 64

    init(_ kernel: any Kernel) throws(Errno) {
        self.kernel = kernel
        set = try kernel.makeEpoll()
    }

    /// From now on; without it the pipe is simply not heard of.
    func add(_ pipe: borrowing OwnedFD) {
        try? kernel.watch(pipe, by: set, for: [.readable, .edgeTriggered], token: 0, change: false)
    }

    /// Before our end is closed: log-writer's duplicate would keep it in the set.
    func remove(_ pipe: borrowing OwnedFD) { try? kernel.unwatch(pipe, by: set) }

    /// Whether anything came since the last time.
    func takeNews() -> Bool {
        var hasNews = false
        for _ in 0..<Self.lookLimit {
            guard (try? kernel.wait(set, into: edges, milliseconds: 0)) != nil, edges.count > 0 else { break }
            hasNews = true
            if edges.count < edges.capacity { break }
        }
        return hasNews
    }
}

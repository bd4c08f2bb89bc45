import System

/// One reading of several children's logs, merged by time: first what is there, then, as often as it is asked, what has come
/// since. Following is asking again: a look costs a few syscalls a child, works on every file system, and inotify(7) would
/// have to be told of every rotation and every new child anyway.
public final class LogSession {
    /// How often a follower should ask.
    public static let followPause: Duration = .milliseconds(100)

    private let kernel: any Kernel
    private let reader: LogReader
    private let directory: String
    private let children: [String]?
    private let query: LogQuery
    private var cursors: [(child: String, cursor: ChildCursor)] = []
    private var hasBacklog = true

    init(
        _ kernel: any Kernel, _ reader: LogReader, _ directory: String, children: [String]?, first: [String],
        _ query: LogQuery
    ) {
        self.kernel = kernel
        self.reader = reader
        self.directory = directory
        self.children = children
        self.query = query
        cursors = first.map { child in
            let place = TailSearch(kernel, directory: path(child), child: child).start(of: query)
            return (child, ChildCursor(kernel, directory: path(child), child: child, from: place))
        }
    }

    /// Hands out every wanted entry that was not handed out yet. The first time that is the past, with `last` of it; from
    /// then on what has come. `body` returns false to stop; what it was not shown then comes with the next call.
    public func read(_ body: (LogEntry) throws -> Bool) rethrows {
        findNewChildren()
        if hasBacklog, let last = query.last {
            hasBacklog = false
            // A ring of the last ones: the past may be long, and is not held.
            var ring: [LogEntry] = []
            var next = 0
            while let entry = nextEntry() {
                if ring.count < last {
                    ring.append(entry)
                } else if last > 0 {
                    ring[next] = entry
                    next = (next + 1) % last
                }
            }
            for entry in ring[next...] + ring[..<next] where try !body(entry) { return }
            return
        }
        hasBacklog = false
        while let entry = nextEntry() {
            if try !body(entry) { return }
        }
    }

    /// Lines whose end never came, at the very end of a reading that does not follow.
    public func unfinished() -> [LogEntry] {
        cursors.flatMap { $0.cursor.unfinished() }.filter(query.wants).sorted { $0.stamp < $1.stamp }
    }

    /// The earliest of the children's next entries.
    private func nextEntry() -> LogEntry? {
        var earliest: ChildCursor?
        for (_, cursor) in cursors {
            guard let head = cursor.head(query) else { continue }
            if let best = earliest?.head(query), best.stamp <= head.stamp { continue }
            earliest = cursor
        }
        return earliest?.take()
    }

    private func findNewChildren() {
        guard children == nil, !hasBacklog, let names = try? reader.children() else { return }
        for child in names where !cursors.contains(where: { $0.child == child }) {
            cursors.append((child, ChildCursor(kernel, directory: path(child), child: child, from: .beginning)))
        }
    }

    private func path(_ child: String) -> String { directory + "/" + child }
}

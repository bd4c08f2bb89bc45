import SupervisorCore
import System

/// One reading of several children's logs, merged by time: first what is there, then, as often as it is asked, what has come
/// since. Rotation, compression and removal go on meanwhile; nothing is shown twice, and nothing that is still there is
/// missed.
public final class LogSession {
    /// How long an entry may be held back so that an older one of another child comes before it: log-writer writes the lines
    /// of different children at slightly different times. Only for those who follow.
    static let holdTime: Duration = .milliseconds(50)

    private let kernel: any LogReadingKernel
    private let reader: LogReader
    private let directory: String
    private let children: [String]?
    private let query: LogQuery
    private var cursors: [(child: String, cursor: ChildCursor)] = []
    private var hasBacklog = true
    private var watch: LogWatch?
    /// An entry is held back.
    private var isHolding = false

    init(
        _ kernel: any LogReadingKernel, _ reader: LogReader, _ directory: String, children: [String]?, first: [String],
        _ query: LogQuery
    ) {
        self.kernel = kernel
        self.reader = reader
        self.directory = directory
        self.children = children
        self.query = query
        cursors = first.map { ($0, ChildCursor(kernel, directory: path($0), child: $0, for: query)) }
    }

    /// Hands out every wanted entry that was not handed out yet. The first time that is the past, with `last` of it; from
    /// then on what has come. `body` returns false to stop; what it was not shown then comes with the next call. With
    /// `showingUnfinished` also what there is of lines without an end, and later their rest (`isContinuation`).
    public func read(showingUnfinished: Bool = false, _ body: (LogEntry) throws -> Bool) rethrows {
        findNewChildren()
        isHolding = false
        if hasBacklog, let last = query.last {
            hasBacklog = false
            // A ring of the last ones: the past may be long, and is not held.
            var ring: [LogEntry] = []
            var next = 0
            func keep(_ entry: LogEntry) {
                if ring.count < last {
                    ring.append(entry)
                } else if last > 0 {
                    ring[next] = entry
                    next = (next + 1) % last
                }
            }
            while let entry = nextEntry(after: nil) { keep(entry) }
            var past = Array(ring[next...] + ring[..<next])
            if showingUnfinished {
                for line in showUnfinished() {
                    past.insert(line, at: (past.lastIndex { $0.stamp <= line.stamp } ?? -1) + 1)
                }
            }
            for entry in past.suffix(last) where try !body(entry) { return }
            return
        }
        let now = WallStamp(nanoseconds: kernel.wallClock())
        let horizon = hasBacklog || watch == nil ? nil : (now - LogSession.holdTime)...now
        // In its place too is what has no end since long ago.
        let isPast = hasBacklog
        hasBacklog = false
        while let entry = nextEntry(after: horizon, showingUnfinished: isPast && showingUnfinished) {
            if try !body(entry) { return }
        }
        // What is held back comes first.
        guard showingUnfinished, !isHolding else { return }
        for entry in showUnfinished() where try !body(entry) { return }
    }

    private func showUnfinished() -> [LogEntry] {
        cursors.flatMap { $0.cursor.showUnfinished(query) }.sorted { $0.stamp < $1.stamp }
    }

    /// Waits until there may be more to read, at most this long: for those who follow. Begins to watch with the first call, which returns at
    /// once, because something may have come before it.
    public func wait(atMost limit: Duration? = nil) throws(Errno) {
        guard let watch else {
            let watch = LogWatch(kernel, directory: directory)
            for (child, _) in cursors { watch.add(child: child) }
            self.watch = watch
            return
        }
        try watch.wait(atMost: isHolding ? min(limit ?? LogSession.holdTime, LogSession.holdTime) : limit)
        // A child's directory may have been made, or made anew, meanwhile.
        for (child, _) in cursors { watch.add(child: child) }
    }

    /// Lines whose end never came, at the very end of a reading that does not follow.
    public func unfinished() -> [LogEntry] {
        cursors.flatMap { $0.cursor.unfinished() }.filter(query.wants).sorted { $0.stamp < $1.stamp }
    }

    /// Files that could not be read so far, and why: what they hold is missing in what was shown.
    public var unreadable: [(path: String, error: Errno)] { cursors.flatMap { $0.cursor.unreadable } }

    /// The earliest of the children's next entries; not one that is younger than the horizon, if an older one may still
    /// come. One from the future (the clock was set) is not waited for.
    private func nextEntry(after horizon: ClosedRange<WallStamp>?, showingUnfinished: Bool = false) -> LogEntry? {
        var earliest: (cursor: ChildCursor, stamp: WallStamp)?
        for (_, cursor) in cursors {
            guard let head = cursor.head(query, showingUnfinished: showingUnfinished) else { continue }
            if let best = earliest, best.stamp <= head.stamp { continue }
            earliest = (cursor, head.stamp)
        }
        guard let earliest else { return nil }
        // Whoever is alone has no order to keep.
        if cursors.count > 1, let horizon, horizon.contains(earliest.stamp), earliest.stamp > horizon.lowerBound {
            isHolding = true
            return nil
        }
        return earliest.cursor.take()
    }

    private func findNewChildren() {
        guard children == nil, !hasBacklog, let names = try? reader.children() else { return }
        let known = Set(cursors.map(\.child))
        for child in names where !known.contains(child) {
            watch?.add(child: child)
            cursors.append((child, ChildCursor(kernel, directory: path(child), child: child)))
        }
    }

    private func path(_ child: String) -> String { directory + "/" + child }
}

import SupervisorCore
import System
import Wire

/// What becomes of old files, over all children together.
public struct Retention: Hashable, Sendable {
    /// A rotated file is removed when this much time has passed since its rotation; nil: when there is no more room for it.
    public var maxAge: Duration?
    /// Bytes of everything in the log directory; nil: as much as the children's own bounds allow.
    public var totalBytes: Int64?
    /// Absolute path of zstd(1), which compresses rotated files; nil: they stay as they are.
    public var compressor: String?

    /// All of it.
    public init(maxAge: Duration? = nil, totalBytes: Int64? = nil, compressor: String? = nil) {
        self.maxAge = maxAge
        self.totalBytes = totalBytes
        self.compressor = compressor
    }
}

/// Keeps the log directory within its bounds: the file-writing thread's own, called between two orders.
///
/// Age is looked at by a timer, once in a tenth of `max-age`; the total when so much was written that it may be reached; a
/// rotated file is compressed when the next one was rotated, so that the youngest two can be read by any program.
struct Housekeeping {
    /// Bounds of the time between two looks at the age of files.
    static let sweepPause: ClosedRange<Duration> = .seconds(1)...(.seconds(3600))
    /// The total is brought down by this part more than needed, and not measured again before so much was written.
    static let slack: Int64 = 16

    private let kernel: any LogKernel
    private let directory: String
    private let retention: Retention
    private var compressor: Compressor?
    private var nextSweep: Instant?
    /// Bytes in the directory at most; nil: not measured yet.
    private var estimate: Int64?

    init(_ kernel: any LogKernel, directory: String, retention: Retention) {
        self.kernel = kernel
        self.directory = directory
        self.retention = retention
        compressor = retention.compressor.map { Compressor(kernel, program: $0) }
        if retention.maxAge != nil { nextSweep = kernel.monotonic() }
    }

    /// When there is something to do although nothing was written.
    var dueAt: Instant? { nextSweep }

    /// The end of what is being compressed.
    var request: WaitRequest? { compressor?.request }

    /// Counts what was written.
    mutating func wrote(_ bytes: Int) { estimate = estimate.map { $0 + Int64(bytes) } }

    /// A file of this child was rotated.
    mutating func rotated(_ child: String) { compressor?.add(directory + "/" + child) }

    /// Does what is due; what has to be told of it.
    mutating func work(files: inout [String: LogFile]) -> [LogEvent] {
        var events: [LogEvent] = []
        if let event = compressor?.work() { events.append(event) }
        if let due = nextSweep, kernel.monotonic() >= due { sweep(files) }
        if let total = retention.totalBytes, estimate.map({ $0 > total }) ?? true, let event = cap(to: total) {
            events.append(event)
        }
        return events
    }

    /// Ends what is being compressed; it is begun anew by the next log-writer.
    mutating func end() { compressor?.end() }

    private var children: [String] {
        ((try? kernel.list(directory)) ?? []).filter(LogFileName.isChild).sorted()
    }

    // MARK: - Age

    private mutating func sweep(_ files: [String: LogFile]) {
        guard let maxAge = retention.maxAge else { return }
        let span = maxAge / 10
        nextSweep =
            kernel.monotonic() + min(max(span, Housekeeping.sweepPause.lowerBound), Housekeeping.sweepPause.upperBound)
        let now = WallStamp(nanoseconds: kernel.wallClock())
        let (rotatedBefore, removedBefore) = (now - span, now - maxAge)
        for child in children {
            let path = directory + "/" + child
            let file = files[child]
            // Children that are gone are looked after too, by a file that is closed again at once.
            try? (file ?? LogFile(kernel, directory: path, rotation: .ofEvents)).rotate(before: rotatedBefore)
            for name in LogFiles(kernel, directory: path).rotated {
                guard let stamp = LogFileName.stamp(of: name), stamp <= removedBefore else { break }
                try? kernel.removeRotated(path + "/" + name)
            }
            if file == nil { removeIfEmpty(path) }
        }
    }

    /// The directory of a child of which nothing is left. rmdir(2) takes empty directories only.
    private func removeIfEmpty(_ path: String) {
        let current = path + "/" + LogFileName.current
        if let size = try? kernel.status(current, followingLinks: false).size, size > 0 { return }
        guard LogFiles(kernel, directory: path).rotated.isEmpty else { return }
        try? kernel.removeFile(current)
        try? kernel.removeDirectory(path)
    }

    // MARK: - Total

    private struct Usage {
        var child: String
        var bytes: Int64 = 0
        /// Oldest first.
        var rotated: [(name: String, bytes: Int64)] = []
    }

    /// Removes the oldest rotated file of whoever has the most, until everything fits; the current ones stay.
    private mutating func cap(to total: Int64) -> LogEvent? {
        var users = children.map(usage)
        var sum = users.reduce(0) { $0 + $1.bytes } + size(directory + "/" + LogFileName.book)
        let before = sum
        // Above the total for good: measured again only when much more was written.
        defer { estimate = min(sum, total - total / Housekeeping.slack) }
        guard before > total else { return nil }
        var removed: [String: Int] = [:]
        while sum > total - total / Housekeeping.slack {
            let removable = users.indices.filter { !users[$0].rotated.isEmpty }
            guard let largest = removable.max(by: { users[$0].bytes < users[$1].bytes }) else { break }
            let file = users[largest].rotated.removeFirst()
            try? kernel.removeRotated(directory + "/" + users[largest].child + "/" + file.name)
            users[largest].bytes -= file.bytes
            sum -= file.bytes
            removed[users[largest].child, default: 0] += 1
        }
        return removed.isEmpty ? nil : .removed(removed, before: before, total: total)
    }

    private func usage(of child: String) -> Usage {
        let path = directory + "/" + child
        var usage = Usage(child: child)
        for name in ((try? kernel.list(path)) ?? []).sorted() {
            let bytes = size(path + "/" + name)
            usage.bytes += bytes
            guard let rotated = LogFileName.rotated(name) else { continue }
            if usage.rotated.last?.name == rotated {
                usage.rotated[usage.rotated.count - 1].bytes += bytes
            } else {
                usage.rotated.append((rotated, bytes))
            }
        }
        return usage
    }

    private func size(_ path: String) -> Int64 { (try? kernel.status(path, followingLinks: false))?.size ?? 0 }
}

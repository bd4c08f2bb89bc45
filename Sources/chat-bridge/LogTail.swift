import Chat
import ChatWeb
import Dispatch
import LogStore
import SupervisorCore
import Synchronization

/// One child's log as log-writer keeps it, read as `nexusctl logs -f` does: its files, by inotify, over rotations. What
/// stands there was redacted when it was written. It is read when somebody asks for more, so a slow page holds nothing.
final class LogTail: LogTailing {
    /// Logs that are followed at a time.
    static let limit = 16
    /// Lines that are told at once; of what comes faster the last ones.
    static let lineCount = 200
    /// Characters of a line that are told.
    static let lineLength = 1000
    /// Lines that are read at once.
    private static let readCount = 20_000
    /// Between two tellings, and how long nothing is waited for at a time, after which a reader that is gone is noticed.
    private static let pause: Duration = .milliseconds(100)
    private static let patience: Duration = .milliseconds(250)

    // Belongs to one thread at a time: the queue's.
    private final class Reading: @unchecked Sendable {
        let session: LogSession
        var place: Place

        init(_ session: LogSession, _ place: Place) {
            self.session = session
            self.place = place
        }
    }
    private struct Place {
        var stamp: WallStamp?
        var same: Int
        /// Lines of the stamp that were told before this reading began.
        var known: Int
        var isFirst = true
    }

    private let queue = DispatchQueue(label: "log tail")
    private let reading: Reading
    private static let count = Mutex(0)

    /// Throws `unknown` for a child without a log, `refused` where logs may not be read.
    init(of child: String, in directory: String, from place: LogPlace?) throws {
        let reader = LogReader(directory: directory)
        let children: [String]
        do {
            children = try reader.children()
        } catch {
            throw ChatError(
                .refused,
                "the logs in \(directory) cannot be read (\(error)): chat-bridge's user has to be in log-writer's group"
            )
        }
        guard children.contains(child) else { throw ChatError(.unknown, "\(child) has no log yet") }
        let stamp = place.flatMap { WallStamp(Array($0.at.utf8)) }
        var query = LogQuery(since: stamp)
        if stamp == nil { query.last = Self.lineCount }
        let session: LogSession
        do {
            session = try reader.open([child], query)
        } catch {
            throw ChatError(.refused, "the log of \(child) cannot be read: \(error)")
        }
        try Self.count.withLock { count in
            guard count < Self.limit else {
                throw ChatError(.busy, "\(Self.limit) logs are followed already; close some")
            }
            count += 1
        }
        let known = stamp == nil ? 0 : max(0, place?.same ?? 0)
        reading = Reading(session, Place(stamp: stamp, same: 0, known: known))
    }

    deinit { Self.count.withLock { $0 -= 1 } }

    func next() async throws -> LogLines? {
        while !Task.isCancelled {
            let lines: LogLines? = try await withCheckedThrowingContinuation { continuation in
                queue.async { [reading] in continuation.resume(with: Result { try Self.read(reading) }) }
            }
            guard let lines else { continue }
            try await Task.sleep(for: Self.pause)
            return lines
        }
        throw CancellationError()
    }

    /// What has come, or nil when nothing did in time. The first time it is what there is, also when that is nothing.
    private static func read(_ reading: Reading) throws -> LogLines? {
        if let lines = take(reading) { return lines }
        try reading.session.wait(atMost: patience)
        return take(reading)
    }

    private static func take(_ reading: Reading) -> LogLines? {
        var (place, last) = (reading.place, [LogLines.Line]())
        var (skipped, count) = (0, 0)
        reading.session.read { entry in
            count += 1
            if entry.stamp != place.stamp { (place.stamp, place.same, place.known) = (entry.stamp, 0, 0) }
            place.same += 1
            if place.same <= place.known { return count < readCount }
            if last.count == 2 * lineCount {
                last.removeFirst(lineCount)
                skipped += lineCount
            }
            last.append(line(entry))
            return count < readCount
        }
        let isFirst = place.isFirst
        place.isFirst = false
        reading.place = place
        guard !last.isEmpty || isFirst else { return nil }
        let rest = max(0, last.count - lineCount)
        return LogLines(
            lines: Array(last.dropFirst(rest)), skipped: skipped + rest,
            upTo: LogPlace(at: place.stamp?.description ?? "", same: max(place.same, place.known)))
    }

    private static func line(_ entry: LogEntry) -> LogLines.Line {
        let text = entry.text
        let isLong = text.utf8.count > lineLength
        return LogLines.Line(
            time: entry.stamp.description, level: entry.level.name,
            text: isLong ? text.prefix(lineLength) + "…" : text)
    }
}

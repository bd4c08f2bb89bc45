import ControlClient
import Glibc
import Wire

/// The waiting of a command for what it asked for: says once that it goes on, says of each run that ends meanwhile why it did
/// and when the next try comes, and is over in time.
final class Patience {
    /// Whose ends are said.
    var children: Set<String> = []
    /// The last end of each child that nobody asked for.
    private(set) var ends: [String: Event] = [:]
    private let deadline: Int64?
    private var stream: EventStream?
    private var notice: (instant: Int64, words: String)?
    private var unsaid: [(due: Int64, words: String)] = []
    private var foundEnds = 0
    /// A child that ends for ever is not told of for ever.
    private static let saidLimit = 20
    /// An end that is followed by the answer within this time is what the answer tells of: it is not said twice.
    private static let holdMilliseconds: Int64 = FirstMoments.milliseconds
    /// What takes longer than this says that it waits.
    private static let quietMilliseconds: Int64 = 2000
    /// Causes that somebody wished for.
    private static let wished: Set<String> = ["asked", "dependency", "recycled"]

    /// Made before the command, so that nothing of what follows is missed.
    init(_ stream: EventStream?, _ limit: Limit) {
        self.stream = stream
        deadline = limit.deadline
    }

    /// The words that say, after a moment, that it goes on.
    func begin(_ words: String) { notice = (ControlConnection.now() + Self.quietMilliseconds, words) }

    /// The answer to a request; nil: the time is over.
    func answer(to id: FrameID, on connection: ControlConnection) throws(ControlError) -> [UInt8]? {
        repeat {
            if let answer = try connection.answerIfAny(to: id, until: 0) { return answer }
        } while try untilReadable(connection)
        return nil
    }

    /// Returns when there is something to read; false: the time is over.
    func untilReadable(_ connection: ControlConnection) throws(ControlError) -> Bool {
        try connection.flush()
        while true {
            _ = take()
            if connection.hasFrame || wait(for: connection.descriptor) { return true }
            if isOver() { return false }
        }
    }

    /// Returns when something happened to this child; false: the time is over.
    func untilEvent(of child: String) throws(ControlError) -> Bool {
        while true {
            if take().contains(where: { $0.child == child }) { return true }
            guard stream != nil else { throw ControlError(.failed, "nexusd closed the connection") }
            if isOver() { return false }
            _ = wait(for: -1)
        }
    }

    /// The time is over; then nothing more is held back.
    private func isOver() -> Bool {
        guard let deadline, ControlConnection.now() >= deadline else { return false }
        sayEnds(until: .max)
        return true
    }

    /// The next event until then, of whatever child; nothing is said of it.
    func event(until instant: Int64) throws(ControlError) -> Event? { try stream?.next(until: instant) }

    /// Somebody asked for this end.
    static func isWished(_ end: Event) -> Bool { wished.contains(end.fact("CAUSE") ?? "") }

    /// True when that descriptor can be read, or has ended; false also when an event came, or it is time for something.
    private func wait(for descriptor: Int32) -> Bool {
        let instant = [deadline, notice?.instant, unsaid.first?.due].compactMap { $0 }.min()
        let left = instant.map { Int32(clamping: max($0 - ControlConnection.now(), 0)) } ?? -1
        var entries = [descriptor, stream?.descriptor ?? -1].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let count = poll(&entries, 2, left)
        if let notice, ControlConnection.now() >= notice.instant {
            Output.complain(notice.words)
            self.notice = nil
        }
        return count > 0 && entries[0].revents != 0
    }

    /// What has come; says of it what is to be said.
    private func take() -> [Event] {
        var events: [Event] = []
        do throws(ControlError) {
            while let event = try stream?.next(until: 0) { events.append(event) }
        } catch {
            // nexusd ends: the other connection tells how the command fared.
            stream = nil
        }
        for (index, event) in events.enumerated() where event.kind == .ended {
            if !Self.isWished(event), let child = event.child { ends[child] = event }
            let next = events[(index + 1)...].first { $0.child == event.child }
            hold(event, next: next.flatMap { $0.kind == .delayed ? $0 : nil })
        }
        sayEnds(until: ControlConnection.now())
        return events
    }

    private func sayEnds(until instant: Int64) {
        while let first = unsaid.first, first.due <= instant {
            Output.complain(first.words)
            unsaid.removeFirst()
        }
    }

    /// `next`: what is told of the child behind this end, where it is not started again at once.
    private func hold(_ end: Event, next: Event?) {
        guard children.contains(end.child ?? ""), foundEnds <= Self.saidLimit else { return }
        if next == nil, Self.isWished(end) || end.fact("CAUSE") == "done" { return }
        foundEnds += 1
        let wait = (next?.fact("NEXT_TRY_MS")).flatMap { Int64($0) }.map { Duration.milliseconds($0).spoken }
        let words = end.sentence + (wait.map { "; next try in \($0)" } ?? "")
        let last = "and so on; each end is shown by: nexusctl events -f"
        unsaid.append((ControlConnection.now() + Self.holdMilliseconds, foundEnds > Self.saidLimit ? last : words))
    }
}

/// What children wait for, by nexusd's `tree`: while those end again and again, these do not come up.
struct Needs {
    private var required: [String: [String]] = [:]

    init(_ connection: ControlConnection) throws(ControlError) {
        let id = connection.request("tree")
        let answer = try connection.answer(
            to: id, until: ControlConnection.now() + StatusQuestion.limitMilliseconds)
        for child in try ControlConnection.json(answer)["children"]?.elements ?? [] {
            let edges = ["requires", "after"].flatMap { child[$0]?.elements ?? [] }
            required[child["name"]?.text ?? ""] = edges.compactMap(\.text)
        }
    }

    /// These, and whatever has to be there before them.
    func closure(of names: [String]) -> Set<String> {
        var all = Set(names)
        var open = names
        while let name = open.popLast() {
            for needed in required[name] ?? [] where all.insert(needed).inserted { open.append(needed) }
        }
        return all
    }
}

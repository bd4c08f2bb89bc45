import SupervisorCore
import Wire

/// Lines that were dropped, by child and sink, told at most once a second: a flood of drops must not become a flood of
/// words about them.
struct DropCount {
    /// How often it is told.
    static let pause: Duration = .seconds(1)

    /// A sink of lines.
    enum Sink: String {
        case file = "the disk"
        case journal = "journald"
    }

    private struct Key: Hashable {
        var child: String
        var sink: Sink
    }

    private var lines: [Key: Int] = [:]
    private var nextTelling = Instant(nanoseconds: 0)

    mutating func add(_ count: Int, of child: String, by sink: Sink) {
        lines[Key(child: child, sink: sink), default: 0] += count
    }

    /// When there is something to tell, nil when there is not.
    var dueAt: Instant? { lines.isEmpty ? nil : nextTelling }

    /// What is to be told now.
    mutating func take(at now: Instant) -> [(child: String, sink: Sink, lines: Int)] {
        guard !lines.isEmpty, now >= nextTelling else { return [] }
        nextTelling = now + DropCount.pause
        defer { lines = [:] }
        return lines.map { (child: $0.key.child, sink: $0.key.sink, lines: $0.value) }.sorted { $0.child < $1.child }
    }
}

import SupervisorCore
import Wire

/// Lines that were dropped, by child and sink, told at most once a second: a flood of drops must not become a flood of
/// words about them.
struct DropCount {
    /// How often it is told.
    static let pause: Duration = .seconds(1)

    /// Why lines were dropped.
    enum Cause: Hashable {
        /// The file took nothing; the file-writing thread says in it what is missing.
        case fileFailed
        /// The file-writing thread hangs in a call to the disk and can say nothing.
        case diskHangs
        /// journald took nothing. The file has the lines.
        case journal
    }

    /// Lines of one child that were dropped for one cause.
    struct Drop {
        var child: String
        var cause: Cause
        var lines: Int
    }

    private struct Key: Hashable {
        var child: String
        var cause: Cause
    }

    private var lines: [Key: Int] = [:]
    private var nextTelling = Instant(nanoseconds: 0)

    mutating func add(_ count: Int, of child: String, _ cause: Cause) {
        lines[Key(child: child, cause: cause), default: 0] += count
    }

    /// When there is something to tell, nil when there is not.
    var dueAt: Instant? { lines.isEmpty ? nil : nextTelling }

    /// What is to be told now.
    mutating func take(at now: Instant) -> [Drop] {
        guard !lines.isEmpty, now >= nextTelling else { return [] }
        nextTelling = now + DropCount.pause
        defer { lines = [:] }
        return lines.map { Drop(child: $0.key.child, cause: $0.key.cause, lines: $0.value) }
            .sorted { $0.child < $1.child }
    }
}

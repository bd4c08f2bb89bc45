import SupervisorCore
import Synchronization
import System
import Wire

/// What the reading thread asks of the file-writing thread, in order.
enum FileOrder: Sendable {
    /// Lines of a child.
    case batch(Batch)
    /// An entry of nexusd or of log-writer itself for this directory; without a rotation, with the one it has. Where it
    /// cannot be written `worth` lines are missing: itself, or those that it speaks of.
    case entry([UInt8], child: String, rotation: Rotation?, worth: Int)
    /// A line for the book of runs.
    case book(WallStamp, RunID, BookLine.Event, child: String, text: String)
    /// A new nexusd: which runs are alive.
    case greeting(second: UInt32, alive: [RunID], WallStamp)
    /// The last lines of a run; the child if the reading thread knows it.
    case last(RunID, child: String?, lines: Int, tag: UInt32)
    /// So many lines of this child are missing, by the count of an earlier log-writer or of the reading thread; its file is
    /// to say so. Answered by the report `remarked` once it does.
    case missing(child: String, lines: Int, FilingTrouble.Reason)
    /// Answered by `marked`.
    case mark
    /// Everything to the disk, then answer `finished`. The run of log-writer itself ends with it: nobody could write its
    /// end record later. `isAsked`: nexusd ordered it.
    case finish(ownRun: RunID?, WallStamp, isAsked: Bool)
}

/// The reading thread's end of the file-writing thread. Its queue is bounded by `hasRoom`, which the reading thread asks
/// before it looks at a pipe: what does not fit stays in the pipes.
final class FileSink: Sendable {
    /// Bytes of batches that may wait.
    static let queueLimit = 4 * 1024 * 1024
    /// How long a disk may hold a child up before its lines are dropped.
    static let patience: Duration = .seconds(5)

    private let inbox: Mailbox<FileOrder>
    private let busySince = Atomic<Int64>(0)

    init(
        _ kernel: any LogKernel, directory: String, retention: Retention, answers: Mailbox<SinkAnswer>
    ) throws(Errno) {
        inbox = try Mailbox(kernel)
        let book = RunBook(kernel, directory: directory)
        if let event = LogEvent.ofBook(book) { answers.send(.event(event)) }
        if let note = book.note { answers.send(.report(.book(trouble: note))) }
        let handover = Handover(book: book)
        let drain = try PipeDrain(kernel)
        try NativeThread.start("log-files") { [self] in
            var writer = FileWriter(
                kernel, directory: directory, book: handover.book, retention: retention, drain: drain,
                answers: answers)
            while true {
                for order in inbox.receive(atMost: writer.waitLimit, or: writer.request) {
                    busySince.store(kernel.monotonic().nanoseconds, ordering: .releasing)
                    let done = writer.carryOut(order)
                    inbox.discharge(done)
                }
                busySince.store(kernel.monotonic().nanoseconds, ordering: .releasing)
                inbox.discharge(writer.retry())
                writer.tidy()
                busySince.store(0, ordering: .releasing)
            }
        }
    }

    /// True when another batch may be sent.
    var hasRoom: Bool { inbox.weight < FileSink.queueLimit }

    /// True when the thread has been inside one call to the disk for longer than its patience: then it cannot even drop.
    func isStuck(at now: Instant) -> Bool {
        let since = busySince.load(ordering: .acquiring)
        return since != 0 && now - Instant(nanoseconds: since) > FileSink.patience
    }

    func send(_ batch: Batch) { inbox.send(.batch(batch), weight: batch.weight) }

    /// An entry that is no captured line, for the files of this directory.
    func send(_ entry: [UInt8], to child: String, _ rotation: Rotation? = nil, worth: Int) {
        inbox.send(.entry(entry, child: child, rotation: rotation, worth: worth), weight: entry.count)
    }

    /// Anything else.
    func send(_ order: FileOrder) { inbox.send(order) }

    /// Carries the book into the thread that owns it from then on.
    private struct Handover: @unchecked Sendable {
        // The reading thread lets go of the book at once: it exists twice for the length of one call only.
        let book: RunBook
    }
}

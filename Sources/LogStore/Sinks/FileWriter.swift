import SupervisorCore
import System
import Wire

/// The file-writing thread's own state: the files of every child, those that fail, and the book of runs.
struct FileWriter {
    /// How often a failing file is tried again.
    static let retryPause: Duration = .milliseconds(100)
    /// How often one that was given up is tried, to say in it what is missing.
    static let sayPause: Duration = .seconds(1)

    private let kernel: any LogKernel
    private let directory: String
    private let book: RunBook
    /// What was said last of what is wrong with the book.
    private var noteTold: String?
    private let answers: Mailbox<SinkAnswer>
    private var files: [String: LogFile] = [:]
    private var failing: [String: Failure] = [:]
    private var housekeeping: Housekeeping
    private let drain: PipeDrain

    /// What a file that takes nothing is behind with.
    private struct Failure {
        var since: Instant
        /// Nil: an earlier log-writer knew.
        var error: Errno?
        /// Waits, in order; empty once given up.
        var waiting: [Writing] = []
        var hasGivenUp = false
        /// Lines dropped so far.
        var dropped = 0
    }

    /// Entries on their way into a file.
    private struct Writing {
        var content: Content
        var offset = 0

        enum Content {
            case batch(Batch)
            case entry([UInt8], worth: Int)
        }

        /// No lines of a pipe, which keeps them.
        var isEntry: Bool {
            switch content {
            case .batch: false
            case .entry: true
            }
        }

        /// What it adds to the queue's weight.
        var weight: Int {
            switch content {
            case .batch(let batch): batch.weight
            case .entry(let bytes, _): bytes.count
            }
        }
    }

    private var nextSaying = Instant(nanoseconds: 0)
    /// Marks that wait for words which a file does not take, and since when.
    private var marks: (count: Int, since: Instant)?

    init(
        _ kernel: any LogKernel, directory: String, book: RunBook, retention: Retention, drain: PipeDrain,
        answers: Mailbox<SinkAnswer>
    ) {
        self.drain = drain
        housekeeping = Housekeeping(kernel, directory: directory, retention: retention)
        self.kernel = kernel
        self.directory = directory
        self.book = book
        noteTold = book.note
        self.answers = answers
    }

    /// How long the thread may wait for orders: without end, unless something has to be tried again or removed.
    var waitLimit: Duration? {
        if marks != nil || failing.values.contains(where: { !$0.waiting.isEmpty }) { return FileWriter.retryPause }
        let due = failing.isEmpty ? housekeeping.dueAt : min(housekeeping.dueAt ?? nextSaying, nextSaying)
        return due.map { max(.zero, $0 - kernel.monotonic()) }
    }

    /// What is waited for beside orders.
    var request: WaitRequest? { housekeeping.request }

    /// Keeps the directory within its bounds, when that is due.
    mutating func tidy() {
        for event in housekeeping.work(files: &files) { answers.send(.event(event)) }
    }

    /// Does what it is told; gives back the weight that is done with.
    mutating func carryOut(_ order: FileOrder) -> Int {
        switch order {
        case .batch(let batch):
            return put(Writing(content: .batch(batch)), into: batch.target.child, batch.target.rotation)
        case .entry(let bytes, let child, let rotation, let worth):
            return put(Writing(content: .entry(bytes, worth: worth)), into: child, rotation)
        case .missing(let child, let lines): owe(lines, to: child)
        case .book(let stamp, let run, let event, let child, let text):
            book.record(stamp, run, event, child: child, text: text)
            tellOfBook()
        case .greeting(let second, let alive, let stamp):
            for (run, child) in book.closeStale(second: second, alive: alive, at: stamp) {
                answers.send(.event(.supervisorDied(run, child: child)))
            }
            tellOfBook()
        case .last(let run, let child, let lines, let tag):
            let child = child ?? book.child(of: run)
            let found = child.map {
                LastLines(kernel, directory: directory + "/" + $0, child: $0).of(run, atMost: lines)
            }
            answers.send(.report(.last(tag: tag, lines: found ?? [])))
        case .mark:
            marks = ((marks?.count ?? 0) + 1, marks?.since ?? kernel.monotonic())
            answerMarks()
        case .finish(let ownRun, let stamp, let isAsked):
            let done = giveUp(all: true)
            // Where nobody asked nexusd lives, and knows better; or it does not, and the next one says so.
            if let ownRun, isAsked, let child = book.open[ownRun] {
                let end = LogEvent.drained(ownRun, child: child)
                book.record(stamp, ownRun, .ended, child: child, text: end.bookText)
            }
            book.flush()
            // What the book did not take stays in the link, for the next log-writer.
            answerMarks()
            housekeeping.end()
            for file in files.values { try? file.synchronize() }
            answers.send(.finished)
            return done
        }
        return 0
    }

    /// Tries the failing files again and gives up what has waited too long; gives back the weight that is done with.
    mutating func retry() -> Int {
        var done = 0
        for (child, failure) in failing where !failure.waiting.isEmpty {
            var failure = failure
            while let first = failure.waiting.first {
                var writing = first
                let error = write(&writing, into: child, rotation: nil)
                failure.waiting[0] = writing
                if let error {
                    failure.error = error
                    break
                }
                failure.waiting.removeFirst()
                done += writing.weight
                confirm(writing)
            }
            failing[child] = failure.waiting.isEmpty ? nil : failure
        }
        done += giveUp(all: false)
        sayWhatIsMissing()
        if marks != nil {
            book.flush()
            tellOfBook()
            answerMarks()
        }
        return done
    }

    /// Says what is wrong with the book when that is something else than what was said last, whatever changed it.
    private mutating func tellOfBook() {
        guard book.note != noteTold else { return }
        noteTold = book.note
        answers.send(.report(.book(trouble: noteTold ?? "")))
    }

    /// What was said before a mark is in the files: it may leave the link. What they do not take stays there as long as they
    /// are waited for, so that it is not lost with this process.
    private mutating func answerMarks() {
        guard let (count, since) = marks else { return }
        let isBehind = book.isBehind || failing.values.contains { $0.waiting.contains(where: \.isEntry) }
        guard !isBehind || kernel.monotonic() - since > FileSink.patience else { return }
        marks = nil
        for _ in 0..<count { answers.send(.marked) }
    }

    /// Those that were given up are looked at again although nobody says anything: what is missing is said, and that it is
    /// over.
    private mutating func sayWhatIsMissing() {
        let now = kernel.monotonic()
        guard now >= nextSaying else { return }
        for (child, failure) in failing where failure.hasGivenUp {
            nextSaying = now + FileWriter.sayPause
            _ = say(failure, into: child, nil)
        }
    }

    /// An earlier log-writer dropped lines of this child, and was killed before its file took the word about it.
    private mutating func owe(_ lines: Int, to child: String) {
        if failing[child] == nil { failing[child] = Failure(since: kernel.monotonic(), error: nil, hasGivenUp: true) }
        failing[child]?.dropped += lines
        // At once: what comes behind it is younger.
        if let failure = failing[child], failure.hasGivenUp { _ = say(failure, into: child, nil) }
    }

    /// Writes at once, or puts it behind what the file is behind with already.
    private mutating func put(_ writing: Writing, into child: String, _ rotation: Rotation?) -> Int {
        if failing[child]?.waiting.isEmpty == false {
            failing[child]?.waiting.append(writing)
            return 0
        }
        var writing = writing
        if let failure = failing[child], failure.hasGivenUp, !say(failure, into: child, rotation) {
            return drop(writing, of: child)
        }
        guard let error = write(&writing, into: child, rotation: rotation) else {
            failing[child] = nil
            confirm(writing)
            return writing.weight
        }
        failing[child] = Failure(since: kernel.monotonic(), error: error, waiting: [writing])
        return 0
    }

    private mutating func write(_ writing: inout Writing, into child: String, rotation: Rotation?) -> Errno? {
        let file = files[child] ?? LogFile(kernel, directory: directory + "/" + child, rotation: rotation ?? .ofEvents)
        files[child] = file
        if let rotation { file.rotation = rotation }
        let before = writing.offset
        defer {
            housekeeping.wrote(writing.offset - before)
            if file.hasRotated {
                file.hasRotated = false
                housekeeping.rotated(child)
            }
        }
        do {
            switch writing.content {
            case .batch(let batch): try file.append(batch.entries, from: &writing.offset)
            case .entry(let bytes, _):
                try bytes.withUnsafeBufferPointer { all throws(Errno) in
                    try file.append(UnsafeRawBufferPointer(all), from: &writing.offset)
                }
            }
            return nil
        } catch {
            return error
        }
    }

    private func confirm(_ writing: Writing) {
        guard case .batch(let batch) = writing.content else { return }
        release(batch)
        // The reading thread looks at the pipe again when its pause is over: it need not wake for this.
        answers.send(settled(batch, bytes: batch.entries.count, lost: 0), isUrgent: false)
    }

    /// `bytes` of the batch are in the file, `lost` of its lines are not and never will be.
    private func settled(_ batch: Batch, bytes: Int, lost: Int) -> SinkAnswer {
        var counts = LogCounts()
        counts.bytes = UInt64(bytes)
        counts.lines = UInt64(max(0, batch.lines - lost))
        counts.dropped = UInt64(lost)
        return .settled(batch.ticket, child: batch.target.child, counts)
    }

    /// Takes the bytes of a batch out of their pipe, unless the reading thread did when we hung.
    private func release(_ batch: Batch) {
        if batch.claim() { drain.discard(batch.consumed, of: batch.source.fd) }
    }

    /// Drops what has waited longer than the patience, or everything.
    private mutating func giveUp(all: Bool) -> Int {
        var done = 0
        let now = kernel.monotonic()
        for (child, failure) in failing where !failure.waiting.isEmpty {
            guard all || now - failure.since > FileSink.patience else { continue }
            failing[child]?.waiting = []
            failing[child]?.hasGivenUp = true
            let error = failure.error ?? .inputOutput
            let trouble = "\(directory)/\(child) takes nothing: \(error); \(error.loggingRemedy)"
            answers.send(.report(.filing(child: child, trouble: trouble)))
            for writing in failure.waiting { done += drop(writing, of: child) }
        }
        return done
    }

    private mutating func drop(_ writing: Writing, of child: String) -> Int {
        let batch: Batch
        switch writing.content {
        case .batch(let lines): batch = lines
        case .entry(_, let worth):
            failing[child]?.dropped += worth
            return writing.weight
        }
        let rest = UnsafeRawBufferPointer(rebasing: batch.entries[writing.offset...])
        let lines = writing.offset == 0 ? batch.lines : rest.count { $0 == 0x0A }
        failing[child]?.dropped += lines
        release(batch)
        answers.send(settled(batch, bytes: writing.offset, lost: lines))
        return batch.weight
    }

    /// Says in the file what is missing in it, as soon as it takes something again.
    private mutating func say(_ failure: Failure, into child: String, _ rotation: Rotation?) -> Bool {
        let why = failure.error.map { "\($0)" } ?? "the files took nothing, and log-writer was ended meanwhile"
        let bytes = EntryFormat.entry(
            WallStamp(nanoseconds: kernel.wallClock()), EntryFormat.noRun, .logWriter, .warning,
            text: "\(EntryFormat.missing(failure.dropped)): \(why)")
        var writing = Writing(content: .entry(bytes, worth: 0))
        if failure.dropped > 0, let error = write(&writing, into: child, rotation: rotation) {
            failing[child]?.error = error
            return false
        }
        failing[child] = nil
        answers.send(.report(.filing(child: child, trouble: "")))
        return true
    }
}

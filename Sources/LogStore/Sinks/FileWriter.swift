import SupervisorCore
import System
import Wire

/// The file-writing thread's own state: the files of every child, those that fail, and the book of runs.
struct FileWriter {
    /// How often a failing file is tried again.
    static let retryPause: Duration = .milliseconds(100)
    /// How often one that was given up is tried, to say in it what is missing.
    static let sayPause: Duration = .seconds(1)

    let kernel: any LogKernel
    let directory: String
    private let book: RunBook
    /// What was said last of what is wrong with the book.
    private var noteTold: String?
    let answers: Mailbox<SinkAnswer>
    private var files: [String: LogFile] = [:]
    /// By child; who is not in it files everything.
    var troubles: [String: FilingTrouble] = [:]
    private var housekeeping: Housekeeping
    private let drain: PipeDrain

    /// When those that were given up are looked at.
    var nextSaying = Instant(nanoseconds: 0)
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
        if marks != nil || troubles.values.contains(where: \.isWaiting) { return FileWriter.retryPause }
        let due = troubles.isEmpty ? housekeeping.dueAt : min(housekeeping.dueAt ?? nextSaying, nextSaying)
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
        case .missing(let child, let lines, let why): return owe(lines, to: child, why)
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
            for child in troubles.keys { _ = remark(in: child, nil) }
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
        for (child, trouble) in troubles {
            if case .waiting(let waiting) = trouble { done += retry(waiting, of: child) }
        }
        done += giveUp(all: false)
        lookAtGivenUp()
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
        let isBehind = book.isBehind || troubles.values.contains(where: \.holdsEntries)
        guard !isBehind || kernel.monotonic() - since > FileSink.patience else { return }
        marks = nil
        for _ in 0..<count { answers.send(.marked) }
    }

    /// Writes at once, or puts it behind what the file is behind with already.
    private mutating func put(_ writing: Writing, into child: String, _ rotation: Rotation?) -> Int {
        var writing = writing
        switch troubles[child] {
        case .waiting(var waiting):
            // Let go of first: the list is long where a disk hangs, and would be copied for each.
            troubles[child] = nil
            waiting.writings.append(writing)
            troubles[child] = .waiting(waiting)
            return 0
        case .givenUp:
            // What is missing is said before what comes behind it.
            guard remark(in: child, rotation) else { return drop(writing, of: child) }
            if let error = write(&writing, into: child, rotation: rotation) {
                refuse(error, in: child)
                return drop(writing, of: child)
            }
        case nil:
            if let error = write(&writing, into: child, rotation: rotation) {
                troubles[child] = .waiting(
                    FilingTrouble.Waiting(writings: [writing], since: kernel.monotonic(), error: error))
                return 0
            }
        }
        confirm(writing)
        return writing.weight
    }

    mutating func write(_ writing: inout Writing, into child: String, rotation: Rotation?) -> Errno? {
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

    func confirm(_ writing: Writing) {
        guard case .batch(let batch) = writing.content else { return }
        release(batch)
        // The reading thread looks at the pipe again when its pause is over: it need not wake for this.
        answers.send(settled(batch, bytes: batch.entries.count, lost: 0), isUrgent: false)
    }

    /// `bytes` of the batch are in the file, `lost` of its lines are not and never will be.
    func settled(_ batch: Batch, bytes: Int, lost: Int) -> SinkAnswer {
        var counts = LogCounts()
        counts.bytes = UInt64(bytes)
        counts.lines = UInt64(max(0, batch.lines - lost))
        counts.dropped = UInt64(lost)
        return .settled(batch.ticket, child: batch.target.child, counts)
    }

    /// Takes the bytes of a batch out of their pipe, unless the reading thread did when we hung.
    func release(_ batch: Batch) {
        if batch.claim() { drain.discard(batch.consumed, of: batch.source.fd) }
    }
}

import SupervisorCore
import System
import Wire

/// What is counted: lines that a child may not say any more, lines that a sink did not take, and lines that went well.
extension LogWriter {
    /// Lines that the child of this stream may still say.
    func allowance(of stream: CapturedStream, _ now: Instant) -> Int {
        guard let rate = stream.rate else { return .max }
        let child = stream.target.child
        // A reload may have given it another rate.
        let isOther = floods[child].map { $0.rate != rate } ?? true
        tellSuppressed(child, now, all: isOther)
        if isOther {
            // Children that are gone leave nothing behind.
            if floods.count > 2 * streams.count + 16 {
                floods = floods.filter { $0.value.endsAt != nil || !$0.value.isOver(at: now) }
            }
            floods[child] = FloodLimit(rate, at: now)
        }
        return floods[child]?.allowance(at: now) ?? .max
    }

    /// Counts what a look made of a child's bytes against its rate; call it when the batch is handed over, for a remark
    /// comes behind it. What becomes of the batch is counted when it is known.
    func count(_ result: LineFormatter.Result, of stream: CapturedStream, _ now: Instant) {
        let child = stream.target.child
        guard let rate = stream.rate,
            floods[child]?.count(kept: result.lines, suppressed: result.suppressed) ?? false
        else { return }
        suppressing.append(child)
        let seconds = rate.window.components.seconds
        remark(
            "more than \(rate.lines) lines in \(seconds) s: what \(child) says beyond is suppressed and counted (log.rate)",
            of: stream.target)
    }

    /// Says how many lines were suppressed, when their window is over.
    private func tellSuppressed(_ child: String, _ now: Instant, all: Bool = false) {
        guard suppressing.contains(child), let lines = floods[child]?.takeSuppressed(at: now, all: all), lines > 0
        else {
            return
        }
        suppressing.removeAll { $0 == child }
        tally.add(child, at: now) { $0.suppressed += UInt64(lines) }
        remark("\(lines == 1 ? "1 line was" : "\(lines) lines were") suppressed here", of: child, lines: lines)
    }

    /// A remark of log-writer about a child: in the child's file and in the journal.
    private func remark(_ text: String, of target: LogTarget) {
        remark(text, of: target.child, toJournal: target.journal, lines: 0)
    }

    private func remark(_ text: String, of child: String, toJournal: Bool = true, lines: Int) {
        let stamp = WallStamp(nanoseconds: kernel.wallClock())
        files.send(
            EntryFormat.entry(stamp, EntryFormat.noRun, .logWriter, .warning, text: text), to: child, worth: lines)
        if toJournal { journal?.send(.suppression(of: child, text)) }
    }

    /// The first instant at which something counted has to be told.
    var tellingDue: Instant? {
        var due = tally.dueAt
        for child in suppressing {
            if let end = floods[child]?.endsAt { due = min(due ?? end, end) }
        }
        return due
    }

    /// Tells nexusd what was counted (it makes events of losses), and the child's file what is missing there, as soon as it
    /// takes something again. What the file-writing thread dropped it says there itself, and the journal's reader has the
    /// file. `all`: nothing can be told later.
    func tellCounts(_ now: Instant, all: Bool = false) {
        for child in suppressing { tellSuppressed(child, now, all: all) }
        tellTally(now, all: all)
        // A queue that nobody empties must not grow by words about itself.
        guard !unwritten.isEmpty, files.hasRoom, !files.isStuck(at: now) else { return }
        for (child, lines) in unwritten.sorted(by: { $0.key < $1.key }) {
            files.send(.missing(child: child, lines: lines, .hung))
        }
        unwritten = [:]
    }

    func tellTally(_ now: Instant, all: Bool) {
        for (child, counts) in tally.take(at: now, all: all) { link.send(.counted(child: child, counts)) }
    }
}

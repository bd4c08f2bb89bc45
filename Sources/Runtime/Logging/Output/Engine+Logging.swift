import Plan
import SupervisorCore
import System
import Wire

extension Engine {
    // MARK: - Log-writer comes and goes

    func openLogLink(_ link: LogLink) {
        try? surroundings.poller.add(link.socket, token: EventSource.logLink(link.generation).token)
        journal.lendStream = { [unowned self] in lend($0, $1) }
        // Its own runs are known by the second. Of the others those too of which it has said how they ended, and no log-writer heard it.
        journal.open(link, greeting: .greeting(second: surroundings.second, alive: inherited.sorted()))
    }

    /// log-writer serves, or is to end and has to read them first. Not sooner: while it has none of the pipes they may be
    /// emptied by us.
    func handStreams() {
        guard journal.link?.hasStreams == false else { return }
        outputGuard.end()
        // Before what comes behind it.
        for order in unfiled.orders { journal.order(order) }
        journal.hand(all: cells.flatMap { cell in cell.outputs.flatMap { $0.numbers(of: cell.id) } })
    }

    func closeLogLink(_ run: LivingRun) {
        readLogWriterErrors(run.generation)
        leave(run.errors)
        if let link = journal.link { surroundings.poller.remove(link.socket) }
        for report in journal.close(surroundings.scratch) { take(report) }
        endPulse()
        unfiled.logWriterEnded()
        bookTrouble = ""
        if logWriter != nil, finished == nil { outputGuard.begin(at: now) }
    }

    /// Waits for room in the link only while something waits for it, and for nothing of it while it is in trouble.
    func watchLogLink() {
        guard let link = journal.link else { return }
        if link.hasTrouble {
            link.hasTrouble = false
            link.restsUntil = now + LogLink.pause
            watch(link, for: [])
        }
        guard link.restsUntil == nil, link.wantsRoom != link.isWatchedForRoom else { return }
        link.isWatchedForRoom = link.wantsRoom
        watch(link, for: link.wantsRoom ? [.readable, .writable] : .readable)
    }

    /// The link is tried again after its trouble.
    func resumeLogLink() {
        guard let link = journal.link, let due = link.restsUntil, due <= now else { return }
        link.restsUntil = nil
        link.isWatchedForRoom = false
        watch(link, for: .readable)
    }

    private func watch(_ link: LogLink, for events: PollEvents) {
        try? surroundings.poller.modify(
            link.socket, token: EventSource.logLink(link.generation).token, for: events)
    }

    func readLogWriterErrors(_ generation: EventSource.Generation) {
        guard let logWriter, let run = run(logWriter, generation) else { return }
        var isOpen = true
        switch run.errors {
        case .some(let fd):
            do {
                let count = try kernel.read(fd, into: surroundings.scratch)
                journal.lastWords.append(UnsafeRawBufferPointer(rebasing: surroundings.scratch[..<count]))
                isOpen = count > 0
            } catch {
                isOpen = error == .again
            }
        case .none: return
        }
        guard !isOpen else { return }
        leave(run.errors)
        run.errors = nil
    }

    // MARK: - What it reports

    func readReports() {
        // Bounded a turn: a flood of reports must not hold up everything else; what is left is there next turn.
        for _ in 0..<256 {
            guard let link = journal.link, let report = link.receive(kernel, surroundings.scratch) else { return }
            take(report)
        }
    }

    private func take(_ report: LogReport) {
        switch report {
        case .ready:
            journal.link?.isReady = true
            handStreams()
            beginPulse()
            if let logWriter, let run = self[logWriter].run { feed(.ready(logWriter, run.id)) }
        case .eof(let number): finishStream(StreamNumber(rawValue: number))
        case .matched(let number, let captures):
            let stream = StreamNumber(rawValue: number)
            guard has(stream.child), let run = self[stream.child].run?.id, stream.isOf(run) else { return }
            takeCaptures(captures, of: stream.child, run)
        case .last(let tag, let lines): answerLastLines(tag, lines)
        case .counted(let child, let counts): count(counts, of: child)
        case .journal(let isThere): journal.isJournaldAway = !isThere
        case .filing(let child, let trouble): tellFiling(of: child, trouble)
        case .remarked(let child): unfiled.remarked(child)
        case .book(let trouble): bookTrouble = trouble
        case .alive(let isBehind): takePulse(isBehind: isBehind)
        case .drained: if let logWriter, let run = self[logWriter].run { feed(.drained(logWriter, run.id)) }
        }
    }

    /// Kept for the words of each loss until the files take something again.
    private func tellFiling(of name: String, _ trouble: String) {
        guard name == "nexusd" || names.child(named: name) != nil else { return }
        unfiled.tell(name, trouble: trouble)
        let words =
            trouble.isEmpty ? "What \(name) says is filed again." : "What \(name) says is not filed: \(trouble)."
        say(LogEvent(.outputDropped, trouble.isEmpty ? 5 : 3, words, name, nil))
    }

    /// Adds up what log-writer counted, and makes an event of what was lost.
    private func count(_ counts: LogCounts, of name: String) {
        if let child = names.child(named: name) { self[child].count(counts) }
        let trouble = unfiled.trouble(of: name)
        unfiled.count(name, lines: counts.dropped)
        let losses: [(EventKind, UInt8, UInt64, String)] = [
            (.outputDropped, 3, counts.dropped, "dropped: \(trouble)"),
            (.outputSuppressed, 4, counts.suppressed, "suppressed: it says more than its log.rate allows"),
        ]
        for (kind, priority, lines, words) in losses where lines > 0 {
            let fields = [LogEvent.Field(name: "LINES", value: "\(lines)")]
            let what = lines == 1 ? "1 line of \(name) was" : "\(lines) lines of \(name) were"
            say(LogEvent(kind, priority, "\(what) \(words).", name, nil, fields))
        }
    }

    func has(_ child: ChildID) -> Bool { child.rawValue > 0 && Int(child.rawValue) <= cells.count }

    // MARK: - Output of runs

    func keepOutput(
        of child: ChildID, _ stdout: consuming OwnedFD, _ stderr: consuming OwnedFD, _ run: RunID, redactions: [String]
    ) {
        let cell = self[child]
        let output = RunOutput(run: run, stdout: stdout, stderr: stderr, redactions: redactions)
        makeRoom(for: child)
        cell.outputs.append(output)
        for kind in StreamKind.allCases { _ = output.with(kind) { fd in pipeWatch?.add(fd) } }
        for number in output.numbers(of: child) { journal.hand(number) }
    }

    private func lend(_ number: StreamNumber, _ give: (LogStream, borrowing OwnedFD) -> Void) {
        guard has(number.child), let output = self[number.child].outputs.first(where: { number.isOf($0.run) }) else {
            return
        }
        let stream = describe(number, of: output)
        _ = output.with(number.kind) { fd in give(stream, fd) }
    }

    /// Log-writer has the pipes of this child; what is to become of what comes out of them is said anew.
    func describeOutput(of child: ChildID) {
        guard journal.link?.hasStreams == true else { return }
        for output in self[child].outputs {
            for number in output.numbers(of: child) { journal.order(.stream(describe(number, of: output))) }
        }
    }

    private func describe(_ number: StreamNumber, of output: RunOutput) -> LogStream {
        let child = plan.traits(number.child)
        var pattern: LinePattern?
        if case .logLine(let line) = child.readiness, self[number.child].run?.id == output.run { pattern = line }
        return LogStream(
            number: number.rawValue, child: names[number.child], run: output.run, kind: number.kind,
            fileBytes: child.log.fileBytes, files: child.log.files, journal: child.log.journal, rate: child.log.rate,
            pattern: pattern, redactions: output.redactions)
    }

    private func finishStream(_ number: StreamNumber) {
        guard has(number.child) else { return }
        let cell = self[number.child]
        guard let index = cell.outputs.firstIndex(where: { number.isOf($0.run) }) else { return }
        _ = cell.outputs[index].with(number.kind) { fd in pipeWatch?.remove(fd) }
        cell.outputs[index].finish(number.kind)
        guard cell.outputs[index].isDrained else { return }
        cell.outputs.remove(at: index)
        keeper?.touch(number.child)
        if !crowded.isEmpty { letOn(number.child) }
    }
}

import SupervisorCore
import System
import Wire

/// What comes over the log link and from the writing threads.
extension LogWriter {
    /// Orders taken in one turn; the pipes want their turn too.
    static let ordersPerTurn = 32

    /// Orders are read only while there is room for what they bring.
    var wantsOrders: Bool {
        switch ending {
        case .no, .told: break
        case .orphaned, .draining, .finishing, .finished: return false
        }
        return files.hasRoom && !link.isCongested && link.unconfirmed == 0
    }

    /// Reads orders and sends what waits to be sent.
    func serveLink() {
        link.flush()
        guard wantsOrders else { return }
        loop: for _ in 0..<LogWriter.ordersPerTurn where files.hasRoom && !link.isCongested {
            switch link.next() {
            case .nothing:
                linkIsEmpty()
                break loop
            case .unreadable(let why): note(.unreadableOrder(why))
            case .end:
                linkHasEnded()
                break loop
            case .order(let order, var descriptors):
                carryOut(order, &descriptors)
            }
        }
        if link.unconfirmed > 0 { files.send(.mark) }
    }

    /// Everything that was said is carried out; the files get all of it before they are told to finish.
    private func linkIsEmpty() {
        guard case .told = ending, link.restsUntil == nil else { return }
        beginDraining(kernel.monotonic(), isAsked: true)
    }

    /// nexusd is gone. Where it had said that this is to end, that holds.
    private func linkHasEnded() {
        switch ending {
        case .no: ending = .orphaned(until: kernel.monotonic() + LogWriter.orphanTime)
        case .told: linkIsEmpty()
        case .orphaned, .draining, .finishing, .finished: break
        }
    }

    private func carryOut(_ order: LogOrder, _ descriptors: inout FDBundle) {
        let now = kernel.monotonic()
        let stamp = WallStamp(nanoseconds: kernel.wallClock())
        switch order {
        case .greeting(let second, let alive):
            files.send(.greeting(second: second, alive: alive, stamp))
        case .stream(let stream):
            // Another descriptor of a pipe that is read already: a new nexusd hands over what it has, and does not know what
            // the one before had handed over.
            if follow(stream) { return }
            guard let fd = descriptors.take() else {
                note(.unusable(stream))
                link.send(.eof(stream: stream.number))
                return
            }
            add(stream, fd, at: now)
        case .event(let event):
            note(event, at: stamp)
        case .last(let run, let lines, let tag):
            let child = streams.values.first { $0.target.run == run }?.target.child
            files.send(.last(run, child: child, lines: Int(lines), tag: tag))
        case .drain:
            beginDraining(now, isAsked: true)
        case .missing(let child, let lines):
            guard LogFileName.isChild(child) else { return }
            files.send(.missing(child: child, lines: Int(clamping: lines), .endedMeanwhile))
        }
    }

    /// Keeps an event of nexusd or of our own: in the file of nexusd's events, in the journal, in the book of runs.
    func note(_ event: LogEvent, at stamp: WallStamp? = nil) {
        let stamp = stamp ?? WallStamp(nanoseconds: kernel.wallClock())
        files.send(event.entry(at: stamp), to: LogFileName.supervisor, .ofEvents, worth: 1)
        journal?.send(event)
        if event.isLossOfChild, let child = event.child, LogFileName.isChild(child) {
            let run = event.run ?? EntryFormat.noRun
            files.send(
                EntryFormat.entry(stamp, run, .logWriter, .warning, text: event.message), to: child,
                worth: event.fields.first { $0.name == "LINES" }.flatMap { Int($0.value) } ?? 1)
        }
        guard let run = event.run, let child = event.child, LogFileName.isChild(child) else { return }
        switch event.book {
        case .none: break
        case .starting: files.send(.book(stamp, run, .starting, child: child, text: ""))
        case .ended: files.send(.book(stamp, run, .ended, child: child, text: event.bookText))
        }
    }

    /// What a writing thread says.
    func take(_ answer: SinkAnswer) {
        switch answer {
        case .settled(let ticket, let child, let counts):
            tally.add(child, at: kernel.monotonic()) { $0 += counts }
            finish(ticket)
        case .marked:
            link.confirm()
        case .missingInJournal(let child, let lines):
            tally.add(child, at: kernel.monotonic()) { $0.missingInJournal += UInt64(lines) }
        case .journalWentAway(let error):
            note(.journalAway(error))
            link.send(.journal(isThere: false))
        case .journalCameBack(let missing):
            note(.journalBack(missing: missing))
            link.send(.journal(isThere: true))
        case .journalHasRoom:
            break  // the wait has ended: those that are held are looked at
        case .report(let report):
            // What was lost comes before the word that it is said.
            if case .remarked = report { tellTally(kernel.monotonic(), all: true) }
            link.send(report)
        case .event(let event):
            note(event)
        case .finished:
            ending = .finished(until: kernel.monotonic() + LogWriter.journalTime)
        }
    }
}

import SupervisorCore
import System
import Wire

/// What comes over the log link and from the writing threads.
extension LogWriter {
    /// Orders taken in one turn; the pipes want their turn too.
    static let ordersPerTurn = 32

    /// Orders are read only while there is room for what they bring.
    var wantsOrders: Bool {
        guard case .no = ending else { return false }
        return files.hasRoom && !link.isCongested && link.unconfirmed == 0
    }

    /// Reads orders and sends what waits to be sent.
    func serveLink() {
        link.flush()
        guard wantsOrders else { return }
        loop: for _ in 0..<LogWriter.ordersPerTurn where files.hasRoom && !link.isCongested {
            switch link.next() {
            case .nothing: break loop
            case .unreadable(let why): note(.unreadableOrder(why))
            case .end:
                ending = .orphaned(until: kernel.monotonic() + LogWriter.orphanTime)
                break loop
            case .order(let order, var descriptors):
                carryOut(order, &descriptors)
            }
        }
        if link.unconfirmed > 0 { files.send(.mark) }
    }

    private func carryOut(_ order: LogOrder, _ descriptors: inout FDBundle) {
        let now = kernel.monotonic()
        let stamp = WallStamp(nanoseconds: kernel.wallClock())
        switch order {
        case .greeting(let second, let alive):
            files.send(.greeting(second: second, alive: alive, stamp))
        case .stream(let stream):
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
            beginDraining(now)
        }
    }

    /// Keeps an event of nexusd or of our own: in the file of nexusd's events, in the journal, in the book of runs.
    func note(_ event: LogEvent, at stamp: WallStamp? = nil) {
        let stamp = stamp ?? WallStamp(nanoseconds: kernel.wallClock())
        files.send(event.entry(at: stamp), to: LogFileName.supervisor, .ofEvents)
        journal?.send(event)
        guard let run = event.run, let child = event.child, LogFileName.isChild(child) else { return }
        switch event.book {
        case .none: break
        case .starting: files.send(.book(stamp, run, .starting, child: child, text: ""))
        case .ended: files.send(.book(stamp, run, .ended, child: child, text: event.message))
        }
    }

    /// What a writing thread says.
    func take(_ answer: SinkAnswer) {
        switch answer {
        case .written(let ticket):
            finish(ticket)
        case .dropped(let ticket, let child, let lines):
            drops.add(lines, of: child, .fileFailed)
            finish(ticket)
        case .marked:
            link.confirm()
        case .missingInJournal(let child, let lines):
            drops.add(lines, of: child, .journal)
        case .journalHasRoom:
            break  // the wait has ended: those that are held are looked at
        case .report(let report):
            link.send(report)
        case .event(let event):
            note(event)
        case .finished:
            ending = .finished(until: kernel.monotonic() + LogWriter.journalTime)
        }
    }

    /// Tells nexusd what is missing, at most once a second (it makes an event of it), and the child's file as soon as that
    /// takes something again. What the file-writing thread dropped it says there itself, and the journal's reader has the file.
    func tellDrops(_ now: Instant) {
        for drop in drops.take(at: now) {
            link.send(.dropped(child: drop.child, lines: UInt64(drop.lines)))
            if drop.cause == .diskHangs { unwrittenDrops.add(drop.lines, of: drop.child, drop.cause) }
        }
        // A queue that nobody empties must not grow by words about itself.
        guard files.hasRoom, !files.isStuck(at: now) else { return }
        for drop in unwrittenDrops.take(at: now) {
            let text = "\(drop.lines) lines are missing here: the disk took nothing for 5 s"
            let stamp = WallStamp(nanoseconds: kernel.wallClock())
            files.send(EntryFormat.entry(stamp, EntryFormat.noRun, .logWriter, .warning, text: text), to: drop.child)
        }
    }
}

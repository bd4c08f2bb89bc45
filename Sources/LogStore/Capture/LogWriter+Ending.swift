import SupervisorCore
import Wire

/// The end: everything that is in the pipes is written, then on the disk, then said to be so.
extension LogWriter {
    /// How the process comes to its end.
    enum Ending {
        case no
        /// nexusd is gone: the pipes are read on until this instant.
        case orphaned(until: Instant)
        /// Told to end by a signal, which overtakes what is on the link: that is read first, until this instant.
        case told(until: Instant)
        /// What is in the pipes is read, until this instant at the latest.
        case draining(until: Instant, isAsked: Bool)
        /// The writers were told to finish, and are waited for.
        case finishing
        /// The files have everything; the journal is given until this instant.
        case finished(until: Instant)
    }

    /// nexusd died: how long the pipes of its children are read on. Less than the 5 s that a new log-writer waits for the
    /// lock, so that the one of nexusd's successor finds it free.
    static let orphanTime: Duration = .seconds(4)
    /// How long pipes are emptied at the end: a child that never stops writing must not keep us.
    static let drainTime: Duration = .seconds(3)
    /// How long the journal may take for what it has not got yet.
    static let journalTime: Duration = .seconds(1)
    /// How often it is asked whether it has.
    static let journalCheck: Duration = .milliseconds(10)

    /// Unfinished lines are taken out now: nobody else will.
    var isDraining: Bool {
        guard case .draining = ending else { return false }
        return true
    }

    /// A signal says that it is to end. What nexusd said before that may be on the link still, the last ends of children
    /// among it.
    func beginLeaving(_ now: Instant) {
        switch ending {
        case .no: ending = .told(until: now + LogWriter.drainTime)
        case .orphaned: beginDraining(now)
        case .told, .draining, .finishing, .finished: break
        }
    }

    /// Reads what is in the pipes and then ends. `isAsked`: by nexusd's word, or by a signal while it was there.
    func beginDraining(_ now: Instant, isAsked: Bool = false) {
        switch ending {
        case .no, .orphaned, .told: break
        case .draining, .finishing, .finished: return
        }
        ending = .draining(until: now + LogWriter.drainTime, isAsked: isAsked)
        for stream in streams.values {
            switch stream.phase {
            case .waiting, .due: look(at: stream, from: now)
            case .writing, .held: break
            }
        }
    }

    /// Takes the next step when the one before is done; true when the process may exit.
    func goOnEnding(_ now: Instant) -> Bool {
        switch ending {
        case .no:
            return false
        case .orphaned(let until):
            guard streams.isEmpty || now >= until else { return false }
            beginDraining(now)
            return goOnEnding(now)
        case .told(let until):
            serveLink()
            guard case .told = ending else { return goOnEnding(now) }
            if now >= until { beginDraining(now, isAsked: true) }
            return false
        case .draining(let until, let isAsked):
            let isEmpty = active.allSatisfy { stream in
                guard case .waiting = stream.phase else { return false }
                return true
            }
            if isEmpty || now >= until {
                ending = .finishing
                tellCounts(now, all: true)
                files.send(.finish(ownRun: ownRun, WallStamp(nanoseconds: kernel.wallClock()), isAsked: isAsked))
            }
            return false
        case .finishing:
            return false
        case .finished(let until):
            guard journal?.isIdle ?? true || now >= until else { return false }
            tellCounts(now, all: true)
            link.send(.drained)
            return true
        }
    }
}

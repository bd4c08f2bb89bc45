import System
import Wire

/// What a writing thread tells the reading thread.
enum SinkAnswer: Sendable {
    /// The file has every entry of the batch: its bytes may leave the pipe.
    case written(Batch.Ticket)
    /// The batch was given up after 5 s: its bytes may leave the pipe too, and its lines are counted.
    case dropped(Batch.Ticket, child: String, lines: Int)
    /// Everything that was sent before the mark is carried out.
    case marked
    /// The journal took nothing for 5 s, and these lines of a child are missing there. The file has them.
    case missingInJournal(child: String, lines: Int)
    /// The journal takes nothing any more. Said once, until it is back.
    case journalWentAway(Errno)
    /// The journal takes lines again; so many are missing there.
    case journalCameBack(missing: Int)
    /// The journal's queue has room again.
    case journalHasRoom
    /// To be sent on to nexusd.
    case report(LogReport)
    /// Runs that the book closed, to be logged as events.
    case event(LogEvent)
    /// Everything that was sent before `finish` is done, and on the disk.
    case finished
}

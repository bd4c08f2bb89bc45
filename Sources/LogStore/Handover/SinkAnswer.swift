import System
import Wire

/// What a writing thread tells the reading thread.
enum SinkAnswer: Sendable {
    /// The file has the entries of the batch, or they were given up after 5 s, all or the rest of them: so many of each. Its
    /// bytes may leave the pipe.
    case settled(Batch.Ticket, child: String, LogCounts)
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

import SupervisorCore
import System

/// What the files of a child that did not take everything are behind with.
enum FilingTrouble {
    /// Something is waited for, up to `FileSink.patience`: nothing is lost yet.
    case waiting(Waiting)
    /// That was not enough: what is refused from now on is lost at once, for the child was held up long enough.
    case givenUp(GivenUp)

    struct Waiting {
        /// Never empty, in order.
        var writings: [Writing]
        /// The first refusal.
        let since: Instant
        /// The last one.
        var error: Errno
    }

    struct GivenUp {
        /// The last refusal. Files that take the last bytes of a disk, or what little it is given each second, are not well:
        /// it is over when nothing was refused for `FileSink.patience`.
        var refused: Instant
        var why: Reason
        /// Lines lost that the file does not speak of yet.
        var unsaid = 0
    }

    /// Why lines are missing.
    enum Reason: Equatable {
        case refused(Errno)
        /// A call to the disk did not return for `FileSink.patience`, and the reading thread dropped them.
        case hung
        /// An earlier log-writer knew.
        case endedMeanwhile

        /// For the remark in the file.
        var text: String {
            switch self {
            case .refused(let error): "\(error)"
            case .hung: "the disk took nothing for 5 s"
            case .endedMeanwhile: "the files took nothing, and log-writer was ended meanwhile"
            }
        }
    }

    var isWaiting: Bool {
        switch self {
        case .waiting: true
        case .givenUp: false
        }
    }

    /// Something that no pipe keeps waits.
    var holdsEntries: Bool {
        switch self {
        case .waiting(let waiting): waiting.writings.contains(where: \.isEntry)
        case .givenUp: false
        }
    }
}

/// Entries on their way into a file.
struct Writing {
    var content: Content
    /// What is in the file already.
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

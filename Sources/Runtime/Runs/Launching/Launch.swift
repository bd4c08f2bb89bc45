import SupervisorCore
import System

/// A run between its clone and its exec. How long that takes is not nexusd's to say: whoever owns the program file can let
/// execve wait (a lease, F_SETLEASE), and so can the file system it lies on. So the loop waits for the report as for
/// anything else, up to a limit.
final class Launch {
    /// For a program to be executed, from its clone on.
    static let limit: Duration = .seconds(10)
    /// Between two looks at a report that the poller does not watch.
    static let lookInterval: Duration = .milliseconds(10)

    /// Ends without a word when the program is executed, or the process before that; else it says where it failed.
    let report: OwnedFD
    /// What the run is listened to by, once it is executed.
    var equipment: Equipment
    /// When it has taken too long; nil: it is not waited for any more.
    var until: Instant?
    /// When the report is looked at without an event; nil: the poller watches it.
    var lookAt: Instant?
    /// What is known of its outcome.
    var outcome = Outcome.awaited

    /// What a report tells of a program that is not executed.
    enum Outcome: Equatable {
        /// Nothing yet.
        case awaited
        /// Why; the process is about to end.
        case failed(SpawnFailure)
        /// The process was ended before its exec, and is about to be reaped.
        case killed
        /// It was not executed in time, and is killed for that.
        case tooLate
    }

    init(_ report: consuming OwnedFD, _ equipment: consuming Equipment, at now: Instant) {
        self.report = report
        self.equipment = equipment
        until = now + Self.limit
    }

    /// When something is to be done; nil: the core sees to its end.
    var deadline: Instant? {
        guard let until else { return lookAt }
        return min(until, lookAt ?? until)
    }
}

extension SpawnFailure {
    /// The kernel still waits for the directory or the program file of a child.
    static let notInTime = SpawnFailure(stage: .exec, error: .timedOut)
}

import SupervisorCore
import System
import Wire

/// What the shell keeps of a child beside what the core keeps of it. One object a child, for the life of nexusd.
final class ChildCell {
    let id: ChildID
    /// The run that is not empty yet.
    var run: LivingRun?
    /// Its NOTIFY_SOCKET, when readiness or a watchdog needs one.
    var notify: NotifySocket?
    /// The next run needs another one: its user may be another.
    var isNotifyStale = false
    /// Its listening sockets, from before its first run until it is off.
    var sockets: ListeningSockets?
    /// Its PID file, while there is one.
    var pidFile: PIDFile?
    /// What it said of itself; of the living run.
    var status: String?
    /// Why its last probe, or the last word of a worker about it, was not healthy. Of its run: stays after the end it may
    /// have led to, until the next one starts or something says the opposite.
    var health: String?
    /// What its ready pattern captured, kept until the next run says something else.
    var captures: [LogReport.Capture] = []
    /// Output of its latest runs that log-writer has not read to the end; the newest last.
    var outputs: [RunOutput] = []

    /// What its last run took.
    var usage: EndUsage?
    /// The last command that meant it was a worker's stop.
    var isStoppedByWorker = false
    /// What is known of its last end, or of the one under way, beyond its exit.
    var remark: EndRemark?

    /// What became of its lines; nil until something is known, for most of a thousand children say little.
    private(set) var logTally: LogTally?

    /// What became of a child's lines in this life of nexusd.
    final class LogTally {
        fileprivate(set) var counts = LogCounts()
    }

    /// Adds what came since.
    func count(_ more: LogCounts) {
        let tally = logTally ?? LogTally()
        tally.counts += more
        logTally = tally
    }

    /// How its runs ended; nil before the first end.
    var ends: EndHistory?

    init(_ id: ChildID) { self.id = id }

    /// The main process, while it lives.
    var process: ProcessID? { run.flatMap { $0.hasExited ? nil : $0.process } }

    /// Runs whose output may wait for log-writer.
    static let undrainedRuns = 4
}

public import SupervisorCore
public import System
import Wire

/// log-writer: one thread that reads the pipes and the log link and never blocks, one that writes files, one that writes to
/// journald. This is the reading thread.
///
/// Bytes leave a child's pipe only after the file has them: they are copied with tee(2), written by the other thread, and
/// then discarded. Whoever kills this process at any instant loses no line; some may be written twice.
public final class LogWriter {
    let kernel: any LogKernel
    let files: FileSink
    let journal: JournalSink?
    let ownRun: RunID?
    let answers: Mailbox<SinkAnswer>
    var link: LinkPort
    let peek: PipePeek
    let drain: PipeDrain
    var streams: [UInt64: CapturedStream] = [:]
    /// Those of the streams that are not simply waiting for something to come.
    var active: [CapturedStream] = []
    var blocks = BlockPool()
    /// Not told to nexusd yet.
    var tally = Tally()
    /// Lines that a hanging disk did not take, by child: not written down yet.
    var unwritten: [String: Int] = [:]
    /// How much children may still say, and which of them say more.
    var floods: [String: FloodLimit] = [:]
    var suppressing: [String] = []
    var ending = Ending.no
    let epoll: OwnedFD
    var nextIdentity: UInt64 = 1
    private let edges = PollBatch()
    private var memoryDue: Instant?
    private var signals: SignalSource
    private let lock: DirectoryLock

    /// Takes the directory's lock, opens the book of runs and starts the writing threads. `journal` is the path of journald's
    /// socket, nil for none; `run` is log-writer's own, as nexusd told it (NEXUS_RUN_ID); `retention` says what becomes of old
    /// files.
    public init(
        _ kernel: any LogKernel, directory: String, journal: String?, link: consuming OwnedFD, run: RunID? = nil,
        retention: Retention = Retention()
    ) throws(LogWriterError) {
        self.kernel = kernel
        ownRun = run
        do throws(Errno) {
            kernel.setTimerSlack(.microseconds(1))
            signals = try SignalSource(kernel, [.terminate, .interrupt, .hangUp, .user1])
            lock = try DirectoryLock(kernel, directory: directory)
            let answers = try Mailbox<SinkAnswer>(kernel)
            self.answers = answers
            files = try FileSink(kernel, directory: directory, retention: retention, answers: answers)
            if let journal {
                self.journal = try JournalSink(kernel, path: journal, answers: answers)
            } else {
                self.journal = nil
            }
            epoll = try kernel.makeEpoll()
            peek = try PipePeek(kernel)
            drain = try PipeDrain(kernel)
            self.link = try LinkPort(kernel, link)
        } catch {
            throw LogWriterError(
                directory: directory, error: error, displaced: DirectoryLock.displaced(kernel, directory))
        }
    }

    /// Serves until everything is drained; the process may exit then.
    public func run() throws(Errno) {
        link.send(.ready)
        while true {
            try wait()
            for answer in answers.takeAll() { take(answer) }
            let now = kernel.monotonic()
            if link.resume(at: now) { serveLink() }
            // A disk that hangs must not keep the link unread as well.
            if link.unconfirmed > 0, files.isStuck(at: now) { link.confirm() }
            lookAtDue(now)
            tellCounts(now)
            giveMemoryBack(now)
            if goOnEnding(now) { return }
        }
    }

    /// Waits for the first of: the link, an answer, a signal, an instant, and the pipes, unless one is being paced: it would
    /// end the wait with every line that is written into it.
    private func wait() throws(Errno) {
        active.removeAll { stream in
            guard case .waiting(until: nil) = stream.phase else { return false }
            return true
        }
        let isPaced = active.contains(where: \.isPaced)
        var requests = [
            link.request(wantsOrders: wantsOrders), answers.request, WaitRequest(signals.fd, .readable),
            WaitRequest(epoll, isPaced ? .none : .readable),
        ]
        var limit = nextInstant().map { max(.zero, $0 - kernel.monotonic()) }
        // The other pipes are not waited for meanwhile: they are asked after the longest pause.
        if isPaced { limit = min(limit ?? Pace.longestOfFlood, Pace.longestOfFlood) }
        if answers.hasMessages(urgentOnly: !waitsForAnswers(kernel.monotonic())) { limit = .zero }
        try kernel.wait(for: &requests, atMost: limit)
        if requests[1].isReady { answers.silence() }
        if requests[0].isReady { serveLink() }
        if requests[2].isReady { try takeSignals() }
        if isPaced || requests[3].isReady { try collectEdges() }
    }

    /// Asked for a sign of life, or to end.
    private func takeSignals() throws(Errno) {
        while let received = try signals.next() {
            if received.signal == .user1 {
                let isBehind = active.contains { stream in
                    guard case .waiting = stream.phase else { return true }
                    return false
                }
                link.send(.alive(isBehind: isBehind))
            } else {
                beginLeaving(kernel.monotonic())
            }
        }
    }

    private func collectEdges() throws(Errno) {
        try kernel.wait(epoll, into: edges, milliseconds: 0)
        let now = kernel.monotonic()
        for index in 0..<edges.count {
            let edge = edges[index]
            // The token is never used again: an edge of a pipe that was closed meanwhile finds nothing.
            guard let stream = streams[edge.token] else { continue }
            if edge.events.contains(.hangUp) { stream.hasHungUp = true }
            if case .waiting = stream.phase { look(at: stream, from: now) }
        }
    }

    /// The first instant at which something has to be done although nothing came.
    private func nextInstant() -> Instant? {
        var next = [tellingDue, link.restsUntil].compactMap { $0 }.min()
        func consider(_ instant: Instant?) {
            guard let instant else { return }
            next = min(next ?? instant, instant)
        }
        let now = kernel.monotonic()
        var waitsForDisk = false
        for stream in active {
            switch stream.phase {
            case .waiting(let instant): consider(instant)
            case .due(let instant): consider(instant)
            case .writing(_, let since):
                // What is written by then needs no wake-up of its own.
                let due = since + stream.pace.pause
                if !isDraining, due > now { consider(due) }
                waitsForDisk = true
            case .held: waitsForDisk = true
            }
        }
        // A disk that hangs says nothing: it has to be asked.
        if waitsForDisk { consider(kernel.monotonic() + LogWriter.hangCheck) }
        switch ending {
        case .no, .finishing: break
        case .orphaned(let until), .told(let until), .draining(let until, _), .finished(let until): consider(until)
        }
        if active.isEmpty { consider(memoryDue) }
        if !unwritten.isEmpty || link.unconfirmed > 0 { consider(kernel.monotonic() + LogWriter.hangCheck) }
        return next
    }

    /// True when a batch is still not written although its pause is over: then the answer has to wake us.
    private func waitsForAnswers(_ now: Instant) -> Bool {
        active.contains { stream in
            guard case .writing(_, let since) = stream.phase else { return false }
            return isDraining || since + stream.pace.pause <= now
        }
    }

    /// How often the file-writing thread is asked whether it hangs, while somebody waits for it.
    static let hangCheck: Duration = .seconds(1)

    /// Gives memory back when nothing is coming: that of a few lines at once, for a timer would wake an idle process; that
    /// of a flood when nothing has come for a while, for its next block may be near, and its pages cost as much as their use.
    private func giveMemoryBack(_ now: Instant) {
        let isIdle = active.allSatisfy { stream in
            guard case .waiting(until: nil) = stream.phase else { return false }
            return true
        }
        guard isIdle else { return memoryDue = nil }
        let due = memoryDue ?? now + (blocks.touched < LogWriter.smallBurst ? .zero : LogWriter.memoryTime)
        memoryDue = due
        guard now >= due else { return }
        memoryDue = nil
        blocks.release()
        peek.release()
    }

    /// How long the memory of a flood is kept after its last line, and what is none.
    static let memoryTime: Duration = .seconds(1)
    static let smallBurst = 32 * 1024
}

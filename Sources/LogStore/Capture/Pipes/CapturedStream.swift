import SupervisorCore
import System
import Wire

/// One pipe of one run, as the reading thread sees it.
final class CapturedStream {
    /// How old an unfinished line may get before it is taken out.
    static let patience: Duration = .milliseconds(200)
    /// Earlier parts of a line that are kept for the ready pattern.
    static let carryLimit = LineFormatter.longestEntry

    /// What happens to it next.
    enum Phase {
        /// Something has to come: the poller says so. With an unfinished line in the pipe, at this instant at the latest.
        case waiting(until: Instant?)
        /// It is looked at at this instant.
        case due(Instant)
        /// This batch of it is being written since this instant.
        case writing(Batch, since: Instant)
        /// A queue is full; it is looked at when there is room.
        case held
    }

    /// nexusd's number.
    let number: UInt32
    private(set) var target: LogTarget
    let end: PipeEnd
    /// What its child may say at most; nil: anything.
    private(set) var rate: LogRate?
    /// F_GETPIPE_SZ.
    private(set) var pipeBytes: Int
    var phase: Phase
    var pace = Pace()
    var formatter: LineFormatter
    /// The batch that was handed over last.
    var ticket: Batch.Ticket
    /// An edge tells when something comes.
    var isWatched = false
    /// No writer is left.
    var hasHungUp = false
    /// Bytes of an unfinished line that were seen in the pipe, and since when.
    private(set) var unfinished: (bytes: Int, since: Instant)?

    private let redaction: Redaction
    private var pattern: LinePattern?
    private var carry: [UInt8] = []

    init(_ order: LogStream, fd: consuming OwnedFD, identity: UInt64, pipeBytes: Int, now: Instant) {
        number = order.number
        target = Self.target(order)
        rate = Self.rate(order)
        end = PipeEnd(fd)
        self.pipeBytes = pipeBytes
        phase = .due(now)
        redaction = Redaction(order.redactions)
        formatter = LineFormatter(pipeBytes: pipeBytes, redaction: redaction)
        ticket = Batch.Ticket(stream: identity, serial: 0)
        pattern = order.pattern
    }

    private static func target(_ order: LogStream) -> LogTarget {
        LogTarget(
            child: order.child, run: order.run, source: .child(order.kind),
            rotation: Rotation(fileBytes: order.fileBytes, files: order.files), journal: order.journal)
    }

    /// A rate of nothing would silence the child, and one without time could never be over.
    private static func rate(_ order: LogStream) -> LogRate? {
        order.rate.flatMap { $0.lines > 0 && $0.window > .zero ? $0 : nil }
    }

    /// Other options for the same pipe; they count from its next batch on.
    func follow(_ order: LogStream) {
        target = Self.target(order)
        rate = Self.rate(order)
    }

    /// True while it is left alone, or written: what comes into it is not of interest yet.
    var isPaced: Bool {
        switch phase {
        case .due, .writing: true
        case .waiting, .held: false
        }
    }

    /// Gives a child that floods a larger pipe, as far as the user's budget of pipe pages goes (pipe(7)).
    func growPipe(_ kernel: any LogKernel) {
        guard pace.wantsLargerPipe else { return }
        pace.hasGrown()
        guard pipeBytes < Pace.floodPipeBytes else { return }
        pipeBytes = (try? kernel.setPipeSize(end.fd, to: Pace.floodPipeBytes)) ?? pipeBytes
    }

    /// What is to be done with bytes behind the last newline, of which all that the pipe has were seen when `isAll`.
    func remainder(isAll: Bool, isDraining: Bool, now: Instant) -> LineFormatter.Remainder {
        if hasHungUp && isAll { return .isLast }
        if isDraining { return .isTaken }
        guard let unfinished, now - unfinished.since >= CapturedStream.patience else { return .stays }
        return .isOld
    }

    /// Keeps in mind what a look left in the pipe; the instant at which it has to be looked at again even if nothing comes.
    func leave(_ bytes: Int, tookSome: Bool, now: Instant) -> Instant? {
        guard bytes > 0 else {
            unfinished = nil
            return nil
        }
        if tookSome || unfinished == nil { unfinished = (bytes, now) }
        unfinished?.bytes = bytes
        let old = (unfinished?.since ?? now) + CapturedStream.patience
        // Older already and not taken: half a scalar or half a secret, which waits for its rest without a timer.
        return old > now ? old : nil
    }

    /// Whether anyone wants to see the lines.
    var isMatching: Bool { pattern != nil }

    /// Shows a line to the ready pattern; the captures of its first match, once a run.
    func match(_ text: UnsafeRawBufferPointer, isPartial: Bool) -> [LogReport.Capture]? {
        guard let pattern else { return nil }
        if carry.isEmpty && !isPartial { return matched(pattern.match(text, redaction)) }
        carry += text.prefix(max(0, CapturedStream.carryLimit - carry.count))
        guard !isPartial else { return nil }
        defer { carry = [] }
        return matched(carry.withUnsafeBytes { pattern.match($0, redaction) })
    }

    private func matched(_ captures: [LogReport.Capture]?) -> [LogReport.Capture]? {
        guard let captures else { return nil }
        pattern = nil
        return captures
    }
}

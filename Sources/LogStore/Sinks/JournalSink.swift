import SupervisorCore
import Synchronization
import System
import Wire

/// The reading thread's end of the journal-writing thread. Whether there is a journal at all is found out by trying: on a
/// machine without one nothing is missing and nothing is counted.
final class JournalSink: Sendable {
    /// Where journald listens.
    static let standardPath = "/run/systemd/journal/socket"
    /// Bytes of batches that may wait for journald; what does not fit holds its child up.
    static let queueLimit = 1024 * 1024

    private enum Order: Sendable {
        case batch(Batch)
        case event(LogEvent)
    }

    private let inbox: Mailbox<Order>
    private let roomWanted = Atomic<Bool>(false)

    init(_ kernel: any LogKernel, path: String, answers: Mailbox<SinkAnswer>) throws(Errno) {
        inbox = try Mailbox(kernel)
        try NativeThread.start("log-journal") { [self] in
            var writer = JournalWriter(kernel, path: path, answers: answers)
            while true {
                for order in inbox.receive(atMost: nil) {
                    switch order {
                    case .batch(let batch):
                        writer.write(batch)
                        inbox.discharge(batch.weight)
                    case .event(let event):
                        writer.write(event)
                        inbox.discharge(JournalSink.eventWeight)
                    }
                    if hasRoom, roomWanted.exchange(false, ordering: .acquiringAndReleasing) {
                        answers.send(.journalHasRoom)
                    }
                }
            }
        }
    }

    private static let eventWeight = 1024

    /// True when another batch may be sent.
    var hasRoom: Bool { inbox.weight < JournalSink.queueLimit }

    /// True when everything was sent or given up.
    var isIdle: Bool { inbox.weight == 0 }

    /// Has `journalHasRoom` said as soon as it is so.
    func askForRoom() { roomWanted.store(true, ordering: .releasing) }

    func send(_ batch: Batch) { inbox.send(.batch(batch), weight: batch.weight) }

    func send(_ event: LogEvent) {
        // Events are few and small; with a journal that takes nothing the file still has them.
        if hasRoom { inbox.send(.event(event), weight: JournalSink.eventWeight) }
    }
}

/// The journal-writing thread's own state.
struct JournalWriter {
    /// How long journald may take nothing before lines are dropped for it.
    static let patience: Duration = .seconds(5)
    /// How often a journal that is not there is looked for.
    static let searchPause: Duration = .seconds(1)

    private let kernel: any LogKernel
    private let path: String
    private let answers: Mailbox<SinkAnswer>
    private var socket: Connection?
    private var nextSearch = Instant(nanoseconds: 0)
    /// It was there once: from then on what it does not get is missing.
    private var wasThere = false
    /// It takes nothing: that was said, and is not waited for again. So many lines are missing there.
    private var isAway = false
    private var missing = 0
    private var lastError = Errno.noEntry
    private var datagram = JournalDatagram()

    private final class Connection {
        let fd: OwnedFD

        init(fd: consuming OwnedFD) { self.fd = fd }
    }

    init(_ kernel: any LogKernel, path: String, answers: Mailbox<SinkAnswer>) {
        self.kernel = kernel
        self.path = path
        self.answers = answers
    }

    /// Sends the lines of a batch; what journald does not take within the patience is counted.
    mutating func write(_ batch: Batch) {
        let fields = JournalDatagram.fields(of: batch.target)
        var missing = 0
        var rest = batch.entries[...]
        while let newline = rest.firstIndex(of: 0x0A) {
            let entry = UnsafeRawBufferPointer(rebasing: rest[..<newline])
            datagram.append(entry: entry, prefixBytes: batch.prefixBytes, fields: fields)
            rest = rest[(newline + 1)...]
            if datagram.isFull { missing += flush() }
        }
        missing += flush()
        if missing > 0 { answers.send(.missingInJournal(child: batch.target.child, lines: missing)) }
    }

    /// Sends an event; the files have it in any case.
    mutating func write(_ event: LogEvent) {
        datagram.append(event: event)
        _ = flush()
    }

    /// Sends what was gathered; the number of entries that are missing in the journal now.
    private mutating func flush() -> Int {
        defer { datagram.clear() }
        guard !datagram.isEmpty else { return 0 }
        guard let error = send() else {
            if isAway { answers.send(.journalCameBack(missing: missing)) }
            (isAway, missing) = (false, 0)
            return 0
        }
        // A machine that never had a journal misses nothing.
        guard wasThere else { return 0 }
        if !isAway { answers.send(.journalWentAway(error)) }
        isAway = true
        missing += datagram.entries
        return datagram.entries
    }

    /// nil: journald has it.
    private mutating func send() -> Errno? {
        let deadline = kernel.monotonic() + JournalWriter.patience
        var hasTriedAgain = false
        while true {
            do {
                let socket = try connected()
                _ = try datagram.bytes.withUnsafeBufferPointer { bytes throws(Errno) in
                    try kernel.send(socket.fd, UnsafeRawBufferPointer(bytes), passing: [], to: nil)
                }
                return nil
            } catch  where error == .again {
                let left = deadline - kernel.monotonic()
                // Who has waited once for a journal that takes nothing does not wait again for each line.
                guard !isAway, left > .zero, let socket else { return error }
                var requests = [WaitRequest(socket.fd, .writable)]
                try? kernel.wait(for: &requests, atMost: left)
            } catch {
                guard socket != nil else { return error }
                // journald went away; its socket is systemd's and waits for the next one, or is a new one.
                socket = nil
                if hasTriedAgain { return error }
                hasTriedAgain = true
                nextSearch = kernel.monotonic()
            }
        }
    }

    private mutating func connected() throws(Errno) -> Connection {
        if let socket { return socket }
        let now = kernel.monotonic()
        guard now >= nextSearch else { throw lastError }
        nextSearch = now + JournalWriter.searchPause
        do {
            let fd = try kernel.makeSocket(.unix, .datagram)
            try kernel.connect(fd, to: .path(path))
            let connection = Connection(fd: fd)
            socket = connection
            wasThere = true
            return connection
        } catch {
            // A socket that nobody reads: there is a journal, and it is away.
            if error == .connectionRefused { wasThere = true }
            lastError = error
            throw error
        }
    }
}

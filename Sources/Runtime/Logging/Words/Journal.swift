import SupervisorCore
import System
import Wire

/// Where nexusd's own words go: to log-writer through its link, and to stderr while log-writer does not serve.
final class Journal {
    private let kernel: any Kernel
    private let stderr: StandardError
    /// The living log-writer's link.
    private(set) var link: LogLink?
    /// Words that no log-writer has taken yet; it outlives links.
    private(set) var queue = RecordQueue()
    /// False for a tree without log-writer: then nothing is kept for one.
    private let keeps: Bool
    /// The living log-writer says that journald takes nothing.
    var isJournaldAway = false
    /// Records of nexusd itself that were lost since it began.
    private(set) var lostRecords: UInt64 = 0
    private var hasSent = false
    /// Log-writer's own last words.
    var lastWords = ByteRing(capacity: 4096)
    /// Finds the descriptor and the description of a stream that is to be handed over; set once by the engine.
    var lendStream: (StreamNumber, _ give: (LogStream, borrowing OwnedFD) -> Void) -> Void = { _, _ in }

    init(_ kernel: any Kernel, stderr: StandardError, keepsForLogWriter: Bool) {
        self.kernel = kernel
        self.stderr = stderr
        keeps = keepsForLogWriter
    }

    /// True while log-writer serves, so that stderr stays quiet but for what whoever looks at a container must see.
    var isServed: Bool { link?.isReady ?? false }

    func say(_ event: LogEvent) {
        if keeps { queue.append(event: LogOrder.event(event).packet(), .init(event)) }
        if !isServed || event.isHeadline && !stderr.isJournal { stderr.write(event) }
    }

    /// What no log-writer has taken, for the program that goes on.
    var memory: JournalMemory {
        var memory = JournalMemory()
        memory.events = queue.withoutOrders.words
        memory.lost = lostRecords
        return memory
    }

    /// The inverse; before a link is opened.
    func recall(_ memory: JournalMemory) {
        for event in memory.events { queue.append(event: event, LogOrder.share(event) ?? .ordinary) }
        lostRecords = memory.lost
    }

    /// A log-writer was started: it is told of what waited, then greeted. What it then makes an end of by itself is what none of
    /// that has told it of.
    func open(_ link: LogLink, greeting: LogOrder) {
        queue.append(.words(greeting.packet()))
        self.link = link
        flush()
    }

    /// The link of a log-writer that has ended together with a nexusd before this one.
    func inherit(_ link: LogLink, _ scratch: UnsafeMutableRawBufferPointer) -> [LogReport] {
        self.link = link
        return close(scratch)
    }

    /// Log-writer ended: what it had not read is kept for the next one. Returns what it still had reported.
    func close(_ scratch: UnsafeMutableRawBufferPointer) -> [LogReport] {
        guard let link else { return [] }
        self.link = nil
        isJournaldAway = false
        var reports: [LogReport] = []
        while let report = link.receive(kernel, scratch) { reports.append(report) }
        let waiting = queue
        queue.removeAll()
        for packet in link.unreadEvents(kernel, scratch) {
            queue.append(event: packet, LogOrder.share(packet) ?? .ordinary)
        }
        queue.append(contentsOf: waiting.withoutOrders)
        return reports
    }

    /// Queues an order for the living log-writer.
    func order(_ order: LogOrder) { if link != nil { queue.append(.words(order.packet())) } }

    /// Hands over every stream there is.
    func hand(all streams: [StreamNumber]) {
        link?.hasStreams = true
        for stream in streams { hand(stream) }
        flush()
    }

    /// Hands a fresh stream over, if there is somebody to take it; else it comes with all others.
    func hand(_ stream: StreamNumber) { if link?.hasStreams == true { queue.append(.stream(stream.rawValue)) } }

    /// True when the living log-writer has a descriptor of its own of this stream and reads on, whatever becomes of ours.
    func hasHanded(_ stream: StreamNumber) -> Bool { link?.hasStreams == true && !queue.contains(stream.rawValue) }

    /// Sends what the socket takes.
    func flush() {
        guard let link else { return }
        while let packet = queue.first {
            let sent: Bool
            switch packet {
            case .words(let bytes): sent = send(bytes, passing: [])
            case .stream(let number): sent = send(StreamNumber(rawValue: number))
            }
            link.wantsRoom = !sent
            guard sent else { return }
            hasSent = true
            queue.removeFirst()
        }
        reportLost()
    }

    /// Whether anything was sent since the last time: log-writer has something to do.
    func takeSent() -> Bool {
        defer { hasSent = false }
        return hasSent
    }

    private func send(_ number: StreamNumber) -> Bool {
        // A stream that was finished or dropped meanwhile is lent to nobody and counts as handed over.
        var sent = true
        lendStream(number) { stream, fd in
            sent = send(LogOrder.stream(stream).packet(), passing: [fd.raw])
        }
        return sent
    }

    private func send(_ packet: [UInt8], passing descriptors: [Int32]) -> Bool {
        link?.send(packet, passing: descriptors, kernel) ?? false
    }

    private func reportLost() {
        let lost = queue.takeLost()
        guard lost > 0 else { return }
        lostRecords += lost
        say(
            LogEvent(
                .recordsDropped, 4, "\(lost) records of nexusd itself were lost: log-writer was not there in time.",
                nil, nil, [LogEvent.Field(name: "LOST", value: String(lost))]))
    }
}

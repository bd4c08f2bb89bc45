import Wire

/// nexusd's words on their way to log-writer, encoded, in order, at most so many bytes as their share says. What does not
/// fit is counted, and the count goes out as soon as there is room.
struct RecordQueue: Sendable {
    /// How far an event may fill the queue. Who used a control verb must not be lost to what else happens; what an owner did not to
    /// what workers do.
    enum Share: Sendable {
        case ordinary, workersVerb, clientsVerb

        init(_ event: LogEvent) {
            guard event.messageID == EventKind.audit.rawValue else {
                self = .ordinary
                return
            }
            self = event.child == nil ? .clientsVerb : .workersVerb
        }

        /// Bytes of waiting packets.
        var limit: Int {
            switch self {
            case .ordinary: 65_536
            case .workersVerb: 81_920
            case .clientsVerb: 98_304
            }
        }
    }

    /// One packet of the log link.
    enum Packet: Sendable {
        /// The payload of an `event`, `greeting`, `last` or `drain`.
        case words([UInt8])
        /// An output stream, by its number: encoded when it is sent, for its descriptor goes with it.
        case stream(UInt32)
    }

    private var packets: [Packet] = []
    private var head = 0
    private var waitingBytes = 0
    /// Events dropped since the last `takeLost`.
    private(set) var lost: UInt64 = 0

    var isEmpty: Bool { head == packets.count }

    /// Queues an event, or counts it as lost.
    mutating func append(event: [UInt8], _ share: Share) {
        guard waitingBytes + event.count <= share.limit else { return lost += 1 }
        append(.words(event))
    }

    /// Queues what must not be lost: streams and orders, whose number the tree bounds.
    mutating func append(_ packet: Packet) {
        if case .words(let bytes) = packet { waitingBytes += bytes.count }
        packets.append(packet)
    }

    /// Whether this stream is still to be handed over.
    func contains(_ stream: UInt32) -> Bool {
        packets[head...].contains { packet in
            switch packet {
            case .words: false
            case .stream(let number): number == stream
            }
        }
    }

    var first: Packet? { isEmpty ? nil : packets[head] }

    mutating func removeFirst() {
        if case .words(let bytes) = packets[head] { waitingBytes -= bytes.count }
        head += 1
        if head == packets.count {
            packets.removeAll(keepingCapacity: packets.count <= 16)
            head = 0
        } else if head >= 256 {
            packets.removeFirst(head)
            head = 0
        }
    }

    mutating func takeLost() -> UInt64 {
        defer { lost = 0 }
        return lost
    }

    mutating func removeAll() { self = RecordQueue() }

    /// Queues all of another queue behind its own; events still within the limit, losses added up.
    mutating func append(contentsOf other: RecordQueue) {
        for packet in other.packets[other.head...] {
            switch packet {
            case .words(let bytes): append(event: bytes, LogOrder.share(bytes) ?? .ordinary)
            case .stream: append(packet)
            }
        }
        lost += other.lost
    }

    /// What is no stream, in order.
    var words: [[UInt8]] {
        packets[head...].compactMap { packet in
            switch packet {
            case .words(let bytes): bytes
            case .stream: nil
            }
        }
    }

    /// Without streams, whose next log-writer is told of all of them anyway.
    var withoutOrders: RecordQueue {
        var kept = RecordQueue()
        for case .words(let bytes) in packets[head...] {
            if let share = LogOrder.share(bytes) { kept.append(event: bytes, share) }
        }
        kept.lost = lost
        return kept
    }
}

extension LogOrder {
    /// The share of a packet that is an event; greetings, drains and questions have none, and are for one log-writer only.
    static func share(_ packet: [UInt8]) -> RecordQueue.Share? {
        if case .event(let event)? = try? LogOrder(packet: packet) { RecordQueue.Share(event) } else { nil }
    }
}

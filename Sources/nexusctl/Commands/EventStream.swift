import ControlClient
import Wire

/// nexusd's `events`, from the moment of the subscription on.
final class EventStream {
    private let connection: ControlConnection
    private let request: FrameID
    /// What came while it was not certain yet that nexusd had heard.
    private var early: [Event] = []

    /// Returns when nexusd has taken the subscription.
    init(_ connection: ControlConnection) throws(ControlError) {
        self.connection = connection
        request = connection.request("events")
        // Requests of one link are taken in order.
        let sign = connection.request("version")
        while let frame = try connection.next() {
            if frame.header.id == sign { return }
            if let event = try event(in: frame) { early.append(event) }
        }
    }

    /// For poll(2), when `next(until: 0)` has nothing.
    var descriptor: Int32 { connection.descriptor }

    /// Waits for the next one, at most until then (`ControlConnection.now()`); nil also when nexusd has ended.
    func next(until deadline: Int64? = nil) throws(ControlError) -> Event? {
        if !early.isEmpty { return early.removeFirst() }
        while let frame = try connection.next(until: deadline) {
            if frame.header.id == request, frame.header.kind == .end { return nil }
            if let event = try event(in: frame) { return event }
        }
        return nil
    }

    private func event(in frame: Frame) throws(ControlError) -> Event? {
        guard frame.header.id == request else { return nil }
        switch frame.header.kind {
        case .stream, .reply: return (try? JSONParser.parse(frame.payload)).map(Event.init)
        case .error: throw ControlConnection.failure(frame.payload)
        case .end, .hello, .welcome, .request, .event, .cancel, .credit, .ping, .pong, .drain, .drained, .ready,
            .status,
            .health:
            return nil
        }
    }
}

import ControlClient
import Wire

/// Status reports as things happen: it subscribes to nexusd's events and asks for the status when one comes, not by the
/// clock. What a child says of itself has no event; for that it is asked again after a few quiet seconds.
final class StatusFeed {
    let connection: ControlConnection
    private let events: FrameID
    private var question: FrameID?
    private var answer: [UInt8] = []
    /// When the next question is due.
    private(set) var due: Int64 = 0
    /// A burst of events (a group that restarts) is few questions: at least this between two.
    static let pauseMilliseconds: Int64 = 100
    static let quietMilliseconds: Int64 = 3000

    /// Subscribes and asks.
    init(_ connection: ControlConnection) throws(ControlError) {
        self.connection = connection
        events = connection.request("events")
        try ask()
    }

    /// Asks when it is time to.
    func askIfDue() throws(ControlError) {
        if question == nil, ControlConnection.now() >= due { try ask() }
    }

    private func ask() throws(ControlError) {
        question = connection.request("status")
        answer = []
        due = ControlConnection.now() + Self.quietMilliseconds
        try connection.flush()
        earliest = ControlConnection.now() + Self.pauseMilliseconds
    }

    private var earliest: Int64 = 0

    /// Takes what has come; the newest report among it.
    func take() throws(ControlError) -> StatusReport? {
        var newest: StatusReport?
        while let frame = try connection.next(until: 0) {
            if frame.header.id == events {
                if frame.header.kind == .error { throw ControlConnection.failure(frame.payload) }
                // The answer under way may be older than this.
                if !frame.payload.isEmpty { due = min(due, max(earliest, ControlConnection.now())) }
                continue
            }
            guard frame.header.id == question else { continue }
            switch frame.header.kind {
            case .stream: answer += frame.payload
            case .reply, .end:
                newest = StatusReport(try ControlConnection.json(answer + frame.payload))
                question = nil
                answer = []
            case .error: throw ControlConnection.failure(frame.payload)
            case .hello, .welcome, .request, .event, .cancel, .credit, .ping, .pong, .drain, .drained, .ready, .status,
                .health:
                continue
            }
        }
        return newest
    }
}

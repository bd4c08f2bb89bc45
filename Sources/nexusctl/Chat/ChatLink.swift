import ControlClient
import Glibc
import SupervisorCore
import Wire

/// Requests to chat-bridge over the control socket.
final class ChatLink {
    /// The worker's name in Supervisor.toml.
    static let worker = "chat-bridge"
    /// How long chat-bridge may be away before a message is given up; it is back within a second after a crash.
    static let patienceMilliseconds: Int64 = 15_000

    let connection: ControlConnection
    private var peer: PeerID?

    init(_ connection: ControlConnection) { self.connection = connection }

    /// Sends a request; the answer comes with the id.
    func ask(_ members: [JSONValue.Member]) throws(ControlError) -> FrameID {
        let peer = try worker()
        let id = connection.request(Array(JSONValue.object(members).line.utf8), to: peer)
        try connection.flush()
        return id
    }

    /// Asks and hands on each object of the answer, with its bytes.
    func collect(
        _ members: [JSONValue.Member], _ body: (JSONValue, [UInt8]) -> Void
    ) throws(ControlError) {
        let id = try ask(members)
        while let frame = try connection.next(until: ControlConnection.now() + Self.patienceMilliseconds) {
            guard frame.header.id == id else { continue }
            switch frame.header.kind {
            case .stream, .reply:
                body(try ControlConnection.json(frame.payload), frame.payload)
                if frame.header.kind == .reply { return }
            case .end: return
            case .error: throw ControlConnection.failure(frame.payload)
            case .hello, .welcome, .request, .event, .cancel, .credit, .ping, .pong, .drain, .drained, .ready, .status,
                .health:
                continue
            }
        }
        throw ControlError(.timeout, "\(Self.worker) does not answer", hint: "see: nexusctl status")
    }

    /// Says that nobody listens to this answer any more.
    func cancel(_ id: FrameID) throws(ControlError) {
        connection.cancel(id, of: try worker())
        try connection.flush()
    }

    private func worker() throws(ControlError) -> PeerID {
        if let peer { return peer }
        let limit = ControlConnection.now() + Self.patienceMilliseconds
        guard let found = try connection.peer(named: Self.worker, until: limit) else {
            throw ControlError(
                .failed, "this tree has no \(Self.worker) that may be asked",
                hint: "it is a worker in Supervisor.toml, and asking it needs the control class of the socket")
        }
        peer = found
        return found
    }
}

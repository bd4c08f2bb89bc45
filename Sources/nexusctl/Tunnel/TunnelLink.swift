import ControlClient
import SupervisorCore
import Wire

/// Requests to tunnel-worker over the control socket.
struct TunnelLink {
    /// The worker's name in Supervisor.toml.
    static let worker = "tunnel-worker"
    // It asks cloudflared for its version and its opinion before it answers; a look through the edge takes up to 10 s.
    private static let patienceMilliseconds: Int64 = 60_000

    private let connection: ControlConnection
    private let chain: Chain

    init(_ place: Place) throws(ControlError) {
        connection = try place.connect()
        chain = Chain(place: place)
    }

    /// Asks and waits for the one object of the answer.
    func ask(_ op: String, mode: String? = nil, more: [JSONValue.Member] = []) throws(ControlError) -> (
        json: JSONValue, line: [UInt8]
    ) {
        if let obstacle = chain.obstacle(among: [Self.worker]) { throw ControlError(.failed, obstacle) }
        let limit = ControlConnection.now() + Self.patienceMilliseconds
        guard let peer = try connection.peer(named: Self.worker, until: limit) else {
            throw ControlError(
                .failed, "this tree has no \(Self.worker) that may be asked",
                hint: "it is a worker in Supervisor.toml, and asking it needs the control class of the socket")
        }
        var members: [JSONValue.Member] = [.init("op", .string(op))]
        members += more
        if let mode { members.append(.init("mode", .string(mode))) }
        let id = connection.request(Array(JSONValue.object(members).line.utf8), to: peer)
        try connection.flush()
        while let frame = try connection.next(until: limit) {
            guard frame.header.id == id else { continue }
            switch frame.header.kind {
            case .reply: return (try ControlConnection.json(frame.payload), frame.payload)
            case .error: throw ControlConnection.failure(frame.payload)
            case .hello, .welcome, .request, .event, .stream, .end, .cancel, .credit, .ping, .pong, .drain, .drained,
                .ready, .status, .health:
                continue
            }
        }
        throw ControlError(.timeout, "\(Self.worker) does not answer", hint: "see: nexusctl status")
    }
}

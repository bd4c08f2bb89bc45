import ControlClient
import Glibc
import SupervisorCore
import Wire

/// Requests to chat-bridge over the control socket.
final class ChatLink {
    /// The worker's name in Supervisor.toml.
    static let worker = Chain.bridge
    /// How long chat-bridge may be away before a message is given up; it is back within a second after a crash.
    static let patienceMilliseconds: Int64 = 15_000

    /// How long nobody may listen at nexusd's socket; one that goes on as another program keeps it.
    static let absenceMilliseconds: Int64 = 5_000

    private(set) var connection: ControlConnection
    let chain: Chain
    private var peer: PeerID?

    init(_ place: Place) throws(ControlError) {
        connection = try place.connect()
        chain = Chain(place: place)
    }

    /// Another connection in place of one that nexusd has ended; it is greeted.
    func reconnect() throws(ControlError) {
        connection = try chain.place.connect()
        peer = nil
        try connection.flush()
    }

    /// Says at once that chat-bridge is off or given up: asking it would only wait.
    func requireBridge(hint: String? = nil) throws(ControlError) {
        guard let obstacle = chain.obstacle(among: [Self.worker]) else { return }
        throw ControlError(.failed, obstacle, hint: hint)
    }

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
        try requireBridge()
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

    /// Hands on each payload of the answer to a request; at most so long apart. `lost` is the hint where nobody knows what
    /// became of it.
    func answer(
        to id: FrameID, within milliseconds: Int64, orLost lost: String? = nil,
        _ body: ([UInt8]) throws(ControlError) -> Void
    ) throws(ControlError) {
        while let frame = try connection.next(until: ControlConnection.now() + milliseconds) {
            guard frame.header.id == id else { continue }
            switch frame.header.kind {
            case .stream: try body(frame.payload)
            case .reply: return try body(frame.payload)
            case .end: return
            case .error: throw Self.failure(frame.payload, orLost: lost)
            case .hello, .welcome, .request, .event, .cancel, .credit, .ping, .pong, .drain, .drained, .ready, .status,
                .health:
                continue
            }
        }
        throw ControlError(.timeout, "\(Self.worker) does not answer", hint: "see: nexusctl status")
    }

    /// Sends what goes with a request, one frame of it.
    func upload(_ payload: [UInt8], _ id: FrameID) throws(ControlError) {
        connection.send(.stream, payload, id, to: try worker())
        try connection.flush()
    }

    /// Says that it was all.
    func finishUpload(_ id: FrameID) throws(ControlError) {
        connection.send(.end, [], id, to: try worker())
        try connection.flush()
    }

    /// True for an error that says that chat-bridge is not there, went away or was cut short (docs/control-protocol.md): the
    /// same may be asked again. Any other is an answer.
    static func isLoss(_ payload: [UInt8]) -> Bool {
        let code = (try? ControlConnection.json(payload))?["code"]?.text
        return ["unavailable", "peer-restarted", "cut"].contains(code)
    }

    /// An error as an answer, with a hint where it is none.
    static func failure(_ payload: [UInt8], orLost lost: String?) -> ControlError {
        let failure = ControlConnection.failure(payload)
        return isLoss(payload) ? ControlError(failure.code, failure.message, hint: lost) : failure
    }

    /// Says that nobody listens to this answer any more.
    func cancel(_ id: FrameID) throws(ControlError) {
        connection.cancel(id, of: try worker())
        try connection.flush()
    }

    // An aside: nothing waits long for it.
    private static let asideMilliseconds: Int64 = 1000

    /// Says on standard error that conversations were put aside because their file was damaged; nothing when
    /// chat-bridge cannot be asked.
    func tellOfDamage() {
        guard !connection.isClosed, let id = try? ask([.init("op", .string("describe"))]),
            let answer = try? connection.answerIfAny(to: id, until: ControlConnection.now() + Self.asideMilliseconds),
            let aside = try? ControlConnection.json(answer)["moved_aside"]?.text
        else { return }
        Output.complain(
            "[a store of conversations was damaged and is kept as \(Terminal.clean(aside)); what it held may be saved: "
                + "sqlite3 FILE .recover; take it away when you do not want it any more]")
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

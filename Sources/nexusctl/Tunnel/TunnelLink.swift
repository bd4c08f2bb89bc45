import ControlClient
import SupervisorCore
import Wire

/// Requests to tunnel-worker over the control socket.
struct TunnelLink {
    /// The worker's name in Supervisor.toml.
    static let worker = "tunnel-worker"
    /// How long it may be away before that is said; it is back within a second after a crash.
    private static let awayMilliseconds: Int64 = 10_000
    private static let againMilliseconds: Int64 = 200

    private let place: Place
    private let chain: Chain

    init(_ place: Place) {
        self.place = place
        chain = Chain(place: place)
    }

    /// Asks and waits for the one object of the answer. By a connection of its own: between two questions of a conversation
    /// an owner may think for an hour, and nexusd may have been started anew.
    func ask(_ op: String, mode: String? = nil, more: [JSONValue.Member] = []) throws(ControlError) -> (
        json: JSONValue, line: [UInt8]
    ) {
        let connection = try place.connect()
        if let obstacle = chain.obstacle(among: [Self.worker]) { throw ControlError(.failed, obstacle) }
        let begin = ControlConnection.now()
        let limit = begin + Self.limitMilliseconds(of: op)
        guard let peer = try connection.peer(named: Self.worker, until: limit) else {
            throw ControlError(
                .failed, "this tree has no \(Self.worker) that may be asked",
                hint: "it is a worker in Supervisor.toml, and asking it needs the control class of the socket")
        }
        var members: [JSONValue.Member] = [.init("op", .string(op))]
        members += more
        if let mode { members.append(.init("mode", .string(mode))) }
        let request = Array(JSONValue.object(members).line.utf8)
        while true {
            let frame = try answer(connection, request, peer, to: op, until: limit)
            guard frame.header.kind == .error else {
                return (try ControlConnection.json(frame.payload), frame.payload)
            }
            let code = (try? ControlConnection.json(frame.payload))?["code"]?.text
            guard let code, Self.maySendAgain(op, after: code) else { throw Self.failure(frame.payload) }
            if let obstacle = chain.obstacle(among: [Self.worker]) { throw ControlError(.failed, obstacle) }
            let now = ControlConnection.now()
            guard now < begin + Self.awayMilliseconds else {
                throw ControlError(
                    .failed,
                    "\(Self.worker) is not there, and did not come back within \(Self.awayMilliseconds / 1000) s",
                    hint: "see: nexusctl why \(Self.worker)")
            }
            // Frames that nobody waits for, or none: a pause either way, and nexusd's end is heard in it.
            while let _ = try connection.next(until: now + Self.againMilliseconds) {}
        }
    }

    /// Whether a request may be sent once more (docs/bus-protocol.md): one that nobody has seen, and one that changes nothing.
    private static func maySendAgain(_ op: String, after code: String) -> Bool {
        switch code {
        case "unavailable": true
        case "peer-restarted": ["describe", "address", "check"].contains(op)
        case _: false
        }
    }

    private func answer(
        _ connection: ControlConnection, _ request: [UInt8], _ peer: PeerID, to op: String, until limit: Int64
    ) throws(ControlError) -> Frame {
        let id = connection.request(request, to: peer)
        try connection.flush()
        while let frame = try connection.next(until: limit) {
            guard frame.header.id == id else { continue }
            switch frame.header.kind {
            case .reply, .error: return frame
            case .hello, .welcome, .request, .event, .stream, .end, .cancel, .credit, .ping, .pong, .drain, .drained,
                .ready, .status, .health:
                continue
            }
        }
        throw ControlError(
            .timeout, "\(Self.worker) did not answer within \(Self.limitMilliseconds(of: op) / 1000) s",
            hint: Self.hint(to: op))
    }

    /// A wish that nobody has answered was not refused either: whoever reads it later takes it.
    private static func hint(to op: String) -> String {
        // By an end of its own, and not by a restart: that takes along cloudflared, which requires it.
        let restart = "nexusctl signal \(worker) KILL starts it anew, and leaves the tunnel as it is"
        switch op {
        case "start", "stop", "mode", "keep":
            return "it may still do what was asked, as soon as it goes on: see nexusctl tunnel; \(restart)"
        case _: return "see: nexusctl status; \(restart)"
        }
    }

    /// What it knows it says at once; for what is wished it asks cloudflared for its version and its opinion before, one wish
    /// after the other; and a look through the edge takes up to 10 s.
    private static func limitMilliseconds(of op: String) -> Int64 {
        switch op {
        case "describe", "address": 10_000
        case _: 60_000
        }
    }

    /// tunnel-worker says itself what a refusal has changed, and no file was refused.
    private static func failure(_ payload: [UInt8]) -> ControlError {
        let failure = ControlConnection.failure(payload)
        guard failure.code == .configuration else { return failure }
        return ControlError(.usage, failure.message)
    }
}

extension ControlError {
    /// About an address that is given out, and at which this machine's own looks find something else: a remark, and no failure.
    static func doubt(_ words: String, ofTunnel: Bool = true) -> ControlError {
        ControlError(
            .failed, "the address is in doubt: \(words)", hint: ofTunnel ? "see: nexusctl tunnel check" : nil)
    }
}

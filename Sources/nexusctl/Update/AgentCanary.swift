import ControlClient
import Glibc
import Wire

/// What a new opencode has to do before it is kept, by agent-worker, as a message of the chat would: be of a line that is spoken,
/// tell what it offers, make a session and remove it again. No model is asked, so it costs nothing.
struct AgentCanary {
    private static let worker = "agent-worker"
    /// Between two tries while agent-worker has not found the new run yet.
    private static let pauseMilliseconds: Int32 = 200
    private static let answerMilliseconds: Int64 = 30_000
    private let place: Place

    init(_ place: Place) { self.place = place }

    /// Tries until it passes; the error is that of the last try. What was seen, in words.
    func pass(until deadline: Int64) throws(ControlError) -> String {
        guard try isServed() else { return "ready; \(Self.worker) does not run here, so nobody could try it" }
        while true {
            do throws(ControlError) {
                return try pass()
            } catch {
                guard ![.notRunning, .interrupted].contains(error.code), ControlConnection.now() < deadline else {
                    throw error
                }
                poll(nil, 0, Self.pauseMilliseconds)
            }
        }
    }

    private func isServed() throws(ControlError) -> Bool {
        let report = try StatusQuestion.report(place.connect())
        return report.children.contains {
            $0.name == Self.worker && !["off", "parked", "done", "unkillable"].contains($0.state)
        }
    }

    private func pass() throws(ControlError) -> String {
        let connection = try place.connect()
        let limit = ControlConnection.now() + Self.answerMilliseconds
        guard let peer = try connection.peer(named: Self.worker, until: limit) else {
            throw ControlError(.failed, "\(Self.worker) may not be asked")
        }
        func ask(_ op: String, _ members: [JSONValue.Member] = []) throws(ControlError) -> [JSONValue] {
            try answers(connection, peer, [JSONValue.Member("op", .string(op))] + members)
        }
        let description = try ask("describe").first?["description"]
        guard description?["ready"]?.flag == true else {
            throw ControlError(.failed, description?["state"]?.text ?? "\(Self.worker) does not say how it is")
        }
        let offers = try ask("catalog")
        guard
            let session = try ask("open-session", [.init("title", .string("nexusctl update"))]).first?["session"]?.text
        else { throw ControlError(.failed, "it made no session") }
        _ = try ask("delete-session", [.init("session", .string(session))])
        let models = offers.count { $0["model"] != nil }
        let name = [description?["product"]?.text, description?["version"]?.text].compactMap { $0 }
        return "\(Self.worker) speaks to \(name.joined(separator: " ")): \(models) models, a session made and removed"
    }

    /// Each object of an answer, which is a reply or a stream.
    private func answers(
        _ connection: ControlConnection, _ peer: PeerID, _ members: [JSONValue.Member]
    ) throws(ControlError) -> [JSONValue] {
        let id = connection.request(Array(JSONValue.object(members).line.utf8), to: peer)
        var answers: [JSONValue] = []
        let limit = ControlConnection.now() + Self.answerMilliseconds
        while let frame = try connection.next(until: limit) {
            guard frame.header.id == id else { continue }
            switch frame.header.kind {
            case .stream: answers.append(try ControlConnection.json(frame.payload))
            case .reply: return [try ControlConnection.json(frame.payload)]
            case .end: return answers
            case .error: throw ControlConnection.failure(frame.payload)
            case .hello, .welcome, .request, .event, .cancel, .credit, .ping, .pong, .drain, .drained, .ready, .status,
                .health:
                continue
            }
        }
        throw ControlError(.timeout, "\(Self.worker) did not answer within \(Self.answerMilliseconds / 1000) s")
    }
}

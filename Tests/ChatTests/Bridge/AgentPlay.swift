import AgentModel
import Foundation
import SupervisorCore
import Wire

/// Plays agent-worker for one bridge: answers what it is asked and keeps the turns it was handed.
struct AgentPlay {
    /// One turn that arrived.
    struct Turn {
        var id: FrameID
        var session: AgentSessionID
        var text: String
        var choice: TurnChoice
        var files: [AttachedFile] = []
    }

    /// The upload of a request.
    struct Upload {
        var bytes: [UInt8] = []
        var isWhole = false
    }

    var isReady = true
    /// Sessions that were opened and are still known.
    var known: Set<String> = []
    var opened = 0
    var turns: [Turn] = []
    /// It remembers turns that it was handed, and tells of them again.
    var remembersTurns = false
    /// Those that it was asked to tell of again, with their prompts.
    var followed: [(turn: Turn, prompt: String)] = []
    var aborted: [AgentSessionID] = []
    /// Answers that arrived.
    var answers: [AgentRequest] = []
    /// Changes of whole sessions that arrived.
    var changes: [AgentRequest] = []
    /// Describe itself as a worker of another version might.
    var isStrange = false
    /// Refuse them: the agent is away.
    var isAway = false
    /// What there is to choose.
    var catalog: [CatalogEntry] = []
    /// What came with requests, by their ids.
    var uploads: [FrameID: Upload] = [:]
    /// What waits for an answer.
    var pending: Set<String> = []
    /// What is said to the next answer in place of taking it.
    var objection: String?

    /// Takes a frame if it is for the agent.
    mutating func take(_ frame: Frame, of bridge: BridgeProcess) throws -> Bool {
        guard frame.header.peer == BridgeProcess.agentPeer else { return false }
        if frame.header.kind == .stream || frame.header.kind == .end {
            uploads[frame.header.id, default: Upload()].bytes += frame.payload
            uploads[frame.header.id]?.isWhole = frame.header.kind == .end
            return true
        }
        guard frame.header.kind == .request else { return false }
        let id = frame.header.id
        switch try JSONDecoder().decode(AgentRequest.self, from: Data(frame.payload)) {
        case .answerPermission(_, let ask, _, _), .answerQuestion(_, let ask, _):
            answers.append(try JSONDecoder().decode(AgentRequest.self, from: Data(frame.payload)))
            if let words = objection {
                objection = nil
                bridge.write(error(id, .badRequest, words))
                return true
            }
            guard pending.remove(ask) != nil else {
                bridge.write(error(id, .unknown, "\(ask) does not wait for an answer"))
                return true
            }
            try reply(.answered, id, bridge)
        case .describe where isStrange:
            bridge.write(Frame(.reply, peer: BridgeProcess.agentPeer, id: id, payload: Array(#"{"about":7}"#.utf8)))
        case .describe:
            let description = AgentDescription(
                product: "play", version: "1", ready: isReady, state: isReady ? "ready" : "learning its part",
                workspaces: ["home"])
            try reply(.description(description), id, bridge)
        case .openSession:
            opened += 1
            known.insert("ses_\(opened)")
            try reply(.session(AgentSessionID(rawValue: "ses_\(opened)")), id, bridge)
        case .catalog:
            for entry in catalog {
                let payload = Array(try JSONEncoder().encode(entry))
                bridge.write(Frame(.stream, peer: BridgeProcess.agentPeer, id: id, payload: payload))
            }
            bridge.write(Frame(.end, peer: BridgeProcess.agentPeer, id: id))
        case .runTurn(let session, _, let text, let choice, let files):
            guard known.contains(session.rawValue) else {
                bridge.write(error(id, .unknown, "no such session"))
                return true
            }
            turns.append(Turn(id: id, session: session, text: text, choice: choice, files: files))
        case .followTurn(let session, let prompt):
            guard remembersTurns else {
                bridge.write(error(id, .unknown, "no such turn"))
                return true
            }
            followed.append((Turn(id: id, session: session, text: "", choice: TurnChoice()), prompt))
        case .renameSession, .deleteSession, .revert, .unrevert:
            changes.append(try JSONDecoder().decode(AgentRequest.self, from: Data(frame.payload)))
            if isAway {
                bridge.write(error(id, .unavailable, "the agent is away"))
            } else {
                try reply(.changed, id, bridge)
            }
        case .forkSession:
            changes.append(try JSONDecoder().decode(AgentRequest.self, from: Data(frame.payload)))
            opened += 1
            known.insert("ses_\(opened)")
            try reply(.session(AgentSessionID(rawValue: "ses_\(opened)")), id, bridge)
        case .abort(let session):
            if isAway {
                bridge.write(error(id, .unavailable, "the agent is away"))
            } else {
                aborted.append(session)
                try reply(.aborted, id, bridge)
            }
        }
        return true
    }

    /// Tells events of a turn.
    func tell(_ turn: Turn, _ events: AgentEvent..., to bridge: BridgeProcess) throws {
        for event in events {
            let payload = Array(try JSONEncoder().encode(event))
            bridge.write(Frame(.stream, peer: BridgeProcess.agentPeer, id: turn.id, payload: payload))
            if case .turnEnded = event {
                bridge.write(Frame(.end, peer: BridgeProcess.agentPeer, id: turn.id))
            }
        }
    }

    /// Ends a turn's stream with an error, as nexusd does when agent-worker dies.
    func error(_ id: FrameID, _ code: BusErrorCode, _ message: String) -> Frame {
        Frame(.error, peer: BridgeProcess.agentPeer, id: id, payload: code.payload(message))
    }

    private func reply(_ reply: AgentReply, _ id: FrameID, _ bridge: BridgeProcess) throws {
        let payload = Array(try JSONEncoder().encode(reply))
        bridge.write(Frame(.reply, peer: BridgeProcess.agentPeer, id: id, payload: payload))
    }
}

/// A client's view of its answers: the objects of each request, in order.
struct ClientPlay {
    private(set) var events: [FrameID: [[String: Any]]] = [:]
    private(set) var failures: [FrameID: String] = [:]
    /// What the failures say to people.
    private(set) var words: [FrameID: String] = [:]
    private(set) var finished: Set<FrameID> = []

    mutating func take(_ frame: Frame) throws {
        guard frame.header.peer == BridgeProcess.client else { return }
        let id = frame.header.id
        switch frame.header.kind {
        case .stream: events[id, default: []].append(try StoreBox.object(frame.payload))
        case .reply:
            events[id, default: []].append(try StoreBox.object(frame.payload))
            finished.insert(id)
        case .end: finished.insert(id)
        case .error:
            let failure = try StoreBox.object(frame.payload)
            failures[id] = failure["code"] as? String ?? "?"
            words[id] = failure["message"] as? String
            finished.insert(id)
        case .hello, .welcome, .request, .event, .cancel, .credit, .ping, .pong, .drain, .drained, .ready, .status,
            .health:
            break
        }
    }

    func types(_ id: FrameID) -> [String] { (events[id] ?? []).compactMap { $0["type"] as? String } }

    func last(_ id: FrameID) -> [String: Any] { events[id]?.last ?? [:] }

    /// The text of the agent as a client shows it.
    func text(_ id: FrameID) -> String {
        (events[id] ?? []).filter { $0["type"] as? String == "text" }.reduce("") { shown, event in
            let text = event["text"] as? String ?? ""
            return event["whole"] as? Bool == true ? text : shown + text
        }
    }
}

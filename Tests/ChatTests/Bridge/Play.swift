import AgentModel
import Foundation
import SupervisorCore
import Testing
import Wire

/// A bridge with its agent and its client, and the directory that outlives it.
final class Play {
    let directory: String
    private(set) var bridge: BridgeProcess
    var agent = AgentPlay()
    var client = ClientPlay()
    private var epoch: UInt32 = 1

    /// `settings` is what `{agent}` gives.
    init(
        settings: String? = nil,
        directory: String = FileManager.default.temporaryDirectory.path + "/nexus-bridge-\(UUID().uuidString)"
    ) throws {
        self.directory = directory
        bridge = try BridgeProcess(directory: directory, settings: settings)
    }

    deinit {
        bridge.kill()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// A new chat-bridge over what the last one left; the agent remembers its sessions, not its turns.
    func restart(keep: String? = nil) throws {
        if bridge.isAlive { bridge.kill() }
        epoch += 1
        bridge = try BridgeProcess(directory: directory, epoch: epoch, keep: keep)
        agent.turns = []
    }

    /// Takes frames until the condition holds.
    func until(_ what: String, _ condition: (Play) -> Bool) throws {
        while !condition(self) {
            do {
                let frame = try bridge.next()
                if try !agent.take(frame, of: bridge) { try client.take(frame) }
            } catch {
                Issue.record("in vain for: \(what); status: \(bridge.statusLine)")
                throw error
            }
        }
    }

    func send(_ text: String, session: String? = nil, id: String = UUID().uuidString) -> FrameID {
        let session = session.map { "\"\($0)\"" } ?? "null"
        return bridge.ask(#"{"op":"send","session":\#(session),"text":"\#(text)","client_id":"\#(id)"}"#)
    }

    /// Sends and waits until the agent has the turn.
    func handOver(
        _ text: String, session: String? = nil, id: String = UUID().uuidString
    ) throws -> (id: FrameID, session: String, turn: AgentPlay.Turn) {
        let count = agent.turns.count
        let id = send(text, session: session, id: id)
        try until("the turn at the agent") { $0.agent.turns.count > count && !$0.client.types(id).isEmpty }
        return (id, try #require(client.events[id]?.first?["session"] as? String), agent.turns[count])
    }

    /// Asks and waits for the end of the answer.
    func answer(_ json: String) throws -> [[String: Any]] {
        let id = bridge.ask(json)
        try until(json) { $0.client.finished.contains(id) }
        return client.events[id] ?? []
    }

    /// The states of a session's turns, as its history tells them.
    func states(_ session: String) throws -> [String] {
        try answer(#"{"op":"history","session":"\#(session)"}"#)
            .filter { $0["type"] as? String == "turn" }.compactMap { $0["state"] as? String }
    }
}

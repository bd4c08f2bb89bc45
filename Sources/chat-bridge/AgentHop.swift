import AgentModel
import Chat
import Foundation
import WorkerKit

/// Whether a turn could be taken now: asked of agent-worker at this moment, for the last hop of `nexusctl tunnel check`. What
/// was said before says nothing of one that hangs.
struct AgentHop: Encodable, Sendable {
    var type = "agent"
    var good: Bool
    var words: String

    /// Shorter than tunnel-worker waits for the answer to this: who does not answer here is named, not who asks.
    private static let limit = 3

    /// Asks. A request that is none of this is none of ours.
    static func answer(to payload: [UInt8], _ bus: Bus) async throws -> [UInt8]? {
        struct Asked: Decodable { var op: String }
        guard (try? JSONDecoder().decode(Asked.self, from: Data(payload)))?.op == "agent" else { return nil }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(await now(bus)))
    }

    private static func now(_ bus: Bus) async -> AgentHop {
        let worker = AgentOnTheBus.worker
        do {
            let question = Array(try JSONEncoder().encode(AgentRequest.describe))
            let answer = try await bus.request(worker, question, timeout: .seconds(limit))
            guard case .description(let agent) = try JSONDecoder().decode(AgentReply.self, from: Data(answer)) else {
                return AgentHop(good: false, words: "\(worker) answers something else than it was asked")
            }
            return AgentHop(good: agent.ready, words: "\(worker), asked by the chat: \(agent.state)")
        } catch let error as BusError where error.code == .timeout {
            return AgentHop(
                good: false, words: "\(worker) does not answer for \(limit) s; nexusctl restart \(worker)")
        } catch let error as BusError {
            return AgentHop(good: false, words: "the chat does not reach \(worker): \(error.message)")
        } catch {
            return AgentHop(good: false, words: "\(worker) answers something that cannot be read")
        }
    }
}

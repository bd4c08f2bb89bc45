import Foundation
import Telegram
import WorkerKit

/// chat-bridge, asked over the bus (docs/chat.md).
struct ChatPort: Sendable {
    /// Its name in Supervisor.toml, and in this child's `peers`.
    static let worker = "chat-bridge"

    let bus: Bus

    private struct Send: Encodable {
        var op = "send"
        var session: String?
        var text: String
        var client_id: String
    }

    private struct Abort: Encodable {
        var op = "abort"
        var session: String
    }

    private struct Answer: Encodable {
        var op = "answer"
        var session: String
        var id: String
        var reply: String?
        var answers: [[String]]?
    }

    /// The events of a turn, `accepted` first. The same words under the same id are the same turn.
    func send(_ open: Memory.Open) async throws -> BusStream {
        try await bus.stream(
            Self.worker, Self.json(Send(session: open.session, text: open.text, client_id: open.client_id)))
    }

    /// Stops what runs and withdraws what waits; how many turns it were.
    func abort(_ session: String) async throws -> Int {
        struct Aborted: Decodable { var turns: Int }
        let answer = try await bus.request(Self.worker, Self.json(Abort(session: session)))
        return try JSONDecoder().decode(Aborted.self, from: Data(answer)).turns
    }

    /// Hands an answer on.
    func answer(_ answer: Ask.Answer, to ask: Ask) async throws {
        var body = Answer(session: ask.session, id: ask.id)
        switch answer {
        case .reply(let word): body.reply = word
        case .answers(let answers): body.answers = answers
        }
        _ = try await bus.request(Self.worker, Self.json(body))
    }

    private static func json(_ value: some Encodable) throws -> [UInt8] { Array(try JSONEncoder().encode(value)) }
}

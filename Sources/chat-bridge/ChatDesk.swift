import Chat
import Foundation
import Wire
import WorkerKit

/// Answers the requests of control clients.
struct ChatDesk: Sendable {
    let service: ChatService

    /// Each request is finished by exactly one reply, error or end.
    func answer(_ request: IncomingRequest, _ responder: Responder) async {
        let send: ChatService.Sink = { try await responder.send($0) }
        do {
            switch try ChatRequest(payload: request.payload) {
            case .send(let submission): try await service.take(submission, to: send)
            case .list: try await service.list(to: send)
            case .history(let session): try await service.history(session, to: send)
            case .resume(let session, let after, let follow):
                try await service.resume(session, after: after, follow: follow, to: send)
            case .abort(let session, let turn):
                let count = try await service.abort(session, turn: turn)
                return await responder.reply("{\"type\":\"aborted\",\"turns\":\(count)}")
            case .describe: return await responder.reply(try await service.describe())
            }
            await responder.end()
        } catch let error as ChatError {
            await responder.fail(error.code.onTheBus, error.message)
        } catch let error as BusError {
            await responder.fail(error.code, error.message)
        } catch is CancellationError {
            await responder.fail(.unavailable, "chat-bridge is stopping")
        } catch {
            Log.error("a request failed: \(error)")
            await responder.fail(.failed, "\(error)")
        }
    }
}

extension ChatError.Code {
    fileprivate var onTheBus: BusErrorCode {
        switch self {
        case .unknown: .unknown
        case .badRequest: .badRequest
        case .busy: .busy
        case .stopping: .unavailable
        case .failed: .failed
        }
    }
}

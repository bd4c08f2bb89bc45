import Chat
import ChatWeb
import Foundation
import Wire
import WorkerKit

/// Answers the requests of control clients.
struct ChatDesk: Sendable {
    let service: ChatService
    let web: WebServer?
    let keeping: KeepingDesk
    let bus: Bus

    /// Each request is finished by exactly one reply, error or end.
    func answer(_ request: IncomingRequest, _ responder: Responder) async {
        let send: ChatService.Sink = { try await responder.send($0) }
        if keeping.isLeaving {
            return await responder.fail(.unavailable, "chat-bridge starts anew on what was restored; ask again")
        }
        do {
            if let asked = DeviceRequest(payload: request.payload) {
                for line in try await devices(asked, request) { try await send(line) }
                return await responder.end()
            }
            if let asked = KeepingRequest(payload: request.payload) {
                return try await keeping.answer(asked, request, responder)
            }
            if let hop = try await AgentHop.answer(to: request.payload, bus) { return await responder.reply(hop) }
            let asked = try ChatRequest(payload: request.payload)
            let who = Asker.program(request.client?.name ?? "another worker")
            if let reply = try await service.answer(asked, by: who, to: send) { return await responder.reply(reply) }
            await responder.end()
        } catch let error as ChatError {
            await responder.fail(error.code.onTheBus, error.message)
        } catch let error as BusError {
            await responder.fail(error.code, error.message)
        } catch is CancellationError {
            await responder.fail(.unavailable, "chat-bridge is stopping")
        } catch {
            Log.error("a request failed: \(error)")
            await responder.fail(.failed, service.words(for: error).message)
        }
    }

    /// Only who came over the control socket makes codes and shuts devices out: no other worker.
    private func devices(_ asked: DeviceRequest, _ request: IncomingRequest) async throws -> [[UInt8]] {
        guard let client = request.client else {
            throw BusError(.refused, "only control clients may ask about devices (nexusctl pair, nexusctl devices)")
        }
        guard let web else {
            throw ChatError(
                .failed,
                "there is no page (nexusctl status says why, where it is not off); set [chat] listen in Supervisor.toml, and NEXUS_CHAT_LISTEN = \"{chat-listen}\" in "
                    + "the environment of [child.chat-bridge]")
        }
        return try await web.answer(asked, by: "\(client.name) of uid \(client.uid)")
    }
}

extension ChatError.Code {
    fileprivate var onTheBus: BusErrorCode {
        switch self {
        case .unknown, .noSession: .unknown
        case .badRequest: .badRequest
        case .refused: .refused
        case .busy: .busy
        case .stopping: .unavailable
        case .failed: .failed
        }
    }
}

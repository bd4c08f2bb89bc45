import Foundation
import Tunnel
import Wire
import WorkerKit

/// Answers what control clients ask about the tunnel (docs/tunnel.md).
struct TunnelDesk: Sendable {
    let keeper: TunnelKeeper

    private struct Asked: Decodable {
        var op: String
        var mode: String?
        var answers: TunnelAnswers?
    }

    /// Each request is finished by exactly one reply or error.
    func answer(_ request: IncomingRequest, _ responder: Responder) async {
        do {
            guard let asked = try? JSONDecoder().decode(Asked.self, from: Data(request.payload)) else {
                throw BusError(.badRequest, "the request is {\"op\":\"describe\"}, check, start, stop, or mode")
            }
            await responder.reply(try await carryOut(asked, request))
        } catch let error as BusError {
            await responder.fail(error.code, error.message)
        } catch {
            await responder.fail(.failed, "\(error)")
        }
    }

    private func carryOut(_ asked: Asked, _ request: IncomingRequest) async throws -> [UInt8] {
        switch asked.op {
        case "describe": return try JSON.line(await keeper.description())
        case "address": return try JSON.line(await keeper.addressLine())
        case "check": return try JSON.line(await keeper.check())
        case "start", "stop", "mode", "examine": break
        case let word:
            throw BusError(
                .badRequest,
                "there is no op '\(word)'; there are describe, address, check, examine, start, stop and mode")
        }
        // Only who came over the control socket changes how this machine is reached.
        guard let client = request.client else {
            throw BusError(.refused, "only control clients may change the tunnel (nexusctl tunnel)")
        }
        Log.notice("access: \(client.name) of uid \(client.uid) asks the tunnel for: \(asked.op) \(asked.mode ?? "")")
        var examination: TunnelExamination?
        do throws(TunnelError) {
            switch asked.op {
            case "examine": examination = try await keeper.workshop.examine(asked.answers ?? TunnelAnswers())
            case "start": try await keeper.change(isOn: true, mode: nil)
            case "stop": try await keeper.change(isOn: false, mode: nil)
            case _: try await keeper.change(isOn: true, mode: asked.mode ?? "")
            }
        } catch {
            throw BusError(.configuration, error.description)
        }
        if let examination { return try JSON.line(examination) }
        return try JSON.line(await keeper.description())
    }
}

/// JSON of one line, its members in alphabetical order.
enum JSON {
    static func line(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }
}

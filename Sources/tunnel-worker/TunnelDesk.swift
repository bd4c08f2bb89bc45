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
        /// By chat-bridge: on whose behalf, and by which way he came.
        var device: String?
        var over: TunnelApproach?
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
        case "describe":
            await lookAgain()
            return try JSON.line(await keeper.description())
        case "address": return try JSON.line(await keeper.addressLine())
        case "check": return try JSON.line(await keeper.check())
        case "start", "stop", "mode", "keep", "examine": break
        case let word:
            throw BusError(
                .badRequest,
                "there is no op '\(word)'; there are describe, address, check, examine, start, stop, mode and keep")
        }
        let (whom, approach) = try asker(asked, request)
        Log.notice("access: \(whom) asks the tunnel for: \(asked.op)\(asked.mode.map { " " + Self.shown($0) } ?? "")")
        var examination: TunnelExamination?
        do throws(TunnelError) {
            switch asked.op {
            case "examine": examination = try await keeper.workshop.examine(asked.answers ?? TunnelAnswers())
            case "start": try await keeper.change(isOn: true, mode: nil, over: approach)
            case "stop": try await keeper.change(isOn: false, mode: nil, over: approach)
            case "keep": try await keeper.keep(over: approach)
            case _: try await keeper.change(isOn: true, mode: asked.mode ?? "", over: approach)
            }
        } catch {
            // Of what is to be kept no setting is wrong.
            throw BusError(asked.op == "keep" ? .failed : .configuration, error.description)
        }
        if let examination { return try JSON.line(examination) }
        return try JSON.line(await keeper.description())
    }

    /// What happened before somebody asks is in the answer; what is under way meanwhile (a chat that hangs is looked at for
    /// seconds) is not waited for longer than this.
    private static let lookLimit: Duration = .seconds(2)
    /// The same before the first look, which asks cloudflared for its version: until then nothing is known.
    private static let firstLookLimit: Duration = .seconds(8)

    private func lookAgain() async {
        let limit = await keeper.hasBegun ? Self.lookLimit : Self.firstLookLimit
        let (ends, end) = AsyncStream<Void>.makeStream()
        let timer = Task {
            try? await Task.sleep(for: limit)
            end.finish()
        }
        Task {
            await keeper.lookAgain()
            end.finish()
        }
        for await _ in ends {}
        timer.cancel()
    }

    /// Only who came over the control socket, and owners' devices, by chat-bridge, change how this machine is reached.
    private func asker(_ asked: Asked, _ request: IncomingRequest) throws -> (String, TunnelApproach) {
        if let client = request.client { return ("\(client.name) of uid \(client.uid)", .near) }
        guard request.peer == keeper.bus.peer(named: TunnelKeeper.bridge), let over = asked.over,
            let device = asked.device, asked.op != "examine"
        else {
            throw BusError(
                .refused, "only control clients (nexusctl tunnel) and the page's owners may change the tunnel")
        }
        return ("device \(Self.shown(device)), \(over == .tunnel ? "through the tunnel" : "from near"),", over)
    }

    /// What somebody else wrote, fit for a line of the log.
    private static func shown(_ word: String) -> String {
        String(word.prefix(32).map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "?" })
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

import Chat
import Foundation

/// What an owner's device may ask of the machine.
public enum ApplianceRequest: Hashable, Sendable {
    /// The whole tree.
    case status
    /// What every child takes, in numbers.
    case metrics
    /// What Supervisor.toml lets the page have done.
    case may
    /// A child's last end and last lines.
    case why(String)
    /// A child's log: its last lines, or those behind a place, and what comes.
    case tail(String, LogPlace?)
    /// Restarts a child or a group.
    case restart(String)

    private struct Fields: Decodable {
        enum Operation: String, Decodable { case status, metrics, may, why, tail, restart }
        var op: Operation
        var child: String?
        var at: String?
        var same: Int?
    }

    init?(payload: [UInt8]) {
        guard let fields = try? JSONDecoder().decode(Fields.self, from: Data(payload)) else { return nil }
        switch fields.op {
        case .status: self = .status
        case .metrics: self = .metrics
        case .may: self = .may
        case .why:
            guard let child = Self.name(fields.child) else { return nil }
            self = .why(child)
        case .tail:
            guard let child = Self.name(fields.child) else { return nil }
            self = .tail(child, fields.at.map { LogPlace(at: $0, same: fields.same ?? 0) })
        case .restart:
            guard let child = Self.name(fields.child) else { return nil }
            self = .restart(child)
        }
    }

    /// Names as Supervisor.toml has them: nothing that could become a second word of a request to nexusd.
    private static func name(_ text: String?) -> String? {
        guard let text, (1...64).contains(text.utf8.count),
            text.utf8.allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                case _: false
                }
            })
        else { return nil }
        return text
    }

    /// In the words of the control socket; nil: nexusd is not asked. Restarts are not waited for: a page can look itself.
    var words: String? {
        switch self {
        case .may, .tail: nil
        case .status: "status"
        case .metrics: "metrics"
        case .why(let child): "why \(child)"
        case .restart(let child): "restart \(child) --no-wait"
        }
    }
}

/// nexusd, as far as Supervisor.toml lets this worker ask it.
public struct Appliance: Sendable {
    private struct MayLine: Encodable {
        var type = "may"
        var may: [String]
    }

    private let own: String
    private let ask: @Sendable (String) async throws -> [UInt8]
    private let may: @Sendable () -> [String]
    private let tail: (@Sendable (String, LogPlace?) async throws -> any LogTailing)?
    private let audit: @Sendable (String) -> Void

    /// `own` is this child's name. `ask` takes words of the control socket, `tail` begins to read a child's log (nil: nobody said where logs are); their
    /// errors go to the page in their own words.
    public init(
        own: String, ask: @escaping @Sendable (String) async throws -> [UInt8], may: @escaping @Sendable () -> [String],
        tail: (@Sendable (String, LogPlace?) async throws -> any LogTailing)? = nil,
        audit: @escaping @Sendable (String) -> Void
    ) {
        self.own = own
        self.ask = ask
        self.may = may
        self.tail = tail
        self.audit = audit
    }

    func answer(_ request: ApplianceRequest, for device: Device) async throws -> [UInt8] {
        if case .restart(let child) = request {
            audit("device \(device.id) asks to restart \(child)")
            // A worker may always ask for a new run of itself (docs/bus-protocol.md); that right is not lent to devices.
            if child == own, Set(may()).isDisjoint(with: ["restart:\(own)", "restart:all"]) {
                throw WebError(
                    .forbidden, "refused",
                    "may of [child.\(own)] does not have \"restart:\(own)\"; on the machine: nexusctl restart \(own)")
            }
        }
        guard let words = request.words else { return JSONLine.of(MayLine(may: may())) }
        do {
            return try await ask(words)
        } catch let error as ChatError {
            throw WebError(error)
        } catch {
            throw WebError(.badGateway, "refused", "\(error)")
        }
    }

    /// Sends a child's log until the task is cancelled; what it returns is the last line.
    func follow(_ child: String, from place: LogPlace?, to send: ChatService.Sink) async -> [UInt8] {
        do {
            // What `why` shows of it is the same right.
            guard may().contains("status") else {
                throw ChatError(.refused, "may of [child.chat-bridge] does not have \"status\"")
            }
            guard let tail else {
                throw ChatError(
                    .refused, "NEXUS_LOGS is not set in [child.chat-bridge.environment]; give it \"{state}/logs\"")
            }
            let log = try await tail(child, place)
            while let lines = try await log.next() {
                try Task.checkCancellation()
                try await send(JSONLine.of(lines))
            }
            return LineAnswer.endLine
        } catch let error as ChatError {
            return WebError(error).line
        } catch {
            return WebError(.internalServerError, "failed", "the log of \(child) cannot be read on: \(error)").line
        }
    }
}

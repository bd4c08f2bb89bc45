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
    /// Restarts a child or a group.
    case restart(String)

    private struct Fields: Decodable {
        enum Operation: String, Decodable { case status, metrics, may, why, restart }
        var op: Operation
        var child: String?
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
        case .may: nil
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

    private let ask: @Sendable (String) async throws -> [UInt8]
    private let may: @Sendable () -> [String]
    private let audit: @Sendable (String) -> Void

    /// `ask` takes words of the control socket; its errors go to the page in their own words.
    public init(
        ask: @escaping @Sendable (String) async throws -> [UInt8], may: @escaping @Sendable () -> [String],
        audit: @escaping @Sendable (String) -> Void
    ) {
        self.ask = ask
        self.may = may
        self.audit = audit
    }

    func answer(_ request: ApplianceRequest, for device: Device) async throws -> [UInt8] {
        if case .restart(let child) = request { audit("device \(device.id) asks to restart \(child)") }
        guard let words = request.words else { return JSONLine.of(MayLine(may: may())) }
        do {
            return try await ask(words)
        } catch {
            throw WebError(.badGateway, "refused", "\(error)")
        }
    }
}

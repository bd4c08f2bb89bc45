import Chat
import Foundation
import QR

/// What an owner's device may ask about the tunnel: JSON with `op`.
enum TunnelRequest: Hashable, Sendable {
    /// How it is.
    case describe
    /// On, in the mode that was chosen last.
    case start
    /// Off.
    case stop
    /// Another way.
    case mode(String)
    /// What was changed through the tunnel carries: it is not to be undone.
    case keep

    private struct Fields: Decodable {
        enum Operation: String, Decodable { case describe, start, stop, mode, keep }
        var op: Operation
        var mode: Mode?
    }

    /// Those that a page may choose: what Supervisor.toml says is chosen on the machine.
    private enum Mode: String, Decodable { case quick, named, token }

    init?(payload: [UInt8]) {
        guard let fields = try? JSONDecoder().decode(Fields.self, from: Data(payload)) else { return nil }
        switch fields.op {
        case .describe: self = .describe
        case .start: self = .start
        case .stop: self = .stop
        case .keep: self = .keep
        case .mode:
            guard let mode = fields.mode else { return nil }
            self = .mode(mode.rawValue)
        }
    }

    /// For the log.
    fileprivate var wish: String {
        switch self {
        case .describe: "describe"
        case .start: "start"
        case .stop: "stop"
        case .keep: "keep"
        case .mode(let mode): "mode \(mode)"
        }
    }

    /// The request to tunnel-worker.
    fileprivate func asked(by device: Device, over entrance: Entrance) -> [UInt8] {
        switch self {
        case .describe: JSONLine.of(Asked(op: "describe"))
        case .start: JSONLine.of(Asked(op: "start", device: device.id, over: entrance))
        case .stop: JSONLine.of(Asked(op: "stop", device: device.id, over: entrance))
        case .keep: JSONLine.of(Asked(op: "keep", device: device.id, over: entrance))
        case .mode(let mode): JSONLine.of(Asked(op: "mode", mode: mode, device: device.id, over: entrance))
        }
    }

    fileprivate struct Asked: Encodable {
        var op: String
        var mode: String?
        var device: DeviceID?
        /// `tunnel`: it came by cloudflared's own socket, so it is on trial.
        var over: String?

        init(op: String, mode: String? = nil, device: DeviceID? = nil, over entrance: Entrance? = nil) {
            (self.op, self.mode, self.device) = (op, mode, device)
            over =
                switch entrance {
                case .tunnel: "tunnel"
                case .local, .network: "near"
                case nil: nil
                }
        }
    }
}

/// tunnel-worker, as far as the page's owners may ask it.
public struct TunnelFront: Sendable {
    /// What the page is told: the answer to `describe`, and what it needs beside it.
    private struct Line: Encodable {
        var sight: TunnelSight
        /// Whether this device came through the tunnel.
        var through: Bool

        private enum CodingKeys: String, CodingKey { case through, qr }

        func encode(to encoder: any Encoder) throws {
            try sight.encode(to: encoder)
            var more = encoder.container(keyedBy: CodingKeys.self)
            try more.encode(through, forKey: .through)
            // Of the address: rows of `0` and `1`, dark is `1`.
            try more.encodeIfPresent(sight.url.map { QRCode.rows(of: $0) }, forKey: .qr)
        }
    }

    /// Brings a request to tunnel-worker, which has so long for its answer.
    public typealias Ask = @Sendable ([UInt8], Duration) async throws -> [UInt8]

    /// By which people are brought here now.
    let name: TunnelName
    private let ask: Ask
    private let audit: @Sendable (String) -> Void

    /// It asks cloudflared for its version and its opinion before it answers a wish.
    private static let limit: Duration = .seconds(30)
    /// Somebody waits for a link, and how the tunnel is it knows at once.
    private static let sightLimit: Duration = .seconds(3)

    /// The errors of `ask` go to the page in their own words.
    public init(
        name: TunnelName = TunnelName(), ask: @escaping Ask, audit: @escaping @Sendable (String) -> Void
    ) {
        self.name = name
        self.ask = ask
        self.audit = audit
    }

    /// How the tunnel is, for whoever makes a link; nil: nobody says so.
    func sight() async -> TunnelSight? {
        guard let answer = try? await ask(JSONLine.of(TunnelRequest.Asked(op: "describe")), Self.sightLimit) else {
            return nil
        }
        return TunnelSight(answer)
    }

    func answer(_ request: TunnelRequest, for device: Device, over entrance: Entrance) async throws -> [UInt8] {
        switch request {
        case .describe: break
        case .start, .stop, .keep, .mode: audit("device \(device.id) asks the tunnel: \(request.wish)")
        }
        let answer: [UInt8]
        do {
            answer = try await ask(request.asked(by: device, over: entrance), Self.limit)
        } catch {
            throw WebError(.badGateway, "refused", "\(error)")
        }
        guard let sight = TunnelSight(answer) else {
            throw WebError(.badGateway, "failed", "tunnel-worker's answer cannot be read; is it of another version?")
        }
        return JSONLine.of(Line(sight: sight, through: entrance == .tunnel))
    }
}

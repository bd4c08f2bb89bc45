import Chat
import Cryptography
import Foundation

/// What a device may say about being told things: JSON with `op`.
enum PushRequest: Hashable, Sendable {
    /// The key that push services know this box by, and whether this device is told anything.
    case key
    /// Tell this device, by this push service.
    case subscribe(PushSubscription)
    /// Tell it nothing any more.
    case unsubscribe

    private struct Fields: Decodable {
        enum Operation: String, Decodable { case key, subscribe, unsubscribe }
        var op: Operation
        var endpoint: String?
        var p256dh: String?
        var auth: String?
    }

    /// Nil: it is none of these, or what it names can be no subscription.
    init?(payload: [UInt8]) {
        guard let fields = try? JSONDecoder().decode(Fields.self, from: Data(payload)) else { return nil }
        switch fields.op {
        case .key: self = .key
        case .unsubscribe: self = .unsubscribe
        case .subscribe:
            guard let endpoint = fields.endpoint, let key = fields.p256dh.flatMap(Self.bytes),
                let secret = fields.auth.flatMap(Self.bytes),
                P256Key.isPoint(Array(key)),
                let subscription = PushSubscription(endpoint: endpoint, publicKey: key, secret: secret)
            else { return nil }
            self = .subscribe(subscription)
        }
    }

    /// Base64url without padding, as browsers write it (RFC 4648, 5).
    private static func bytes(_ text: String) -> Data? {
        guard text.utf8.count <= 128 else { return nil }
        let plain = text.replacing("-", with: "+").replacing("_", with: "/")
        return Data(base64Encoded: plain + String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4))
    }
}

/// Where devices say that they want to be told what needs their owner.
public struct PushDesk: Sendable {
    private let store: ChatStore
    private let publicKey: String
    private let kinds: [Word.Kind]
    private let audit: @Sendable (String) -> Void

    /// `publicKey` as browsers take it, `kinds` of words that are said at all.
    public init(
        store: ChatStore, publicKey: String, kinds: [Word.Kind], audit: @escaping @Sendable (String) -> Void
    ) {
        self.store = store
        self.publicKey = publicKey
        self.kinds = kinds
        self.audit = audit
    }

    private struct Line: Encodable {
        var type = "push"
        var key: String
        var words: [String]
        /// The endpoint's own device knows it; to others it is a secret.
        var endpoint: String?
    }

    func answer(_ request: PushRequest, for device: Device) async throws -> [UInt8] {
        switch request {
        case .key:
            let known = try await store.subscription(of: device.id)
            let words = kinds.filter { $0.isOfTheChat || device.role == .owner }.map(\.rawValue)
            return JSONLine.of(Line(key: publicKey, words: words, endpoint: known?.endpoint))
        case .subscribe(let subscription):
            try await store.subscribe(device.id, subscription)
            audit("device \(device.id) wants to be told things, by \(subscription.host)")
        case .unsubscribe:
            try await store.unsubscribe(device.id)
            audit("device \(device.id) wants to be told nothing")
        }
        return LineAnswer.endLine
    }
}

import Chat
import Cryptography
import Foundation
import Outgoing

/// Words to browsers through their push services (RFC 8030).
public struct PushService: Sendable {
    /// How long a service keeps a message for a browser that is away: 12 h, in seconds.
    static let keep = 43_200
    /// How long a token is good, in seconds; services refuse more than a day (RFC 8292, 2).
    static let tokenLife = 43_200

    private let key: PushKey
    private let contact: String?
    private let reach: AddressReach

    /// - Parameter contact: whom a service may write to; a `mailto:` or an https address.
    public init(key: PushKey, contact: String?, mayBePrivate: Bool) {
        self.key = key
        self.contact = contact
        reach = mayBePrivate ? .anywhere : .publicOnly
    }

    func call(
        _ delivery: Delivery, to subscription: PushSubscription, at now: Date
    ) throws(PushEncryption.Failure) -> OutgoingCall {
        var salt = Data(count: 16)
        for index in salt.indices { salt[index] = .random(in: 0...255) }
        let authorization = try authorization(for: subscription.endpoint, at: now)
        let body = try PushEncryption.encrypt(
            Data(delivery.body.utf8), publicKey: subscription.publicKey, secret: subscription.secret, sender: nil,
            salt: salt)
        return OutgoingCall(
            subscription.endpoint,
            headers: [
                ("Authorization", authorization), ("Content-Type", "application/octet-stream"),
                ("Content-Encoding", "aes128gcm"), ("TTL", "\(Self.keep)"),
                ("Urgency", delivery.isUrgent ? "high" : "normal"),
                // A word that comes twice takes its own place (RFC 8030, 5.4).
                ("Topic", delivery.word),
            ], body: Array(body), answerLimit: 16_384, reach: reach, httpsOnly: true)
    }

    /// `vapid t=TOKEN, k=KEY` (RFC 8292, 3).
    func authorization(for endpoint: String, at now: Date) throws(PushEncryption.Failure) -> String {
        struct Claims: Encodable {
            var aud: String
            var exp: Int64
            var sub: String?
        }
        guard let origin = Self.origin(of: endpoint) else { throw .endpoint }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let claims = Claims(aud: origin, exp: Int64(now.timeIntervalSince1970) + Int64(Self.tokenLife), sub: contact)
        guard let body = try? encoder.encode(claims) else { throw .endpoint }
        let signed = Base64URL.text(Data(#"{"alg":"ES256","typ":"JWT"}"#.utf8)) + "." + Base64URL.text(body)
        do {
            let signature = try key.key.sign(Array(signed.utf8))
            return "vapid t=\(signed).\(Base64URL.text(Data(signature))), k=\(key.publicText)"
        } catch {
            throw .cryptography(error)
        }
    }

    /// Scheme, host and a port that is not the usual one (RFC 6454, 6.2).
    static func origin(of endpoint: String) -> String? {
        guard let parts = URLComponents(string: endpoint), let host = parts.host, parts.scheme == "https" else {
            return nil
        }
        let name = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        return "https://\(name.lowercased())" + (parts.port.map { $0 == 443 ? "" : ":\($0)" } ?? "")
    }
}

import Chat
import Cryptography
public import Foundation
import Outgoing

/// A POST of each word to an address of the owner's, signed as Standard Webhooks has it: receivers in most languages
/// have a library that checks `webhook-id`, `webhook-timestamp` and `webhook-signature`.
public struct Webhook: Sendable {
    /// Bytes of the shared secret that are taken, decoded.
    static let secretBytes = 16...64

    private let url: String
    private let key: SecretBytes

    /// Why there is no webhook.
    public struct Refusal: Error, CustomStringConvertible {
        /// What to do.
        public let description: String
    }

    /// `secret` is the file's content: `whsec_` and Base64, or any 16 to 64 bytes on one line.
    public init(url: String, secret: Data) throws(Refusal) {
        var bytes = secret
        while let last = bytes.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { bytes.removeLast() }
        let prefix = "whsec_"
        if bytes.starts(with: prefix.utf8) {
            guard let decoded = Data(base64Encoded: bytes.dropFirst(prefix.utf8.count)) else {
                throw Refusal(description: "what follows whsec_ in the webhook's secret is no Base64")
            }
            bytes = decoded
        }
        guard Self.secretBytes.contains(bytes.count) else {
            throw Refusal(
                description: "the webhook's secret has \(bytes.count) bytes; it takes 16 to 64: openssl rand -hex 24")
        }
        self.url = url
        key = SecretBytes(bytes)
    }

    func call(_ delivery: Delivery, at now: Date) throws(CryptographyFailure) -> OutgoingCall {
        let time = String(Int64(now.timeIntervalSince1970))
        let signed = Array("\(delivery.word).\(time).\(delivery.body)".utf8)
        let signature = Data(try HMACSHA256.code(of: signed, key: key)).base64EncodedString()
        return OutgoingCall(
            url,
            headers: [
                ("Content-Type", "application/json"), ("User-Agent", "nexus"), ("webhook-id", delivery.word),
                ("webhook-timestamp", time), ("webhook-signature", "v1,\(signature)"),
            ], body: Array(delivery.body.utf8), reach: .anywhere, httpsOnly: false)
    }
}

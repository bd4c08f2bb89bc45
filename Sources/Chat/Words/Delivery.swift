public import Foundation

/// A word on its way to one receiver.
public struct Delivery: Hashable, Sendable {
    /// The row in the store.
    public let id: Int64
    /// The word's own name, the same for every receiver and every try.
    public let word: String
    /// The JSON object.
    public let body: String
    /// It hurries.
    public let isUrgent: Bool
    /// Milliseconds since 1970: when the word was made.
    public let created: Int64
    /// How often it was tried.
    public let tries: Int
    /// To whom.
    public let receiver: Receiver

    /// Who gets words.
    public enum Receiver: Hashable, Sendable {
        /// The address of `[word] webhook`.
        case webhook
        /// A device, by its push service.
        case device(DeviceID, PushSubscription)
    }
}

/// Where and how a browser wants to be told something (W3C Push API, `PushSubscription`).
public struct PushSubscription: Hashable, Sendable {
    /// The push service's address for this browser: chosen by the browser, so not to be trusted.
    public let endpoint: String
    /// The browser's public key: an uncompressed point of P-256, 65 bytes (RFC 8291, 3.1).
    public let publicKey: Data
    /// The browser's secret for authentication: 16 bytes (RFC 8291, 3.2).
    public let secret: Data

    /// Bytes of an endpoint that are taken.
    public static let endpointLimit = 1024

    /// Nil for what cannot be one: it is checked before it is kept.
    public init?(endpoint: String, publicKey: Data, secret: Data) {
        guard endpoint.hasPrefix("https://"), endpoint.utf8.count <= Self.endpointLimit,
            endpoint.utf8.allSatisfy({ (UInt8(ascii: "!")...UInt8(ascii: "~")).contains($0) }),
            let parts = URLComponents(string: endpoint), parts.user == nil, parts.password == nil,
            parts.fragment == nil, parts.host?.isEmpty == false, publicKey.count == 65, publicKey.first == 4,
            secret.count == 16
        else { return nil }
        self.endpoint = endpoint
        self.publicKey = publicKey
        self.secret = secret
    }

    /// The push service, as people know it.
    public var host: String { URLComponents(string: endpoint)?.host ?? "" }
}

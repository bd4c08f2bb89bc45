import Foundation
public import Wire

/// Why something on the bus did not come to be.
public struct BusError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure; the receiver's own codes that are not the protocol's become `failed`.
    public var code: BusErrorCode
    /// A sentence for people.
    public var message: String

    /// Both.
    public init(_ code: BusErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    /// `peer-restarted: agent-worker ended while the request was open`.
    public var description: String { "\(code.rawValue): \(message)" }

    /// The link to nexusd is over: nothing went out.
    static let closed = BusError(.unavailable, "the bus is closed: nexusd ended or ended this link")
    /// It ended while a request was open, which the other side may have read and carried out.
    static let cutOff = BusError(
        .cut, "nexusd ended, or ended this link, before the answer had come; whether it was carried out is not known")
}

extension BusError {
    private struct Payload: Decodable {
        var code: String
        var message: String?
    }

    /// Reads an `error` frame's payload; of anything that is not the agreed JSON only its length is told.
    init(payload: [UInt8]) {
        guard let read = try? JSONDecoder().decode(Payload.self, from: Data(payload)) else {
            self.init(.failed, "the other side failed, and its error is no JSON (\(payload.count) bytes)")
            return
        }
        self.init(BusErrorCode(rawValue: read.code) ?? .failed, read.message ?? read.code)
    }
}

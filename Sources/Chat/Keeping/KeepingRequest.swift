import Foundation

/// What control clients alone may ask: the conversations as a whole. A bus request as JSON with `op`.
public enum KeepingRequest: Hashable, Sendable {
    /// All conversations in one file, which comes as the bytes of a stream behind one line about it.
    case backup
    /// Takes such a file, so many bytes long, which comes with the request.
    case restore(bytes: Int64)

    /// Nil: it is something else.
    public init?(payload: [UInt8]) {
        struct Fields: Decodable {
            enum Operation: String, Decodable { case backup, restore }
            var op: Operation
            var bytes: Int64?
        }
        guard let fields = try? JSONDecoder().decode(Fields.self, from: Data(payload)) else { return nil }
        switch fields.op {
        case .backup: self = .backup
        case .restore: self = .restore(bytes: fields.bytes ?? 0)
        }
    }
}

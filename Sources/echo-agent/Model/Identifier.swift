import Synchronization

/// opencode's ids: a prefix, 12 hexadecimal digits of time (milliseconds × 4096 + a counter, the low 48 bits) and 14
/// random base62 digits. Messages, parts and events sort oldest first; sessions are complemented and sort newest first.
enum Identifier {
    private static let last = Mutex<(millisecond: UInt64, count: UInt64)>((0, 0))
    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// A new session id.
    static func session() -> String { make("ses", descending: true) }
    /// A new message id.
    static func message() -> String { make("msg") }
    /// A new part id.
    static func part() -> String { make("prt") }
    /// A new id of a request for leave.
    static func permission() -> String { make("per") }
    /// A new id of a question.
    static func question() -> String { make("que") }
    /// A new event id.
    static func event() -> String { make("evt") }

    private static func make(_ prefix: String, descending: Bool = false) -> String {
        let now = WallClock.milliseconds
        let count = last.withLock { last in
            last = last.millisecond == now ? (now, last.count + 1) : (now, 1)
            return last.count
        }
        let stamp = now &* 4096 &+ count
        let time = (descending ? ~stamp : stamp) & 0xFFFF_FFFF_FFFF
        let hex = String(time, radix: 16)
        let padded = String(repeating: "0", count: 12 - hex.count) + hex
        let random = (0..<14).map { _ in Character(UnicodeScalar(digits[Int.random(in: 0..<digits.count)])) }
        return "\(prefix)_\(padded)\(String(random))"
    }
}

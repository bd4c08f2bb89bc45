import FoundationEssentials

/// Message ids chosen by the client: the handle by which a turn's events are told from others. The form is opencode's
/// (`msg_`, 12 hexadecimal digits of milliseconds × 4096 + a counter, 14 base62 digits), since 1.x sorts
/// messages by id: the prompt must come before its answer. opencode's counter starts at 1 in each millisecond, ours is 0.
/// 2.x keeps messages in the order in which they came, whatever their ids are.
enum PromptID {
    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

    /// For a prompt that is handed over now.
    static func make(at date: Date = Date()) -> String {
        let stamp = (UInt64(max(0, date.timeIntervalSince1970 * 1000)) &* 4096) & 0xFFFF_FFFF_FFFF
        let hex = String(stamp, radix: 16)
        let random = (0..<14).map { _ in digits[Int.random(in: 0..<digits.count)] }
        return "msg_" + String(repeating: "0", count: 12 - hex.count) + hex + String(random)
    }
}

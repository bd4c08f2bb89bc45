import Glibc

/// Log lines: one write(2) a line to stderr, with the `<N>` prefix of sd-daemon(3), which log-writer reads as the level.
public enum Log {
    /// syslog(3) levels in use.
    public enum Level: Int, Sendable {
        case error = 3
        case warning = 4
        case notice = 5
        case info = 6
        case debug = 7
    }

    /// Longest line; longer ones are cut, because one write up to this is never torn by another thread's (pipe(7)).
    public static let lineLimit = 4096

    /// Something failed and someone should know.
    public static func error(_ message: String) { write(.error, message) }
    /// Something is odd.
    public static func warning(_ message: String) { write(.warning, message) }
    /// Something worth knowing happened.
    public static func notice(_ message: String) { write(.notice, message) }
    /// Normal course of things.
    public static func info(_ message: String) { write(.info, message) }
    /// For whoever looks for a fault.
    public static func debug(_ message: String) { write(.debug, message) }

    /// Line breaks inside a message would become further entries without level: they become spaces.
    static func line(_ level: Level, _ message: String) -> [UInt8] {
        var bytes = Array("<\(level.rawValue)>".utf8)
        bytes.append(contentsOf: message.utf8.lazy.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 })
        if bytes.count >= lineLimit {
            bytes.removeSubrange((lineLimit - 1)...)
            // A cut inside a scalar would not be UTF-8 any more: drop its first bytes too.
            while let last = bytes.last, last & 0xC0 == 0x80 { bytes.removeLast() }
            if let last = bytes.last, last >= 0xC0 { bytes.removeLast() }
        }
        bytes.append(0x0A)
        return bytes
    }

    private static func write(_ level: Level, _ message: String) {
        let bytes = line(level, message)
        // Nothing can be done about a failure here: there is no second place to say it.
        _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

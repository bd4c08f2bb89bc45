/// One word of sd_notify(3) that means something to nexusd.
public enum NotifyWord: Hashable, Sendable {
    /// READY=1.
    case ready
    /// STOPPING=1.
    case stopping
    /// STATUS=, at most 256 bytes, control characters replaced.
    case status(String)
    /// WATCHDOG=1.
    case watchdog
    /// WATCHDOG=trigger: it hangs and says so.
    case watchdogTrigger
    /// WATCHDOG_USEC=, at most one hour; zero: no watchdog from now on.
    case watchdogInterval(Duration)
    /// MAINPID=, which is not followed: a number that a child sends may be anybody's.
    case mainProcess
    /// EXTEND_TIMEOUT_USEC=, at most one hour.
    case extendTimeout(Duration)

    /// Longest status, bytes.
    public static let statusLimit = 256
    /// Shortest watchdog a message may ask for; less would be a loop that does nothing else.
    public static let shortestWatchdog: Duration = .milliseconds(10)
    /// Longest time one message may ask for.
    public static let extensionLimit: Duration = .seconds(3600)

    /// Reads a datagram: lines `NAME=VALUE`. What is unknown or malformed is left out, as the protocol demands; so is
    /// RELOADING, for a child that reloads still serves. BARRIER needs no word: see `NotifySocket`.
    public static func parse(_ datagram: some Collection<UInt8>) -> [NotifyWord] {
        datagram.split(separator: UInt8(ascii: "\n")).compactMap { line in
            guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let value = line[line.index(after: equals)...]
            return word(String(decoding: line[..<equals], as: UTF8.self), value)
        }
    }

    private static func word(_ name: String, _ value: some Collection<UInt8>) -> NotifyWord? {
        let isOne = value.elementsEqual([UInt8(ascii: "1")])
        switch name {
        case "READY": return isOne ? .ready : nil
        case "STOPPING": return isOne ? .stopping : nil
        case "WATCHDOG":
            return isOne ? .watchdog : value.elementsEqual("trigger".utf8) ? .watchdogTrigger : nil
        case "WATCHDOG_USEC":
            guard let time = time(value), time == .zero || time >= shortestWatchdog else { return nil }
            return .watchdogInterval(time)
        case "MAINPID": return .mainProcess
        case "STATUS": return .status(shown(value))
        case "EXTEND_TIMEOUT_USEC": return time(value).map { .extendTimeout($0) }
        case _: return nil
        }
    }

    /// Microseconds, at most `extensionLimit`.
    private static func time(_ value: some Collection<UInt8>) -> Duration? {
        guard let microseconds = decimal(value), !value.contains(UInt8(ascii: " ")) else { return nil }
        return min(.microseconds(Int64(clamping: microseconds)), extensionLimit)
    }

    /// Text of a child is for people's terminals: no control characters, whole scalars, bounded.
    private static func shown(_ bytes: some Collection<UInt8>) -> String {
        var text = ""
        // Four bytes more than are kept: what is cut off is a whole scalar, not a half one.
        for scalar in String(decoding: bytes.prefix(statusLimit + 4), as: UTF8.self).unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
            text.unicodeScalars.append(isControl ? " " : scalar)
        }
        while text.utf8.count > statusLimit { text.unicodeScalars.removeLast() }
        return text
    }
}

import Wire

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
    /// WATCHDOG_USEC=, from `shortestWatchdog` to `extensionLimit`; zero: no watchdog from now on.
    case watchdogInterval(Duration)
    /// MAINPID=, which is not followed: a number that a child sends may be anybody's.
    case mainProcess
    /// EXTEND_TIMEOUT_USEC=, at most one hour.
    case extendTimeout(Duration)
    /// A name from above with a value that it does not take, which is shown as a status is.
    case malformed(Name, String)

    /// What takes only some values.
    public enum Name: String, CaseIterable, Sendable {
        case ready = "READY"
        case stopping = "STOPPING"
        case watchdog = "WATCHDOG"
        case watchdogInterval = "WATCHDOG_USEC"
        case extendTimeout = "EXTEND_TIMEOUT_USEC"
        case barrier = "BARRIER"

        /// A part of a sentence: which values it takes.
        var taken: String {
            switch self {
            case .ready, .stopping: "only \(rawValue)=1 is taken"
            case .watchdog: "only WATCHDOG=1 and WATCHDOG=trigger are taken"
            case .watchdogInterval:
                "it takes microseconds from 10000 to 3600000000 (10 ms to 1 h), or 0 for no watchdog; the watchdog stays as it is"
            case .extendTimeout:
                "it takes microseconds, and more than 3600000000 (1 h) count as that; no timeout is moved"
            case .barrier: "only BARRIER=1 with a descriptor is taken"
            }
        }
    }

    /// Longest status, bytes.
    public static let statusLimit = 256
    /// Shortest watchdog a message may ask for; less would be a loop that does nothing else.
    public static let shortestWatchdog: Duration = .milliseconds(10)
    /// Longest time one message may ask for.
    public static let extensionLimit: Duration = .seconds(3600)

    /// Reads a datagram: lines `NAME=VALUE`. What is unknown is left out, as the protocol demands; so is RELOADING, for a
    /// child that reloads still serves. A BARRIER that came with a descriptor needs no word: see `NotifySocket`.
    public static func parse(
        _ datagram: some Collection<UInt8>, hadDescriptors: Bool = false
    ) -> [NotifyWord] {
        datagram.split(separator: UInt8(ascii: "\n")).compactMap { line in
            guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let value = line[line.index(after: equals)...]
            switch String(decoding: line[..<equals], as: UTF8.self) {
            case "MAINPID": return .mainProcess
            case "STATUS": return .status(shown(value))
            case let name:
                guard let name = Name(rawValue: name) else { return nil }
                if name == .barrier, hadDescriptors, isOne(value) { return nil }
                return word(name, value) ?? .malformed(name, shown(value))
            }
        }
    }

    private static func word(_ name: Name, _ value: some Collection<UInt8>) -> NotifyWord? {
        switch name {
        case .ready: return isOne(value) ? .ready : nil
        case .stopping: return isOne(value) ? .stopping : nil
        case .watchdog:
            return isOne(value) ? .watchdog : value.elementsEqual("trigger".utf8) ? .watchdogTrigger : nil
        // A longer one than is kept must not become a shorter one, nor end the one in force.
        case .watchdogInterval:
            guard let time = time(value), time == .zero || (shortestWatchdog...extensionLimit).contains(time) else {
                return nil
            }
            return .watchdogInterval(time)
        case .extendTimeout: return time(value).map { .extendTimeout(min($0, extensionLimit)) }
        case .barrier: return nil
        }
    }

    private static func isOne(_ value: some Collection<UInt8>) -> Bool { value.elementsEqual([UInt8(ascii: "1")]) }

    /// Microseconds; what a `Duration` cannot hold becomes the longest that it can.
    private static func time(_ value: some Collection<UInt8>) -> Duration? {
        guard let microseconds = decimal(value), !value.contains(UInt8(ascii: " ")) else { return nil }
        return .microseconds(Int64(clamping: min(microseconds, UInt64(Int64.max / 1000))))
    }

    /// Text of a child is for people's terminals: no escape sequences and control characters, whole scalars, bounded.
    private static func shown(_ bytes: some Collection<UInt8>) -> String {
        var text = ""
        // All of it, which a message bounds: what a sequence takes is no room lost, and what is cut off is a whole scalar.
        for scalar in EscapeSequence.removed(from: String(decoding: bytes, as: UTF8.self)).unicodeScalars {
            text.unicodeScalars.append(ControlText.isUnsafe(scalar) ? " " : scalar)
            if text.utf8.count >= statusLimit { break }
        }
        while text.utf8.count > statusLimit { text.unicodeScalars.removeLast() }
        return text
    }
}

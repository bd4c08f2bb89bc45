/// Resource limits by name; numbers of asm-generic/resource.h, which x86-64 and ARM share.
public enum ResourceName: UInt8, CaseIterable, Sendable {
    // As in limits.conf(5).
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case cpu, fsize, data, stack, core, rss, nproc, nofile, memlock, `as`, locks, sigpending, msgqueue, nice, rtprio
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case rttime

    /// As in limits.conf(5).
    public var name: String { String(describing: self) }

    /// What its numbers count (setrlimit(2)).
    public enum Unit: Sendable {
        // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
        case bytes, count, seconds, microseconds
    }

    /// What its numbers count.
    public var unit: Unit {
        switch self {
        case .fsize, .data, .stack, .core, .rss, .memlock, .as, .msgqueue: .bytes
        case .nproc, .nofile, .locks, .sigpending, .nice, .rtprio: .count
        case .cpu: .seconds
        case .rttime: .microseconds
        }
    }

    /// What a person should write.
    public var form: String {
        switch unit {
        case .bytes: "a size such as \"512MiB\""
        case .count: "a number such as 1024"
        case .seconds: "a duration in whole seconds such as \"60s\""
        case .microseconds: "a duration in whole microseconds such as \"200ms\""
        }
    }

    /// One number in the unit of setrlimit(2); `unlimited` is `UInt64.max`.
    public func parse(_ text: String) -> UInt64? {
        if text == "unlimited" { return .max }
        switch unit {
        case .bytes: return SizeText.parse(text)
        case .count: return UInt64(text)
        case .seconds: return DurationText.parse(text).flatMap { Self.count($0, of: 1_000_000_000) }
        case .microseconds: return DurationText.parse(text).flatMap { Self.count($0, of: 1000) }
        }
    }

    /// nil for what setrlimit(2) cannot count: rounded, it would be another limit than the one that was written.
    private static func count(_ duration: Duration, of nanoseconds: Int64) -> UInt64? {
        let (count, rest) = duration.nanoseconds.quotientAndRemainder(dividingBy: nanoseconds)
        return rest == 0 ? UInt64(exactly: count) : nil
    }

    /// One number of setrlimit(2) as it would be written: `512MiB`, `1024`, `1h`.
    public func show(_ value: UInt64) -> String {
        if value == .max { return "unlimited" }
        switch unit {
        case .bytes: return SizeText.show(value)
        case .count: return "\(value)"
        case .seconds: return Int64(exactly: value).map { DurationText.show(.seconds($0)) } ?? "\(value)s"
        case .microseconds: return Int64(exactly: value).map { DurationText.show(.microseconds($0)) } ?? "\(value)us"
        }
    }
}

import Plan

/// Resource limits by name; numbers of asm-generic/resource.h, which x86-64 and ARM share.
enum ResourceName: UInt8, CaseIterable {
    case cpu, fsize, data, stack, core, rss, nproc, nofile, memlock, `as`, locks, sigpending, msgqueue, nice, rtprio
    case rttime

    /// As in limits.conf(5).
    var name: String { String(describing: self) }

    /// What its numbers count (setrlimit(2)).
    enum Unit {
        case bytes, count, seconds, microseconds
    }

    var unit: Unit {
        switch self {
        case .fsize, .data, .stack, .core, .rss, .memlock, .as, .msgqueue: .bytes
        case .nproc, .nofile, .locks, .sigpending, .nice, .rtprio: .count
        case .cpu: .seconds
        case .rttime: .microseconds
        }
    }

    /// What a person should write.
    var form: String {
        switch unit {
        case .bytes: "a size such as \"512MiB\""
        case .count: "a number such as 1024"
        case .seconds, .microseconds: "a duration such as \"60s\""
        }
    }

    /// One number in the unit of setrlimit(2); `unlimited` is `UInt64.max`.
    func parse(_ text: String) -> UInt64? {
        if text == "unlimited" { return .max }
        switch unit {
        case .bytes: return SizeText.parse(text)
        case .count: return UInt64(text)
        case .seconds: return DurationText.parse(text).map { UInt64($0.components.seconds) }
        case .microseconds: return DurationText.parse(text).map { UInt64($0.nanoseconds / 1000) }
        }
    }
}

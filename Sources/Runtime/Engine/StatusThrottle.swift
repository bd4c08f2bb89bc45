import SupervisorCore

/// Holds back `STATUS=` so that systemd hears at most one a second, and always the last one. Nothing is armed while
/// nothing changes.
struct StatusThrottle: Sendable {
    /// The shortest time between two of them.
    static let interval: Duration = .seconds(1)

    private var shown = ""
    private var waiting: String?
    private var next = Instant(nanoseconds: .min)

    /// When `take` has something, if nothing changes before.
    var deadline: Instant? { waiting == nil ? nil : next }

    /// The newest text.
    mutating func set(_ text: String) { waiting = text == shown ? nil : text }

    /// The text to be sent now, if there is one.
    mutating func take(at now: Instant) -> String? {
        guard let text = waiting, now >= next else { return nil }
        shown = text
        waiting = nil
        next = now + Self.interval
        return text
    }
}

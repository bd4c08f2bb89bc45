/// Which rule gave a child up.
public enum Ground: UInt8, Hashable, Sendable, CaseIterable {
    /// It ended with cause `config`, which a new start would only repeat.
    case config
    /// So many unstable runs in a row.
    case unstable
    /// More restarts than its own intensity allows.
    case intensity
    /// It is never started again by itself, and failed.
    case never
    /// More restarts in its group than the group's intensity allows.
    case groupIntensity
}

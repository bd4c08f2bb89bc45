/// What an owner chose by command, against `enabled` of the file. It lasts until `reset`, or until a `start` or `stop`
/// that makes it needless.
public enum Choice: UInt8, Hashable, Sendable, CaseIterable {
    /// Stopped, though the file enables it.
    case off
    /// Started, though the file does not enable it.
    case on

    /// Whether the child is wanted.
    public var isOn: Bool { self == .on }
}

/// How the chat is reached from outside, as `--mode` of tunnel-worker says.
public enum TunnelMode: String, Hashable, Sendable, CaseIterable {
    /// Not at all.
    case off
    /// A quick tunnel: no account, a new address at every start.
    case quick
    /// A named tunnel with a credentials file.
    case named
    /// A tunnel whose token is in a file.
    case token

    /// The mode for the word in Supervisor.toml. Modes that this version only has a model for are refused, with words.
    public static func supported(_ word: String) throws(TunnelError) -> TunnelMode {
        guard let mode = TunnelMode(rawValue: word) else {
            throw TunnelError("'\(word)' is no tunnel mode; there are off, quick, named and token")
        }
        switch mode {
        case .off: return mode
        case .quick, .named, .token:
            throw TunnelError(
                "tunnel mode '\(word)' is not available in this version, only off; set \"--mode\", \"off\" in "
                    + "[child.tunnel-worker] of Supervisor.toml")
        }
    }
}

/// Why something about the tunnel was refused or failed; the words say what to do.
public struct TunnelError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The words.
    public let description: String

    /// Wraps words.
    public init(_ description: String) { self.description = description }
}

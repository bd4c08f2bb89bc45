/// How the chat is reached from outside.
public enum TunnelMode: String, Hashable, Sendable, CaseIterable, Codable {
    /// Not at all.
    case off
    /// A quick tunnel: no account, a new address at every start.
    case quick
    /// A named tunnel with a credentials file.
    case named
    /// A tunnel whose token is in a file; its rules come from Cloudflare's dashboard.
    case token

    /// Connections to the edge that cloudflared makes (2026.8).
    public var connections: Int {
        switch self {
        case .off: 0
        case .quick: 1
        case .named, .token: 4
        }
    }

    /// `[chat] url` leads through it, so that it leads nowhere while it is off.
    public var ownsURL: Bool {
        switch self {
        case .off, .quick: false
        case .named, .token: true
        }
    }

    /// The mode for a word; `TunnelError` with those there are.
    public static func of(_ word: String) throws(TunnelError) -> TunnelMode {
        if let mode = TunnelMode(rawValue: word) { return mode }
        throw TunnelError(
            "mode: '\(word)' is no mode; there are off, quick, named and token, and file for what Supervisor.toml says")
    }
}

/// Why something about the tunnel was refused or failed; the words say what to do.
public struct TunnelError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The words.
    public let description: String

    /// Wraps words.
    public init(_ description: String) { self.description = description }
}

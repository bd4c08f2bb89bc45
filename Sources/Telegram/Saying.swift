/// What somebody wrote, as it is meant.
public enum Saying: Hashable, Sendable {
    /// For the agent.
    case message(String)
    /// Stop what runs, withdraw what waits; then comes this message.
    case stop(then: String?)
    /// This message, or the next one, begins a session.
    case new(String?)
    /// What this is.
    case help

    /// Only these commands are ours; others may be the agent's own. In a group they carry the bot's name.
    public init(_ text: String) {
        let parts = text.split(maxSplits: 1, whereSeparator: \.isWhitespace)
        let rest = parts.count == 2 && !parts[1].allSatisfy(\.isWhitespace) ? String(parts[1]) : nil
        switch parts.first?.split(separator: "@", maxSplits: 1).first ?? "" {
        case "/stop": self = .stop(then: rest)
        case "/new": self = .new(rest)
        // What is behind the first of them is Telegram's, from a link.
        case "/start": self = .help
        case "/help" where rest == nil: self = .help
        case _: self = .message(text)
        }
    }
}

/// What somebody wrote, as it is meant.
public enum Saying: Hashable, Sendable {
    /// For the agent.
    case message(String)
    /// Stop what runs, withdraw what waits.
    case stop
    /// The next message begins a session.
    case new
    /// What this is.
    case help

    /// Only these commands are ours; others may be the agent's own. In a group they carry the bot's name.
    public init(_ text: String) {
        let word = text.split(separator: " ", maxSplits: 1).first.map(String.init) ?? ""
        switch word.split(separator: "@", maxSplits: 1).first.map(String.init) ?? "" {
        case "/stop": self = .stop
        case "/new": self = .new
        case "/start", "/help": self = .help
        case _: self = .message(text)
        }
    }
}

public import AgentModel

/// What is said to the agent when nobody answers what it asks (`[agent]` in Supervisor.toml).
public struct AnswerPolicy: Hashable, Sendable {
    /// To a request for leave: `once` or `reject`.
    public var permission: PermissionReply
    /// After so long.
    public var timeout: Duration

    /// No, after ten minutes, unless it is said otherwise.
    public init(permission: PermissionReply = .reject, timeout: Duration = .seconds(600)) {
        self.permission = permission
        self.timeout = timeout
    }

    /// For people: "10 minutes", "90 s".
    var timeoutWords: String {
        let seconds = timeout.components.seconds
        if seconds >= 120, seconds % 60 == 0 { return "\(seconds / 60) minutes" }
        return seconds > 0 ? "\(seconds) s" : "\(timeout.components.attoseconds / 1_000_000_000_000_000) ms"
    }
}

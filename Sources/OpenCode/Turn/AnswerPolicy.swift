public import AgentModel
import FoundationEssentials

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

    /// With what comes of it when nobody answers what is asked now.
    func dated(_ event: AgentEvent, now: Date = Date()) -> AgentEvent {
        let at = Int64((now.timeIntervalSince1970 + timeout / .seconds(1)) * 1000)
        switch event {
        case .permissionAsked(var ask):
            ask.unanswered = Unanswered(answer: .init(permission), at: at)
            return .permissionAsked(ask)
        case .questionAsked(var ask):
            ask.unanswered = Unanswered(answer: .dismissed, at: at)
            return .questionAsked(ask)
        case .turnStarted, .textDelta, .textBlock, .reasoningDelta, .tool, .answered, .todos, .changes, .usage, .notice,
            .turnEnded:
            return event
        }
    }

    /// For people: "10 minutes", "90 s".
    var timeoutWords: String {
        let seconds = timeout.components.seconds
        if seconds >= 120, seconds % 60 == 0 { return "\(seconds / 60) minutes" }
        return seconds > 0 ? "\(seconds) s" : "\(timeout.components.attoseconds / 1_000_000_000_000_000) ms"
    }
}

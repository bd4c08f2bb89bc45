/// How long cloudflared may let requests that are under way come to their end when it is told to stop.
public enum GracePeriod {
    /// What nexusd's kill has to leave it behind that: it unregisters first, and within 2 s of its start a stop takes up to 1 s
    /// more (cloudflared.md, section 6).
    static let margin: Duration = .seconds(5)
    /// cloudflared takes no more.
    static let limit: Duration = .seconds(180)

    /// To a child with this stop timeout: it is through with its grace period before it is killed. Never 0, which in
    /// config.yml means "not set" and so 30 s. In whole milliseconds.
    public static func of(stopTimeout: Duration) -> Duration {
        let period = min(limit, max(stopTimeout - margin, stopTimeout / 2))
        return max(.milliseconds(1), .milliseconds(Int64(period / .milliseconds(1))))
    }

    /// As config.yml has it: `5s`, `2500ms`.
    static func words(_ period: Duration) -> String {
        let milliseconds = Int64(period / .milliseconds(1))
        return milliseconds.isMultiple(of: 1000) ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
    }
}

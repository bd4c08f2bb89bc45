/// Why a command of the CLI could not be done: what, why, and what to do about it.
public struct ControlError: Error, Hashable, Sendable {
    /// The kinds of failure; each has its exit status.
    public enum Code: Hashable, Sendable {
        /// It was tried and did not come to be.
        case failed
        /// Wrong arguments, or a configuration that is refused.
        case usage
        /// Supervisor.toml is refused; the message is its diagnostics, one a line.
        case configuration
        /// There is nobody at the control socket.
        case notRunning
        /// nexusd said no.
        case refused
        /// It did not come to be in time.
        case timeout
        /// Whoever waits for it does not want to wait any longer (Ctrl-C).
        case interrupted
    }

    /// Kind.
    public let code: Code
    /// What happened, and why; one sentence without a full stop.
    public let message: String
    /// What to do, a line each; nil where the message says it.
    public let hint: String?

    /// All fields.
    public init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    /// The exit status a script can rely on: 1 failed, 2 usage or configuration, 3 not running, 4 refused, 5 timeout,
    /// 130 interrupted.
    public var exitStatus: Int32 {
        switch code {
        case .failed: 1
        case .usage, .configuration: 2
        case .notRunning: 3
        case .refused: 4
        case .timeout: 5
        case .interrupted: 130
        }
    }

    /// Columns in front of what is said after the first line.
    public static let indent = 10

    /// The text for standard error, mostly one or two lines, without a newline at the end.
    public var text: String {
        if code == .configuration {
            // As every editor can jump to them; nexusd's own words come last.
            let lines = message.split(separator: "\n").map { Terminal.clean(String($0)) }
            return (lines + ["nexusctl: the file was refused" + (hint.map { ": " + $0 } ?? "")]).joined(separator: "\n")
        }
        let first = "nexusctl: " + (code == .refused ? "refused: " : "") + Terminal.clean(message)
        guard let hint else { return first }
        let lines = hint.split(separator: "\n").map { Terminal.clean(String($0)) }
        return first + lines.map { "\n" + String(repeating: " ", count: Self.indent) + $0 }.joined()
    }
}

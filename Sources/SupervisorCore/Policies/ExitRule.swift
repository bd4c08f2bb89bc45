/// One way in which a main process can end, as `exits` names it.
public enum ExitPattern: Hashable, Sendable, ExpressibleByIntegerLiteral {
    /// exit(2) with this code.
    case code(UInt8)
    /// Killed by this signal; not when the OOM killer sent it.
    case signal(Signal)

    /// An exit code.
    public init(integerLiteral code: UInt8) { self = .code(code) }
}

/// Exit codes and signals with a meaning of their own; whatever is in none of them is a crash.
public struct ExitRule: Hashable, Sendable {
    /// Success, as code 0 always is.
    public var success: Set<ExitPattern>
    /// Configuration errors: parked at once with the words to fix it. 64 is EX_USAGE and 78 EX_CONFIG of sysexits(3).
    public var config: Set<ExitPattern>
    /// No network: tried for ever with a low cap, never parked. 68 is EX_NOHOST of sysexits(3).
    public var network: Set<ExitPattern>

    /// Success 0; config 64 and 78; network 68.
    public init(
        success: Set<ExitPattern> = [0], config: Set<ExitPattern> = [64, 78], network: Set<ExitPattern> = [68]
    ) {
        self.success = success
        self.config = config
        self.network = network
    }
}

extension ExitRule {
    /// The cause of an end in one of these ways that nobody asked for. A name in two of them means the first of config,
    /// network and success.
    func cause(of end: ExitPattern) -> Cause {
        if config.contains(end) { return .config }
        if network.contains(end) { return .network }
        return end == .code(0) || success.contains(end) ? .done : .crash
    }
}

/// Why the agent could not be asked, in words that say what to do.
public struct AgentFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure.
    public enum Code: String, Hashable, Sendable {
        /// The agent is not there; nothing was handed over.
        case unavailable
        /// The agent, or this worker, does not allow it.
        case refused
        /// There is no such session or workspace.
        case unknown
        /// A turn runs in this session already.
        case busy
        /// The agent says that the call is wrong: asking again changes nothing.
        case badRequest = "bad-request"
        /// Anything else.
        case failed
    }

    /// What is to be done about a key that is missing or not taken: opencode is nexusd's own child.
    static let logIn =
        "Log in with `nexusctl agent login` (`opencode auth login` as the user that opencode runs as; then "
        + "`nexusctl recycle opencode`)"

    /// Kind.
    public let code: Code
    /// Words.
    public let message: String

    /// Both.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The words.
    public var description: String { message }
}

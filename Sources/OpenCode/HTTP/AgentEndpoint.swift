public import Glibc

/// Where opencode listens and who we are to it. Always 127.0.0.1: the password goes to no other machine, whatever the
/// environment says about proxies.
public struct AgentEndpoint: Hashable, Sendable, CustomStringConvertible {
    /// TCP port.
    public let port: UInt16
    /// HTTP Basic user.
    public let user: String
    /// HTTP Basic password; never shown.
    let password: String
    /// Whom the password goes to: only to a listener of this uid.
    public let owner: UInt32

    /// All of it; opencode's user is `opencode` unless OPENCODE_SERVER_USERNAME says otherwise, and it runs as we do unless
    /// it is given another uid.
    public init(port: UInt16, user: String = "opencode", password: String, owner: UInt32 = geteuid()) {
        self.owner = owner
        self.port = port
        self.user = user
        self.password = password
    }

    /// Without the password.
    public var description: String { "127.0.0.1:\(port)" }

    func url(_ call: HTTPCall) -> String { "http://127.0.0.1:\(port)\(call.target)" }
}

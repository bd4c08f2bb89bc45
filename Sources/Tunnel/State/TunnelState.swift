/// What the owner is told about the tunnel. Measured, never assumed: each state names what was seen.
public enum TunnelState: Hashable, Sendable {
    /// No tunnel is wanted.
    case off
    /// One is wanted, cloudflared does not run.
    case stopped
    /// It runs and has not connected yet.
    case starting
    /// Connected, and a remotely managed tunnel has sent no configuration: every request gets 503.
    case waitingForConfiguration
    /// All its connections to the edge stand, as far as it says.
    case connected(Connections)
    /// Some of them do.
    case degraded(Connections)
    /// None does, and some did: it tries again.
    case reconnecting
    /// The edge refuses the credentials; trying again does not help.
    case credentialsRefused
    /// This machine has no way out: nothing is wrong with the tunnel.
    case noNetwork
    /// The tunnel stands, the chat behind it does not answer.
    case originDown
    /// Its configuration lets more be reached than the chat: it is stopped.
    case exposesMoreThanTheChat
    /// It ended without having been asked to.
    case crashed(exit: String)

    /// Connections to the edge: so many of those it makes (4, a quick tunnel 1).
    public struct Connections: Hashable, Sendable {
        /// That stand.
        public var count: Int
        /// That it makes.
        public var of: Int

        /// Both.
        public init(_ count: Int, of: Int) {
            self.count = count
            self.of = of
        }
    }

    /// For the status line: what is, and what to do where the owner can do something.
    public var words: String {
        switch self {
        case .off: "off: no tunnel is configured; set \"--mode\" in [child.tunnel-worker] of Supervisor.toml"
        case .stopped: "stopped: cloudflared does not run"
        case .starting: "starting: cloudflared runs and is not connected yet"
        case .waitingForConfiguration: "waiting for configuration: the tunnel's dashboard has sent none yet"
        case .connected(let connections): "connected \(connections.count)/\(connections.of)"
        case .degraded(let connections): "degraded: \(connections.count) of \(connections.of) connections stand"
        case .reconnecting: "reconnecting: no connection to the edge stands"
        case .credentialsRefused: "credentials refused: the tunnel was deleted, or its secret was changed"
        case .noNetwork: "no network: this machine has no way out"
        case .originDown: "origin down: the tunnel stands, the chat does not answer"
        case .exposesMoreThanTheChat: "exposes more than the chat: stopped; see its ingress rules"
        case .crashed(let exit): "crashed: \(exit)"
        }
    }
}

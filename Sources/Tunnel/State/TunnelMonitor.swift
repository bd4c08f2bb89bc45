/// Judges the tunnel from what was seen. Pure: observations in, state out; nothing here looks or waits by itself.
public struct TunnelMonitor: Hashable, Sendable {
    /// One thing that was seen.
    public enum Observation: Hashable, Sendable {
        /// The owner chose.
        case wanted(TunnelMode)
        /// nexusd started cloudflared.
        case started
        /// It ended; `asked`: somebody wanted that.
        case ended(exit: String, asked: Bool)
        /// /ready answered: so many connections. (The gauge `ha_connections` counts attempts and is never asked.)
        case ready(connections: Int)
        /// /ready does not answer.
        case silent
        /// /config of a remotely managed tunnel: -1 until the first one came.
        case configuration(version: Int)
        /// Counters of registrations at the edge since its start.
        case registrations(succeeded: Int, refused: Int)
        /// The default route came or went.
        case network(isUp: Bool)
        /// The chat answered on its own socket, or did not.
        case origin(answers: Bool)
        /// The effective ingress rules have nothing but the chat and a final 404, or something else.
        case exposure(onlyTheChat: Bool)
    }

    private enum Process: Hashable, Sendable {
        case notRunning
        case running
        case crashed(String)
    }

    private var mode = TunnelMode.off
    private var process = Process.notRunning
    private var connections = 0
    private var wasConnected = false
    private var waitsForConfiguration = false
    private var isRefused = false
    private var hasNetwork = true
    private var originAnswers = true
    private var exposesOnlyTheChat = true

    /// Off, nothing seen yet.
    public init() {}

    /// The state that follows.
    @discardableResult
    public mutating func see(_ observation: Observation) -> TunnelState {
        switch observation {
        case .wanted(let mode): self.mode = mode
        case .started: begin()
        case .ended(let exit, let asked): process = asked ? .notRunning : .crashed(exit)
        case .ready(let count):
            connections = count
            wasConnected = wasConnected || count > 0
            if count > 0 { isRefused = false }
        case .silent: connections = 0
        case .configuration(let version): waitsForConfiguration = version < 0
        case .registrations(let succeeded, let refused): isRefused = succeeded == 0 && refused > 0
        case .network(let isUp): hasNetwork = isUp
        case .origin(let answers): originAnswers = answers
        case .exposure(let onlyTheChat): exposesOnlyTheChat = onlyTheChat
        }
        return state
    }

    /// The state now. The order is that of what the owner has to know first.
    public var state: TunnelState {
        if mode == .off { return .off }
        if !exposesOnlyTheChat { return .exposesMoreThanTheChat }
        switch process {
        case .notRunning: return .stopped
        // Without network it ends with 1 at its start (cloudflared.md, 1.3): that is no crash of its own.
        case .crashed(let exit): return hasNetwork ? .crashed(exit: exit) : .noNetwork
        case .running: return runningState
        }
    }

    private var runningState: TunnelState {
        // http2 keeps its connections as ready for 150 s after the cable is out: the route is believed before them.
        if !hasNetwork { return .noNetwork }
        if isRefused { return .credentialsRefused }
        guard connections > 0 else { return wasConnected ? .reconnecting : .starting }
        if waitsForConfiguration { return .waitingForConfiguration }
        if !originAnswers { return .originDown }
        let wanted = mode == .quick ? 1 : 4
        let standing = TunnelState.Connections(min(connections, wanted), of: wanted)
        return connections >= wanted ? .connected(standing) : .degraded(standing)
    }

    private mutating func begin() {
        process = .running
        connections = 0
        wasConnected = false
        isRefused = false
        // Only a token tunnel is managed from the dashboard; its first configuration comes after it registered.
        waitsForConfiguration = mode == .token
    }
}

/// What the owner is told about the tunnel. Measured, never assumed: each state names what was seen.
public enum TunnelState: Hashable, Sendable {
    /// No tunnel is wanted.
    case off
    /// One is wanted, its settings were not taken: nothing was started.
    case settingsRefused(String)
    /// One is wanted, cloudflared was stopped behind tunnel-worker's back.
    case stopped
    /// It runs, or is about to, and has not connected yet.
    case starting
    /// It has just been started, and some of its connections stand.
    case connecting(Connections)
    /// Connected, and a remotely managed tunnel has sent no configuration: every request gets 503.
    case waitingForConfiguration
    /// All its connections to the edge stand, as far as it says.
    case connected(Connections)
    /// Some of them do.
    case degraded(Connections)
    /// None does, or they stand and carry nothing, and some did: it tries again.
    case reconnecting(Loss)
    /// The edge refuses the credentials; trying again does not help.
    case credentialsRefused(String)
    /// This machine has no way out: nothing is wrong with the tunnel.
    case noNetwork
    /// It has one, and nothing of Cloudflare's answers beyond it, by TCP or by UDP.
    case noUplink
    /// It has one, and names are not resolved, so that cloudflared does not find the edge.
    case noNames
    /// The tunnel stands, the chat behind it does not answer.
    case originDown
    /// More can be reached than the chat, or by more people: it is stopped.
    case exposesMoreThanTheChat(String)
    /// It ended without having been asked to.
    case crashed(exit: String, next: NextTry = .unsaid)

    /// What nexusd does about an end.
    public enum NextTry: Hashable, Sendable {
        /// It has not said yet.
        case unsaid
        /// It has started it again, and that one has not connected yet.
        case again
        /// It starts it again, within so many seconds of the end.
        case soon(seconds: Int)
        /// It has given up for now; within so many minutes it tries once. Nil: not before a command.
        case parked(minutes: Int?)
        /// tunnel-worker has stopped it, and starts it after so long.
        case held(minutes: Int)
        /// tunnel-worker looks whether it can be started now, each 30 s.
        case whenMended

        /// The words stay true while the seconds pass.
        func after(_ former: NextTry) -> NextTry {
            switch (self, former) {
            case (.soon, .soon), (_, .whenMended): former
            case _: self
            }
        }

        var words: String {
            switch self {
            case .unsaid: ""
            case .again: "; it was started again, and is not connected yet"
            case .soon(let seconds): "; nexusd starts it again within \(seconds) s"
            case .parked(let minutes?):
                "; nexusd has parked it and tries once within \(minutes) min; at once: nexusctl tunnel start"
            case .parked(nil): "; nexusd has parked it, until: nexusctl tunnel start"
            case .whenMended: "; it is looked at again each 30 s, and started when that is mended"
            case .held(let minutes): "; tried again after \(minutes) min; at once: nexusctl tunnel start"
            }
        }
    }

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

    /// How it is known that nothing gets through.
    public enum Loss: Hashable, Sendable {
        /// cloudflared says so.
        case said
        /// cloudflared was connected, and does not answer on its metrics port: what stands nobody knows.
        case unheard
        /// cloudflared says that it is connected, and the public address does not lead here.
        case silent
    }

    /// One word or a few, the same in JSON, CLI and docs.
    public var name: String {
        switch self {
        case .off: "off"
        case .settingsRefused: "settings refused"
        case .stopped: "stopped"
        case .starting, .connecting: "starting"
        case .waitingForConfiguration: "waiting for configuration"
        case .connected: "connected"
        case .degraded: "degraded"
        case .reconnecting: "reconnecting"
        case .credentialsRefused: "credentials refused"
        case .noNetwork, .noUplink, .noNames: "no network"
        case .originDown: "origin down"
        case .exposesMoreThanTheChat: "exposes more than the chat"
        case .crashed: "crashed"
        }
    }

    /// For the status line: what is, and what to do where the owner can do something.
    public var words: String {
        switch self {
        case .off: "off: no tunnel brings others to the page; nexusctl tunnel setup"
        case .settingsRefused(let why): "settings refused: \(why)"
        case .stopped:
            "stopped: cloudflared was stopped (or reset) by its name; it stays so until nexusctl tunnel start"
        case .starting: "starting: cloudflared is not connected yet"
        case .connecting(let connections):
            "starting: \(connections.count) of \(connections.of) connections stand so far"
        case .waitingForConfiguration: "waiting for configuration: the tunnel's dashboard has sent none yet"
        case .connected(let connections): "connected \(connections.count)/\(connections.of)"
        case .degraded(let connections): "degraded: \(connections.count) of \(connections.of) connections stand"
        case .reconnecting(.said): "reconnecting: no connection to the edge stands"
        case .reconnecting(.unheard): "reconnecting: cloudflared does not answer on its metrics port"
        case .reconnecting(.silent): "reconnecting: its connections seem to stand and carry nothing"
        case .credentialsRefused(let why):
            "credentials refused: \(why); tried again after \(Int(Patience().refused / .seconds(60))) min, or when the file has another "
                + "secret; at once: nexusctl tunnel start"
        case .noNetwork: "no network: this machine has no way out; it goes on when there is one"
        case .noUplink:
            "no network: this machine has a route, and Cloudflare does not answer beyond it (port 7844 and 443, by TCP and UDP); it goes "
                + "on when it does"
        case .noNames:
            "no network: names are not resolved here (DNS: /etc/resolv.conf, and who answers there), so cloudflared does not find "
                + "Cloudflare; it goes on when they are"
        case .originDown: "origin down: the tunnel stands, the chat does not answer"
        case .exposesMoreThanTheChat(let what): "exposes more than the chat, so it is stopped: \(what)"
        case .crashed(let exit, let next): "crashed: \(exit)\(next.words)"
        }
    }
}

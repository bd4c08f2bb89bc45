import Foundation
import Wire
import Yams

/// cloudflared's config.yml. It lets one thing be reached: the chat, through its unix socket; everything else is 404.
public struct TunnelConfiguration: Hashable, Sendable {
    /// Which tunnel, and how it proves that it may be it.
    public enum Identity: Hashable, Sendable {
        /// A named tunnel: its UUID and the absolute path of its credentials file.
        case named(UUID, credentialsFile: String)
        /// The absolute path of a file with its token.
        case token(file: String)
        /// A quick tunnel: no account, a random name that Cloudflare gives at each start. It is begun by `--url` on the
        /// command line, whose value does not count: rules of the file come first. There is no `run` behind it.
        case quick
    }

    /// What a quick tunnel's name, which nobody knows before its start, ends in.
    private static let quickNames = "*.trycloudflare.com"

    private let identity: Identity
    private let hostname: String?
    private let chatSocket: String
    private let metricsPort: UInt16
    private let transport: TunnelMachine.Transport
    private let logDirectory: String
    private let gracePeriod: Duration

    /// Checks what the owner wrote: cloudflared ignores unknown keys and names of the wrong form silently.
    /// - Parameters:
    ///   - hostname: the public name, without port; letters, digits, hyphens and dots. Nil for quick and token tunnels only.
    ///   - chatSocket: absolute path of chat-bridge's socket.
    ///   - metricsPort: where /ready answers, on loopback.
    ///   - logDirectory: absolute; there cloudflared writes its lines a second time, 1 MB a file, six at most.
    ///   - gracePeriod: of `GracePeriod.of`.
    public init(
        identity: Identity, hostname: String?, chatSocket: String, metricsPort: UInt16,
        transport: TunnelMachine.Transport, logDirectory: String, gracePeriod: Duration
    ) throws(TunnelError) {
        switch identity {
        case .named(_, let file): try Self.check(path: file, of: "[tunnel] credentials-file")
        case .token(let file): try Self.check(path: file, of: "[tunnel] token-file")
        case .quick: break
        }
        try Self.check(path: chatSocket, of: "NEXUS_CHAT_SOCKET")
        try Self.check(path: logDirectory, of: "STATE_DIRECTORY")
        try Self.check(hostname, for: identity)
        self.identity = identity
        self.hostname = hostname
        self.chatSocket = chatSocket
        self.metricsPort = metricsPort
        self.transport = transport
        self.logDirectory = logDirectory
        self.gracePeriod = gracePeriod
    }

    private static func check(path: String, of field: String) throws(TunnelError) {
        guard path.hasPrefix("/"), path.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
            throw TunnelError("\(field): '\(path)' is no absolute path (without control characters)")
        }
    }

    private static func check(_ hostname: String?, for identity: Identity) throws(TunnelError) {
        guard let hostname else {
            switch identity {
            // A quick tunnel's name is not known before, a token tunnel's stands in the rules that are pushed to it.
            case .quick, .token: return
            case .named: break
            }
            throw TunnelError("[chat] url: mode named needs the name under which the chat is reached")
        }
        if identity == .quick {
            throw TunnelError("[chat] url: a quick tunnel gets a random name; '\(hostname)' needs a named one")
        }
        guard HostName.isValid(hostname) else {
            throw TunnelError(
                "[chat] url: '\(hostname)' is no host name; write it like https://chat.example.com, without port or path"
            )
        }
    }

    /// The file's text. Every string is quoted: YAML would read some as numbers, dates or lists.
    public func yaml() throws(TunnelError) -> String {
        do {
            let text = try Yams.serialize(node: .mapping(.init(pairs)), width: -1, allowUnicode: true)
            return "# Written by tunnel-worker; changes here are lost.\n" + text
        } catch {
            throw TunnelError("config.yml could not be written as YAML: \(error)")
        }
    }

    private var pairs: [(Node, Node)] {
        let own: [(Node, Node)] =
            switch identity {
            case .named(let uuid, let file):
                [(key("tunnel"), text(uuid.uuidString.lowercased())), (key("credentials-file"), text(file))]
            case .token(let file): [(key("token-file"), text(file))]
            case .quick: []
            }
        let chat = (key("service"), text("unix:" + chatSocket))
        let nothing = [(key("service"), text("http_status:404"))]
        // A token tunnel without a name has its rules from elsewhere.
        let name = identity == .quick ? Self.quickNames : hostname
        let rules = name.map { [[(key("hostname"), text($0)), chat], nothing] } ?? [nothing]
        return own + [
            // It would replace its own file and end with 11.
            (key("no-autoupdate"), plain("true")),
            (key("metrics"), text("127.0.0.1:\(metricsPort)")),
            (key("protocol"), text(transport.rawValue)),
            // With the default of 5 it waits up to 320 s before it connects again; 0 would mean "not set".
            (key("retries"), plain("2")),
            // An open page counts as a request under way: each stop takes all of it.
            (key("grace-period"), text(GracePeriod.words(gracePeriod))),
            (key("loglevel"), text("info")),
            // tunnel-worker reads there what no number says: the edge's reason for a refusal.
            (key("log-directory"), text(logDirectory)),
            (key("ingress"), .sequence(.init(rules.map { .mapping(.init($0)) }))),
        ]
    }

    private func key(_ name: String) -> Node { .scalar(.init(name, Tag(.str), .plain)) }
    private func plain(_ value: String) -> Node { .scalar(.init(value, .implicit, .plain)) }
    private func text(_ value: String) -> Node { .scalar(.init(value, Tag(.str), .doubleQuoted)) }
}

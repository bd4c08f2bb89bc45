import Foundation
import Wire

/// What the owner wrote: `[tunnel]` and `[chat] url` of Supervisor.toml, and where the chat listens for cloudflared.
public struct TunnelSettings: Hashable, Sendable {
    /// What is wanted unless a command chose otherwise.
    public var mode: TunnelMode
    /// Of a named tunnel; empty: not given.
    public var id: String
    /// Of a named tunnel; absolute, or empty.
    public var credentialsFile: String
    /// Of a token tunnel; absolute, or empty.
    public var tokenFile: String
    /// cloudflared; empty: it is looked for.
    public var program: String
    /// `https://chat.example.com`; empty: not given.
    public var url: String
    /// chat-bridge's socket; absolute.
    public var chatSocket: String

    private struct Written: Decodable {
        var mode: TunnelMode
        var id: String
        var credentialsFile: String
        var tokenFile: String
        var program: String

        enum CodingKeys: String, CodingKey {
            case mode, id, program
            case credentialsFile = "credentials-file"
            case tokenFile = "token-file"
        }
    }

    /// From the environment of tunnel-worker: `NEXUS_TUNNEL` (`{tunnel}`), `NEXUS_CHAT_URL` and `NEXUS_CHAT_SOCKET`.
    public init(environment: [String: String]) throws(TunnelError) {
        guard let json = environment["NEXUS_TUNNEL"],
            let written = try? JSONDecoder().decode(Written.self, from: Data(json.utf8))
        else {
            throw TunnelError("NEXUS_TUNNEL is missing: set it to \"{tunnel}\" in [child.tunnel-worker]")
        }
        guard let socket = environment["NEXUS_CHAT_SOCKET"], socket.hasPrefix("/") else {
            throw TunnelError(
                "NEXUS_CHAT_SOCKET is missing: set it to the `listen` of chat-bridge's socket in [child.tunnel-worker]")
        }
        mode = written.mode
        id = written.id
        credentialsFile = written.credentialsFile
        tokenFile = written.tokenFile
        program = written.program
        url = environment["NEXUS_CHAT_URL"] ?? ""
        chatSocket = socket
    }

    /// `[chat] url` leads through a tunnel of the owner's: of the mode, or of what is written for one that a command may choose.
    /// It leads nowhere while that is off.
    public var ownsURL: Bool { mode.ownsURL || !credentialsFile.isEmpty || !tokenFile.isEmpty }

    /// The host of `[chat] url`, in lower case, as who comes asks for it.
    public var hostname: String? { url.isEmpty ? nil : URLComponents(string: url)?.host?.lowercased() }

    /// Who cloudflared will be in this mode, with every file looked at; the error names the field. Nil: off.
    public func identity(_ mode: TunnelMode) throws(TunnelError) -> TunnelConfiguration.Identity? {
        switch mode {
        case .off: return nil
        case .quick:
            guard url.isEmpty else {
                throw TunnelError(
                    "[chat] url: a quick tunnel gets a random name, and the page answers to \(url) only; take 'url' out, "
                        + "or choose mode named")
            }
            return .quick
        case .named:
            guard let uuid = UUID(uuidString: id) else {
                throw TunnelError("[tunnel] id: mode named needs the tunnel's UUID (cloudflared tunnel list)")
            }
            guard !url.isEmpty else {
                throw TunnelError(
                    "[chat] url: mode named needs the name under which Cloudflare brings people here, such as "
                        + "\"https://chat.example.com\"")
            }
            _ = try Self.address(url)
            try CredentialsFile.read(credentialsFile, tunnel: uuid)
            return .named(uuid, credentialsFile: credentialsFile)
        case .token:
            if !url.isEmpty { _ = try Self.address(url) }
            try TokenFile.read(tokenFile)
            return .token(file: tokenFile)
        }
    }

    /// `[chat] url`, where a tunnel of the owner's is to lead to it. It is an origin: what browsers send as `Origin` is compared
    /// with it. nexus-config has the same rule for `mode` of the file; another may be chosen by command.
    static func address(_ text: String) throws(TunnelError) -> String {
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else {
            throw TunnelError(
                "[chat] url: '\(text.prefix(253))' has letters that no name in DNS has: write it as browsers send it, which is "
                    + "how their address bar copies it, such as \"https://xn--mnchen-3ya.example.com\"")
        }
        guard let parts = URLComponents(string: text), parts.scheme == "https", let host = parts.host,
            text == "https://\(host)"
        else {
            throw TunnelError(
                "[chat] url: '\(text.prefix(253))' is not https:// and a name, nothing behind it, not even a port, such as "
                    + "\"https://chat.example.com\"")
        }
        guard HostName.isValid(host) else {
            throw TunnelError(
                "[chat] url: '\(host.prefix(253))' is no name that Cloudflare brings people to; an address or a name of "
                    + "this network alone is none: \"https://chat.example.com\"")
        }
        guard !host.lowercased().hasSuffix(".trycloudflare.com") else {
            throw TunnelError(
                "[chat] url: '\(host)' is a quick tunnel's, and Cloudflare brings no other there: take 'url' out for mode quick, "
                    + "or give a name of your own")
        }
        return text
    }
}

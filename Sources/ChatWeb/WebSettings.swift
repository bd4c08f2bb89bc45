import Foundation

/// Where the page is served, and under which names it may be asked for.
public struct WebSettings: Hashable, Sendable {
    /// A loopback address.
    public let host: String
    /// Its port.
    public let port: Int
    /// `https://…` under which a proxy or a tunnel of the owner's brings others here; nil: only this machine can.
    public let publicURL: String?

    /// Why a setting is refused, in words.
    public struct Refusal: Error, Hashable, CustomStringConvertible {
        /// The words.
        public let description: String
    }

    /// Reads `[chat] listen` and `[chat] url` as Supervisor.toml has them. Nil: `listen = "off"`.
    public init?(listen: String, url: String?) throws(Refusal) {
        if listen == "off" { return nil }
        guard let colon = listen.lastIndex(of: ":"), let port = Int(listen[listen.index(after: colon)...]),
            (0...65_535).contains(port)
        else {
            throw Refusal(
                description:
                    "[chat] listen is '\(listen)'; write an address and a port, such as \"127.0.0.1:4780\", or \"off\"")
        }
        var host = String(listen[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard ["127.0.0.1", "::1", "localhost"].contains(host) else {
            throw Refusal(
                description:
                    "[chat] listen is '\(listen)': this version serves the loopback interface only, because it has no TLS "
                    + "of its own. Take 127.0.0.1:\(port) and bring others here by a tunnel or a proxy with TLS, named in "
                    + "[chat] url; or forward the port: ssh -L \(port):localhost:\(port)")
        }
        self.host = host == "localhost" ? "127.0.0.1" : host
        self.port = port
        publicURL = try url.flatMap { $0.isEmpty ? nil : $0 }.map { text throws(Refusal) in try Self.origin(text) }
    }

    /// `https://host` or `https://host:port` and nothing behind it.
    private static func origin(_ text: String) throws(Refusal) -> String {
        let text = text.hasSuffix("/") ? String(text.dropLast()) : text
        guard let parts = URLComponents(string: text), parts.scheme == "https", let host = parts.host, !host.isEmpty,
            parts.path.isEmpty, parts.query == nil, parts.fragment == nil, parts.user == nil
        else {
            throw Refusal(
                description:
                    "[chat] url is '\(text)'; write https and a host, nothing behind it: \"https://chat.example.invalid\""
            )
        }
        return text.lowercased()
    }
}

/// Under which names the page may be asked for: whoever reaches it by another one was led here by a DNS record of
/// somebody else's.
struct KnownNames: Sendable {
    /// `https://…` of the owner's tunnel or proxy.
    let publicURL: String?

    /// What may stand in `Origin` of a request for that host; nil: it is no name of ours.
    func origins(of host: String, by connection: Connection) -> [String]? {
        let publicOrigins = publicURL.map { [$0] } ?? []
        if publicOrigins.contains("https://" + host) { return publicOrigins }
        switch connection.entrance {
        case .local:
            let own = ["localhost", "127.0.0.1", "[::1]"].map { "\($0):\(connection.port)" }
            return own.contains(host) ? own.map { "http://" + $0 } + publicOrigins : nil
        case .network:
            return nil
        case .tunnel:
            // Cloudflare brings only names here that its owner gave to this tunnel; a quick tunnel's is not known before.
            return publicURL == nil && Self.isName(host) ? ["https://" + host] : nil
        }
    }

    private static func isName(_ text: String) -> Bool {
        (1...253).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                    UInt8(ascii: "."):
                    true
                case _: false
                }
            }
    }
}

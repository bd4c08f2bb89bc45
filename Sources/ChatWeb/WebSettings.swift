import Foundation

/// Where the page is served, and under which names it may be asked for.
public struct WebSettings: Hashable, Sendable {
    /// The address it listens on.
    public let host: String
    /// Its port.
    public let port: Int
    /// `https://…` under which a proxy or a tunnel of the owner's brings others here; nil: none does.
    public let publicURL: String?
    /// What TLS needs; nil: plain HTTP, on the loopback interface only.
    public let certificate: Certificate?

    /// Where the certificate comes from.
    public enum Certificate: Hashable, Sendable {
        case selfMade
        case files(certificate: String, key: String)
    }

    /// Why a setting is refused, in words.
    public struct Refusal: Error, Hashable, CustomStringConvertible {
        /// The words.
        public let description: String
    }

    /// Reads `[chat] listen`, `url`, `certificate` and `key` as Supervisor.toml has them; empty is absent. Nil:
    /// `listen = "off"`.
    public init?(listen: String, url: String?, certificate: String? = nil, key: String? = nil) throws(Refusal) {
        if listen == "off" { return nil }
        guard let colon = listen.lastIndex(of: ":"), let port = Int(listen[listen.index(after: colon)...]),
            (0...65_535).contains(port), let address = Self.address(String(listen[..<colon]))
        else {
            throw Refusal(
                description:
                    "[chat] listen is '\(listen)'; write an address and a port, such as \"127.0.0.1:4780\", or \"off\"")
        }
        let source = try Self.certificate(certificate ?? "", key ?? "")
        guard address.isLoopback || source != nil else {
            throw Refusal(
                description:
                    "[chat] listen is '\(listen)', which other machines reach, and without TLS everybody on the way reads "
                    + "along. Add certificate = \"self-made\" to [chat], or certificate and key of your own; or take "
                    + "127.0.0.1:\(port) and bring others here by a tunnel or a proxy with TLS, named in [chat] url, or by "
                    + "ssh -L \(port):127.0.0.1:\(port)")
        }
        host = address.text
        self.port = port
        self.certificate = source
        publicURL = try url.flatMap { $0.isEmpty ? nil : $0 }.map { text throws(Refusal) in try Self.origin(text) }
    }

    private static func address(_ host: String) -> Address? {
        if host == "localhost" { return Address("127.0.0.1") }
        if host.hasPrefix("["), host.hasSuffix("]") { return Address(String(host.dropFirst().dropLast())) }
        return host.contains(":") ? nil : Address(host)
    }

    private static func certificate(_ certificate: String, _ key: String) throws(Refusal) -> Certificate? {
        switch (certificate, key) {
        case ("", ""): return nil
        case ("self-made", ""): return .selfMade
        case (let certificate, let key) where certificate.hasPrefix("/") && key.hasPrefix("/"):
            return .files(certificate: certificate, key: key)
        case _:
            throw Refusal(
                description:
                    "[chat] certificate is '\(certificate)' and key '\(key)'; write certificate = \"self-made\" alone, or "
                    + "the absolute paths of both files")
        }
    }

    /// Where a browser finds the page that is served on that port, without a tunnel or a proxy.
    /// - Parameter names: of this machine, when it listens on all its addresses.
    func nearURL(port: Int, _ names: MachineNames) -> String {
        nearURL(port: port, host: names.reachable?.inURL ?? "localhost")
    }

    /// Under one name of this machine.
    func nearURL(port: Int, host: String) -> String {
        let scheme = certificate == nil ? "http" : "https"
        let shown = certificate != nil && port == 443 ? "" : ":\(port)"
        return "\(scheme)://\(host)\(shown)"
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
    /// This machine's own, for a port with TLS.
    let machine: MachineNames
    /// The tunnel's in force; nil: nobody here looks after one.
    var tunnel: TunnelName?

    /// Where somebody is sent who came without TLS for that host; nil: neither is it a name of ours, nor does the owner name one.
    func secureURL(for host: String?, by connection: Connection) -> String? {
        guard let host, origins(of: host, by: connection) != nil else { return publicURL }
        return "https://" + host
    }

    /// Whether browsers give what they got as a cookie for that host to others of this machine too: to every port of its name. The
    /// owner's own name without a port, and the tunnel's, lead to nobody but us.
    func sharesCookie(_ host: String?, by connection: Connection) -> Bool {
        guard let host = host?.lowercased(), connection.entrance != .tunnel else { return false }
        return publicURL != "https://" + host || host.contains(":")
    }

    /// What may stand in `Origin` of a request for that host; nil: it is no name of ours.
    func origins(of host: String, by connection: Connection) -> [String]? {
        let publicOrigins = publicURL.map { [$0] } ?? []
        if publicOrigins.contains("https://" + host) { return publicOrigins }
        switch connection.entrance {
        case .local:
            let own = ["localhost", "127.0.0.1", "[::1]"].map { "\($0):\(connection.port)" }
            return own.contains(host) ? own.map { "http://" + $0 } + publicOrigins : nil
        case .network:
            let port = connection.port == 443 ? "" : ":\(connection.port)"
            let local = Address(connection.local).map { [$0.inURL] } ?? []
            let own = (machine.hosts + local).map { $0 + port }
            if own.contains(host) { return own.map { "https://" + $0 } + publicOrigins }
            return Self.isOfNoDNS(host) ? ["https://" + host] : nil
        case .tunnel:
            if let told = tunnel?.origin, told == "https://" + host { return [told] }
            // Cloudflare brings only names here that its owner gave to this tunnel; a quick tunnel's is not known before.
            return publicURL == nil && MachineNames.isName(host) ? ["https://" + host] : nil
        }
    }

    /// Whether no DNS was asked for it, so that nobody was led here by a record of somebody else's: an address, or `localhost`
    /// (RFC 6761, 6.3). Routers and engines of containers pass on what came for one of their own, of which this machine does not
    /// know, also by another port.
    private static func isOfNoDNS(_ host: String) -> Bool {
        guard let name = URLComponents(string: "https://" + host)?.host, host == name || host.hasPrefix(name + ":")
        else { return false }
        return name == "localhost" || Address(name.trimmingCharacters(in: ["[", "]"]))?.inURL == name
    }
}

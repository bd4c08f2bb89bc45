import Foundation
import Synchronization

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

/// Under which names this server may be asked for: whoever reaches it by another one was led here by a DNS record
/// of somebody else's.
struct KnownOrigins: Sendable {
    /// What may stand in `Origin`.
    let origins: Set<String>
    /// What may stand in `Host`.
    let hosts: Set<String>

    init(settings: WebSettings, port: Int) {
        let local = ["localhost", "127.0.0.1", "[::1]"].map { "\($0):\(port)" }
        var origins = Set(local.map { "http://\($0)" })
        var hosts = Set(local)
        if let url = settings.publicURL {
            origins.insert(url)
            hosts.insert(String(url.dropFirst("https://".count)))
        }
        self.origins = origins
        self.hosts = hosts
    }
}

/// The names, known as soon as the port is.
final class ServedNames: Sendable {
    private let known = Mutex<KnownOrigins?>(nil)

    /// Nil: not served yet.
    var now: KnownOrigins? { known.withLock { $0 } }

    func serve(_ names: KnownOrigins) { known.withLock { $0 = names } }
}

import CNexus

/// Where a socket is bound or connected.
public enum SocketAddress: Hashable, Sendable, CustomStringConvertible {
    /// A path of at most 107 bytes.
    case path(String)
    /// unix(7)'s abstract names: no file, at most 107 bytes.
    case abstract(String)
    /// 127.0.0.0/8 and its like: four bytes and a port.
    case inet([UInt8], port: UInt16)
    /// Sixteen bytes and a port.
    case inet6([UInt8], port: UInt16)

    /// Longest socket path or abstract name, bytes (unix(7): sun_path has 108, one is a NUL).
    public static let nameLimit = 107

    /// The value of NOTIFY_SOCKET: `/path` or `@abstract` (sd_notify(3)); nil for anything else.
    public init?(notifySocket text: String) {
        if text.hasPrefix("@") && text.utf8.count > 1 {
            self = .abstract(String(text.dropFirst()))
        } else if text.hasPrefix("/") {
            self = .path(text)
        } else {
            return nil
        }
    }

    /// `127.0.0.1`, `::1`, `localhost`, or another address of 127.0.0.0/8; nil for anything that is not loopback.
    public init?(loopback host: String, port: UInt16) {
        if host == "localhost" {
            self = .inet([127, 0, 0, 1], port: port)
        } else if host == "::1" || host == "[::1]" {
            self = .inet6([UInt8](repeating: 0, count: 15) + [1], port: port)
        } else {
            let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
            let bytes = parts.compactMap { $0 }
            guard parts.count == 4, bytes.count == 4, bytes[0] == 127 else { return nil }
            self = .inet(bytes, port: port)
        }
    }

    /// As people write it.
    public var description: String {
        switch self {
        case .path(let path): path
        case .abstract(let name): "@" + name
        case .inet(let host, let port): host.map(String.init).joined(separator: ".") + ":\(port)"
        case .inet6(let host, let port): "[\(Self.shown(host))]:\(port)"
        }
    }

    /// Eight groups of hexadecimal digits; zeros at the front as `::`, which is all that `::` and `::1` need.
    private static func shown(_ host: [UInt8]) -> String {
        let groups = stride(from: 0, to: host.count - 1, by: 2).map { UInt16(host[$0]) << 8 | UInt16(host[$0 + 1]) }
        let rest = groups.drop { $0 == 0 }.map { String($0, radix: 16) }
        return (rest.count < groups.count ? "::" : "") + rest.joined(separator: ":")
    }

    /// The family a socket for it must have.
    public var family: SocketFamily {
        switch self {
        case .path, .abstract: .unix
        case .inet: .inet
        case .inet6: .inet6
        }
    }

    func native() throws(Errno) -> nexus_address {
        var address = nexus_address()
        switch self {
        case .path(let path):
            if path.utf8.contains(0) { throw .invalid }
            let name = Array(path.utf8)
            _ = try checked(nexus_unix_address(&address, name, name.count, 0))
        case .abstract(let text):
            let name = Array(text.utf8)
            _ = try checked(nexus_unix_address(&address, name, name.count, 1))
        case .inet(let host, let port):
            guard host.count == 4 else { throw .invalid }
            nexus_inet_address(&address, host, port)
        case .inet6(let host, let port):
            guard host.count == 16 else { throw .invalid }
            nexus_inet6_address(&address, host, port)
        }
        return address
    }
}

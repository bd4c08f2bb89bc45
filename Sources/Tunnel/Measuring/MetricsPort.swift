import Foundation
import Glibc
import Outgoing
import Wire

/// What cloudflared says about itself on its metrics port (cloudflared.md, section 5).
public struct MetricsPort: Hashable, Sendable {
    /// On 127.0.0.1.
    public let port: UInt16
    /// Whose cloudflared is. Any program of the machine may take the port before it does, or while it is down, and would be
    /// asked where the page is reached.
    private let owners: Set<UInt32>

    /// Of a cloudflared that was told this port: it runs as who runs this, since both need the tunnel's own files, or as root.
    public init(port: UInt16) { self.init(port: port, owners: [0, geteuid()]) }

    init(port: UInt16, owners: Set<UInt32>) {
        self.port = port
        self.owners = owners
    }

    /// A port that is free now. Somebody may take it before cloudflared does; that ends it with 1 and another is taken.
    public static func free() throws(TunnelError) -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TunnelError("no socket: \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let found = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard found else {
            throw TunnelError("no free port on 127.0.0.1: \(String(cString: strerror(errno)))")
        }
        return UInt16(bigEndian: address.sin_port)
    }

    /// Everything at once; nil: the port does not answer, or is somebody else's.
    public func measure() async -> TunnelMeasurement? {
        struct Ready: Decodable { var readyConnections: Int }
        struct Quick: Decodable { var hostname: String }
        guard let ready = await json("/ready", Ready.self), ready.readyConnections >= 0 else { return nil }
        let text = (try? await look("/metrics"))?.text ?? ""
        let quick = await json("/quicktunnel", Quick.self)?.hostname ?? ""
        return TunnelMeasurement(
            connections: ready.readyConnections, rules: await json("/config", IngressRules.self, of: [200]),
            registered: Self.counter("cloudflared_tunnel_tunnel_register_success", in: text),
            refused: Self.counter("cloudflared_tunnel_tunnel_register_fail", in: text),
            quickHostname: quick.isEmpty ? nil : quick)
    }

    /// Somebody listens there, whether he answers or not.
    public func isOpen() async -> Bool { await UplinkLook(places: ["127.0.0.1:\(port)"]).connects() }

    /// The sum of a counter over its labels; 0 as long as it did not happen. (`ha_connections` counts attempts and is never
    /// asked.)
    static func counter(_ name: String, in text: String) -> Int {
        text.split(separator: "\n").reduce(0) { sum, line in
            guard line.hasPrefix(name), let next = line.dropFirst(name.count).first, next == "{" || next == " ",
                let value = line.split(separator: " ").last.flatMap({ Double($0) })
            else { return sum }
            // Any text may stand there: no number of it may end this process.
            let count = value > 0 ? Int(exactly: value.rounded()) ?? .max : 0
            let (total, isTooMuch) = sum.addingReportingOverflow(count)
            return isTooMuch ? .max : total
        }
    }

    private func look(_ path: String) async throws(OutgoingFailure) -> OutgoingAnswer {
        try await HTTPLook(url: "http://127.0.0.1:\(port)\(path)", owners: owners).answer()
    }

    /// - Parameter statuses: 503 is /ready's word for no connection.
    private func json<Value: Decodable>(
        _ path: String, _ type: Value.Type, of statuses: Set<Int> = [200, 503]
    ) async -> Value? {
        guard let answer = try? await look(path), statuses.contains(answer.status) else { return nil }
        return try? JSONDecoder().decode(type, from: Data(answer.body))
    }
}

/// What the metrics port said at one time.
public struct TunnelMeasurement: Hashable, Sendable {
    /// Of /ready.
    public var connections: Int
    /// Of /config; nil: it said nothing that is understood.
    public var rules: IngressRules?
    /// Registrations at the edge since its start.
    public var registered: Int
    /// Registrations that the edge refused.
    public var refused: Int
    /// Of a quick tunnel; nil: it has none yet, or `strangeHostname`.
    public private(set) var quickHostname: String?
    /// What it calls its name, shortened, and no quick tunnel has.
    public private(set) var strangeHostname: String?

    /// One label below this, and nothing else: it becomes an address to which people are sent.
    private static let quickNames = ".trycloudflare.com"

    private static func isQuick(_ name: String) -> Bool {
        HostName.isValid(name) && name.hasSuffix(quickNames) && !name.dropLast(quickNames.count).contains(".")
    }

    /// All of it.
    public init(connections: Int, rules: IngressRules?, registered: Int, refused: Int, quickHostname: String? = nil) {
        self.connections = connections
        self.rules = rules
        self.registered = registered
        self.refused = refused
        let name = quickHostname?.lowercased()
        self.quickHostname = name.flatMap { Self.isQuick($0) ? $0 : nil }
        strangeHostname = self.quickHostname == nil ? quickHostname?.shown(80) : nil
    }
}

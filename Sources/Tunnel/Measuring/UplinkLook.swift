import Foundation
import Glibc

/// Whether anything of Cloudflare's answers beyond this machine's router: a connection over TCP, on which nothing is said, or
/// over UDP the answer of a QUIC server to a version that there is not. A firewall may let one of them out alone.
public struct UplinkLook: Hashable, Sendable {
    /// `HOST:PORT`, any of which is enough.
    public var places: [String]

    /// Where cloudflared itself connects (cloudflared.md, section 8), and Cloudflare's API.
    public static let places = [
        "region1.v2.argotunnel.com:7844", "region2.v2.argotunnel.com:7844", "api.cloudflare.com:443",
    ]

    /// For one connection, in milliseconds; a resolver's own time goes before it.
    static let limitMilliseconds: Int32 = 3000
    /// Addresses of one place that are tried.
    private static let addressLimit = 2

    /// Of these.
    public init(places: [String]) { self.places = places }

    /// One did. The others are not waited for then.
    public func answers() async -> Bool { await oneAnswers([Self.connects, QUICLook.answers]) }

    /// The same, over TCP.
    public func connects() async -> Bool { await oneAnswers([Self.connects]) }

    private func oneAnswers(_ ways: [@Sendable (addrinfo) -> Bool]) async -> Bool {
        let (answers, answer) = AsyncStream<Bool>.makeStream()
        let looks = places.flatMap { place in ways.map { (place, $0) } }
        for (place, look) in looks {
            // A thread of Dispatch's may block; the cooperative pool may not.
            DispatchQueue.global().async { answer.yield(Self.answers(place, look)) }
        }
        for await isThere in answers.prefix(looks.count) where isThere { return true }
        return false
    }

    private static func answers(_ place: String, _ answers: (addrinfo) -> Bool) -> Bool {
        guard let colon = place.lastIndex(of: ":") else { return false }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let port = String(place[place.index(after: colon)...])
        guard getaddrinfo(String(place[..<colon]), port, &hints, &found) == 0 else { return false }
        defer { freeaddrinfo(found) }
        var next = found
        for _ in 0..<addressLimit {
            guard let address = next?.pointee else { return false }
            if answers(address) { return true }
            next = address.ai_next
        }
        return false
    }

    @Sendable private static func connects(to address: addrinfo) -> Bool {
        let type = address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(address.ai_family, type, address.ai_protocol)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        if connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return true }
        guard errno == EINPROGRESS else { return false }
        var waited = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&waited, 1, limitMilliseconds) == 1 else { return false }
        var trouble: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &trouble, &length) == 0 && trouble == 0
    }
}

import Glibc
import NIOCore

/// The other address of `localhost`, on the port that is served. Browsers ask `[::1]` first where they are told
/// `http://localhost:4780`: whoever listens there is the page to them, its origin, code and cookies included.
enum LoopbackTwin {
    /// Somebody else has it.
    struct Taken: Error, CustomStringConvertible {
        let place: String
        let port: Int
        var description: String {
            "\(place) is another program's, and http://localhost:\(port) would lead there (`ss -ltnp sport = :\(port)` shows whose); "
                + "end that, or choose another port in [chat] listen"
        }
    }

    /// Which one stands beside an address; nil: `localhost` is not asked for there, or comes to the same socket.
    static func address(beside host: Address) -> Address? {
        // What listens on `::` takes IPv4 too (ipv6(7), IPV6_V6ONLY).
        guard host.isLoopback || host.isAny && host.bytes.count == 4 else { return nil }
        return host.bytes.count == 4 ? Address("::1") : .loopback
    }

    /// A socket that listens there, the caller's to close; nil: the machine has no such address, and so nobody else has it.
    static func listen(beside host: Address, port: Int, backlog: Int32) throws -> Int32? {
        guard port != 0, let twin = address(beside: host) else { return nil }
        let family = twin.bytes.count == 4 ? AF_INET : AF_INET6
        let number = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard number >= 0 else { return errno == EAFNOSUPPORT ? nil : try fail("socket") }
        var on: Int32 = 1
        setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        // IPv4 has no such option, and needs none.
        setsockopt(number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, socklen_t(MemoryLayout<Int32>.size))
        let place = try SocketAddress(ipAddress: twin.text, port: port)
        guard place.withSockAddr({ bind(number, $0, socklen_t($1)) }) == 0, Glibc.listen(number, backlog) == 0 else {
            let error = errno
            close(number)
            switch error {
            case EADDRNOTAVAIL, EAFNOSUPPORT: return nil
            case EADDRINUSE: throw Taken(place: "\(twin.inURL):\(port)", port: port)
            case _: throw IOError(errnoCode: error, reason: "\(twin.inURL):\(port)")
            }
        }
        return number
    }

    private static func fail(_ what: String) throws -> Int32? { throw IOError(errnoCode: errno, reason: what) }
}

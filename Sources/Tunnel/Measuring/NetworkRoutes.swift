import Foundation
import Glibc

/// Whether this machine has a way out, as the kernel's routing has it.
public enum NetworkRoutes {
    /// Of Cloudflare's edge, one address of each family: where cloudflared goes. Nothing is sent there from here.
    private static let edges = [(AF_INET, "198.41.192.7"), (AF_INET6, "2606:4700:a0::1")]

    /// What is sent to the edge, in either family, leaves this machine by a device that has its cable.
    ///
    /// The kernel is asked itself: `connect` of a datagram socket looks the route up and sends nothing (udp(7)). So two halves of
    /// a default route, policy rules (ip-rule(8)) and routes that refuse count as they do for cloudflared.
    public static func leadOut() -> Bool { edges.contains { leadOut($0, to: $1) } }

    private static func leadOut(_ family: Int32, to edge: String) -> Bool {
        let descriptor = socket(family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        // Who cannot ask knows of nothing that is amiss; a family that the kernel does not have leads nowhere.
        guard descriptor >= 0 else { return errno != EAFNOSUPPORT }
        defer { close(descriptor) }
        var hints = addrinfo()
        hints.ai_family = family
        hints.ai_flags = AI_NUMERICHOST
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(edge, "7844", &hints, &found) == 0, let found else { return false }
        defer { freeaddrinfo(found) }
        guard connect(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0 else { return false }
        var own = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &own) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                getsockname(descriptor, address, &length) != 0 || text(of: address).map(hasCable) ?? true
            }
        }
    }

    /// IFF_LOWER_UP of linux/if.h: the device's own layer carries.
    private static let lowerUp: UInt32 = 1 << 16

    /// A static address keeps its routes when the cable is pulled out; its device says then that it carries nothing. An address
    /// of no device (`0.0.0.0`, of one without any) tells nothing against it.
    private static func hasCable(_ address: String) -> Bool {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0, let first = list else { return true }
        defer { freeifaddrs(list) }
        let flags = sequence(first: first, next: { $0.pointee.ifa_next }).compactMap { entry -> UInt32? in
            guard let own = entry.pointee.ifa_addr, text(of: own) == address else { return nil }
            return entry.pointee.ifa_flags
        }
        return flags.isEmpty || flags.contains { $0 & lowerUp != 0 }
    }

    /// Nil: it is no address of the internet.
    private static func text(of address: UnsafePointer<sockaddr>) -> String? {
        let length: Int
        switch Int32(address.pointee.sa_family) {
        case AF_INET: length = MemoryLayout<sockaddr_in>.size
        case AF_INET6: length = MemoryLayout<sockaddr_in6>.size
        case _: return nil
        }
        var name = [UInt8](repeating: 0, count: Int(NI_MAXHOST))
        let result = name.withUnsafeMutableBytes { bytes in
            getnameinfo(
                address, socklen_t(length), bytes.bindMemory(to: CChar.self).baseAddress, socklen_t(bytes.count), nil,
                0,
                NI_NUMERICHOST)
        }
        return result == 0 ? String(decoding: name.prefix { $0 != 0 }, as: UTF8.self) : nil
    }

    /// A file of /proc; empty when there is none.
    public static func contents(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

    // linux/rtnetlink.h: groups of RTMGRP_LINK, RTMGRP_IPV4_ROUTE, RTMGRP_IPV4_RULE, RTMGRP_IPV6_ROUTE and of
    // RTNLGRP_IPV6_RULE (19).
    private static let groups: UInt32 = 0x1 | 0x40 | 0x80 | 0x400 | 1 << 18

    /// An element whenever a link, a route or a policy rule changed (rtnetlink(7)); ends at once where there is no netlink.
    public static func changes() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let descriptor = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        // `struct sockaddr_nl` of linux/netlink.h, which is not in Glibc's module: family, padding, port, groups.
        var address = (UInt16(AF_NETLINK), UInt16(0), UInt32(0), groups)
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, 12) == 0 }
        }
        guard descriptor >= 0, isBound else {
            if descriptor >= 0 { close(descriptor) }
            continuation.finish()
            return stream
        }
        // For the life of the process: a blocking read belongs on a thread of its own.
        let thread = Thread {
            var buffer = [UInt8](repeating: 0, count: 8192)
            // ENOBUFS: something was lost, so something changed.
            while recv(descriptor, &buffer, buffer.count, 0) > 0 || errno == ENOBUFS || errno == EINTR {
                continuation.yield()
            }
            continuation.finish()
        }
        thread.name = "route changes"
        thread.start()
        return stream
    }
}

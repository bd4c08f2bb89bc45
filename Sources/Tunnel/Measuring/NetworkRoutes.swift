import Foundation
import Glibc

/// Whether this machine has a way out, from the kernel's routing tables.
public enum NetworkRoutes {
    // route(8) of /proc: RTF_UP, RTF_REJECT of linux/route.h.
    private static let up = 0x0001
    private static let reject = 0x0200

    /// A default route that leads somewhere, of either family.
    public static func hasDefault(
        ipv4: String = contents("/proc/net/route"), ipv6: String = contents("/proc/net/ipv6_route")
    ) -> Bool {
        let first = ipv4.split(separator: "\n").dropFirst().contains { line in
            let fields = line.split(whereSeparator: \.isWhitespace)
            return fields.count > 7 && fields[1] == "00000000" && fields[7] == "00000000" && leads(fields[3])
        }
        return first
            || ipv6.split(separator: "\n").contains { line in
                let fields = line.split(whereSeparator: \.isWhitespace)
                return fields.count > 9 && fields[0].allSatisfy { $0 == "0" } && fields[1] == "00" && fields[9] != "lo"
                    && leads(fields[8])
            }
    }

    private static func leads(_ hexadecimal: Substring) -> Bool {
        guard let flags = Int(hexadecimal, radix: 16) else { return false }
        return flags & up != 0 && flags & reject == 0
    }

    /// A file of /proc; empty when there is none.
    public static func contents(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

    // linux/rtnetlink.h: groups of RTMGRP_LINK, RTMGRP_IPV4_ROUTE and RTMGRP_IPV6_ROUTE.
    private static let groups: UInt32 = 0x1 | 0x40 | 0x400

    /// An element whenever a link or a route changed (rtnetlink(7)); ends at once where there is no netlink.
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

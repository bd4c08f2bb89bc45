import Glibc

/// Under which names others find this machine.
struct MachineNames: Hashable, Sendable {
    /// Its own.
    let own: String
    /// All names, `localhost` among them.
    let hosts: [String]
    /// Its addresses that others reach, that of the way out first; then the loopback interface's.
    let addresses: [Address]
    /// Whether this machine is a container of podman's or Docker's, which leave a mark in it: its addresses may be known to the
    /// machine around it alone.
    let isContainer: Bool

    /// Of this machine now. A server that listens on one address has that one alone.
    init(listening: Address) {
        let own = Self.hostName()
        self.init(
            own: own,
            addresses: (listening.isAny ? Self.outward() : [listening].filter { !$0.isLoopback }) + Self.loopback,
            isContainer: access("/run/.containerenv", F_OK) == 0 || access("/.dockerenv", F_OK) == 0)
    }

    init(own: String, addresses: [Address], isContainer: Bool = false) {
        self.own = own
        self.isContainer = isContainer
        // Multicast DNS (RFC 6762) gives a machine of a home the name behind which `.local` stands.
        hosts = ["localhost"] + (own == "localhost" ? [] : own.contains(".") ? [own] : [own, own + ".local"])
        self.addresses = addresses
    }

    /// The address that others should use; nil: this machine has none.
    var reachable: Address? { addresses.first { !$0.isLoopback } }

    private static let loopback = ["127.0.0.1", "::1"].compactMap { Address($0) }

    private static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).lowercased()
        return isName(name) ? name : "localhost"
    }

    /// Letters, digits, hyphens and dots, as names of hosts have them (RFC 1123, 2.1).
    static func isName(_ text: String) -> Bool {
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

    /// Addresses of the interfaces that are up (getifaddrs(3)), without those that hold on one link only.
    private static func outward() -> [Address] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var found: [Address] = []
        var next = list
        while let one = next {
            next = one.pointee.ifa_next
            guard one.pointee.ifa_flags & UInt32(IFF_UP) != 0, let raw = one.pointee.ifa_addr,
                let address = numeric(raw), !address.isLoopback, !address.isLinkLocal, !found.contains(address)
            else { continue }
            found.append(address)
        }
        // IPv4 first: it is what people can type.
        let wayOut = wayOut()
        return found.sorted { rank($0, wayOut) < rank($1, wayOut) }
    }

    private static func rank(_ address: Address, _ wayOut: Address?) -> Int {
        address == wayOut ? 0 : address.bytes.count == 4 ? 1 : 2
    }

    /// The address from which this machine would go out. Connecting a datagram socket sends nothing; 192.0.2.1 is nobody's
    /// (RFC 5737).
    private static func wayOut() -> Address? {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(9).bigEndian
        address.sin_addr.s_addr = UInt32(0xC000_0201).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                guard connect(descriptor, raw, size) == 0, getsockname(descriptor, raw, &size) == 0 else { return nil }
                return numeric(raw)
            }
        }
    }

    private static func numeric(_ raw: UnsafeMutablePointer<sockaddr>) -> Address? {
        let size: Int
        switch Int32(raw.pointee.sa_family) {
        case AF_INET: size = MemoryLayout<sockaddr_in>.size
        case AF_INET6: size = MemoryLayout<sockaddr_in6>.size
        case _: return nil
        }
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard getnameinfo(raw, socklen_t(size), &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0 else {
            return nil
        }
        return Address(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
}

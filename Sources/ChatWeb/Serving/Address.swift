import Glibc

/// An IP address, in the one way of writing it.
struct Address: Hashable, Sendable {
    /// Four or sixteen, in network order.
    let bytes: [UInt8]
    /// RFC 5952's form, as inet_ntop(3) writes it.
    let text: String

    /// Nil: it is none. An IPv4 address inside IPv6 (`::ffff:192.0.2.1`), as dual sockets show them, is the IPv4 one.
    init?(_ text: String) {
        if let bytes = Self.parse(text, AF_INET, 4) {
            self.init(bytes)
        } else if let bytes = Self.parse(text, AF_INET6, 16) {
            let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            self.init(isMapped ? Array(bytes.suffix(4)) : bytes)
        } else {
            return nil
        }
    }

    /// The loopback interface's.
    var isLoopback: Bool { bytes.count == 4 ? bytes[0] == 127 : bytes == [UInt8](repeating: 0, count: 15) + [1] }

    /// The loopback interface's first one.
    static let loopback = Address([127, 0, 0, 1])

    /// All addresses of the machine.
    var isAny: Bool { bytes.allSatisfy { $0 == 0 } }

    /// As a URL has it: IPv6 in brackets.
    var inURL: String { bytes.count == 4 ? text : "[\(text)]" }

    /// Nil: not four or sixteen.
    init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.init(bytes)
    }

    /// Good on one link only (RFC 3927, RFC 4291).
    var isLinkLocal: Bool {
        bytes.count == 4 ? bytes[0] == 169 && bytes[1] == 254 : bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80
    }

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let written = inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &buffer, socklen_t(buffer.count))
        text =
            written == nil
            ? "" : String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func parse(_ text: String, _ family: Int32, _ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return inet_pton(family, text, &bytes) == 1 ? bytes : nil
    }
}

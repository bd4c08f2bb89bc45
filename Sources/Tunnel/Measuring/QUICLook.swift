import Foundation
import Glibc

/// Asks a server over UDP whether it is there: a QUIC server answers the first packet of a connection whose version it does not
/// have with the versions that it has (RFC 9000, sections 5.2.2 and 6.1). No connection comes of that.
enum QUICLook {
    /// One of those that are kept free for this (RFC 9000, section 15).
    private static let version: [UInt8] = [0x1A, 0x2A, 0x3A, 0x4A]
    /// A shorter one need not be answered (RFC 9000, section 14.1).
    private static let byteCount = 1200
    private static let idByteCount = 8

    /// It said so in time.
    @Sendable static func answers(_ address: addrinfo) -> Bool {
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(address.ai_family, type, 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        guard connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 else { return false }
        let own = (0..<idByteCount).map { _ in UInt8.random(in: .min ... .max) }
        let asked = packet(from: own)
        guard send(descriptor, asked, asked.count, 0) == asked.count else { return false }
        var waited = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&waited, 1, UplinkLook.limitMilliseconds) == 1 else { return false }
        var answer = [UInt8](repeating: 0, count: 1500)
        // Nobody at that port is an error here (ICMP), and no answer.
        let count = recv(descriptor, &answer, answer.count, 0)
        return count > 0 && isVersionNegotiation(Array(answer.prefix(count)), to: own)
    }

    /// The long header (RFC 9000, section 17.2), and nothing that anybody could read.
    static func packet(from own: [UInt8]) -> [UInt8] {
        let theirs = (0..<idByteCount).map { _ in UInt8.random(in: .min ... .max) }
        let head = [0xC0] + version + [UInt8(theirs.count)] + theirs + [UInt8(own.count)] + own
        return head + [UInt8](repeating: 0, count: byteCount - head.count)
    }

    /// RFC 9000, section 17.2.1: version 0, and as its destination who asked.
    static func isVersionNegotiation(_ packet: [UInt8], to own: [UInt8]) -> Bool {
        packet.count > 6 + own.count && packet[0] & 0x80 != 0 && packet[1...4].allSatisfy { $0 == 0 }
            && packet[5] == own.count && packet[6..<6 + own.count].elementsEqual(own)
    }
}

import CNexus
import Foundation
import Testing

@testable import Tunnel

/// A firewall may let TCP out, or UDP: either is a way out.
@Suite(.timeLimit(.minutes(1))) struct UplinkLookTests {
    @Test func connectionOverTCP_isAnAnswer() async throws {
        let (descriptor, place) = try boundOnLoopback(SOCK_STREAM)
        defer { close(descriptor) }
        // Bound, and nobody listens; nor is there anybody over UDP.
        #expect(await !UplinkLook(places: [place]).answers())
        try #require(listen(descriptor, 1) == 0)
        #expect(await UplinkLook(places: ["127.0.0.1:1", place]).answers())
        #expect(await !UplinkLook(places: []).answers())
    }

    /// As a QUIC server has it, or as somebody else on that port.
    @Test(arguments: [true, false]) func answerOfAQUICServer_isOne_andNoOtherIs(isQUIC: Bool) async throws {
        let (descriptor, place) = try boundOnLoopback(SOCK_DGRAM)
        defer { close(descriptor) }
        let server = Thread {
            var asked = [UInt8](repeating: 0, count: 1500)
            var peer = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            withUnsafeMutablePointer(to: &peer) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    guard recvfrom(descriptor, &asked, asked.count, 0, address, &length) == 1200 else { return }
                    // A version that is kept free, and the ids of both, each with its length.
                    let theirs = Array(asked[5..<14])
                    let own = Array(asked[14..<23])
                    let answer = isQUIC ? [0x80, 0, 0, 0, 0] + own + theirs + [0, 0, 0, 1] : Array("hello".utf8)
                    sendto(descriptor, answer, answer.count, 0, address, length)
                }
            }
        }
        server.start()
        #expect(await UplinkLook(places: [place]).answers() == isQUIC)
    }

    @Test func packet_isWhatAServerHasToAnswer() {
        let own: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
        let packet = QUICLook.packet(from: own)
        #expect(packet.count == 1200 && packet[0] == 0xC0 && packet[1...4].allSatisfy { $0 & 0x0F == 0x0A })
        #expect(packet[5] == 8 && packet[14] == 8 && Array(packet[15..<23]) == own)
        let answer: [UInt8] = [0x80, 0, 0, 0, 0, 8] + own + [0]
        #expect(QUICLook.isVersionNegotiation(answer, to: own))
        #expect(!QUICLook.isVersionNegotiation([0x80, 0, 0, 0, 1, 8] + own + [0], to: own))
        #expect(!QUICLook.isVersionNegotiation([0x80, 0, 0, 0, 0, 8] + own.reversed() + [0], to: own))
        #expect(!QUICLook.isVersionNegotiation(Array(answer.prefix(9)), to: own))
    }
}

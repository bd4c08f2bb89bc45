import Foundation
import Glibc
import Testing

@testable import ChatWeb

/// Browsers that are told `http://localhost:4780` ask `[::1]` first.
@Suite(.timeLimit(.minutes(2)))
struct LoopbackTwinTests {
    /// A socket on one of the two loopback addresses, listening or connected; nil: refused, with errno.
    private func socket(_ address: String, _ port: Int, connecting: Bool = false) -> Int32? {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address, String(port), &hints, &found) == 0, let place = found else { return nil }
        defer { freeaddrinfo(found) }
        let number = Glibc.socket(place.pointee.ai_family, place.pointee.ai_socktype, 0)
        let refused =
            connecting
            ? connect(number, place.pointee.ai_addr, place.pointee.ai_addrlen)
            : bind(number, place.pointee.ai_addr, place.pointee.ai_addrlen) | listen(number, 8)
        if refused == 0 { return number }
        close(number)
        return nil
    }

    /// One that neither address uses.
    private func freePort() throws -> Int {
        let number = try #require(socket("127.0.0.1", 0))
        defer { close(number) }
        var own = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &own) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(number, $0, &size) }
        }
        #expect(status == 0)
        return Int(UInt16(bigEndian: own.sin_port))
    }

    private var hasIPv6: Bool {
        guard let number = socket("::1", 0) else { return false }
        close(number)
        return true
    }

    @Test func pageOnLoopback_answersUnderBothOfItsAddresses() async throws {
        guard hasIPv6 else { return print("skipped: this machine has no [::1]") }
        let box = try await WebBox(port: try freePort())
        #expect(box.port > 0)
        let connection = RawConnection(taking: try #require(socket("::1", box.port, connecting: true)))
        try connection.send("GET / HTTP/1.1\r\nHost: localhost:\(box.port)\r\nConnection: close\r\n\r\n")
        #expect(try connection.answer().text.contains("<!doctype html>page"))
        let near = try box.connect()
        try near.send("GET / HTTP/1.1\r\nHost: localhost:\(box.port)\r\nConnection: close\r\n\r\n")
        #expect(try near.answer().status == 200)
    }

    @Test func otherAddressOfLocalhost_isSomebodyElses_nothingIsServed_andThatIsSaid() async throws {
        guard hasIPv6 else { return print("skipped: this machine has no [::1]") }
        let port = try freePort()
        let stranger = try #require(socket("::1", port))
        defer { close(stranger) }
        let box = try await WebBox(port: port)
        guard case .away(let why) = box.server.state else {
            Issue.record("it is \(box.server.state)")
            return
        }
        #expect(
            why.hasPrefix("[::1]:\(port) is another program's, and http://localhost:\(port) would lead there"), "\(why)"
        )
        #expect(socket("127.0.0.1", port, connecting: true) == nil)
        await #expect(throws: (any Error).self) { try await box.server.answer(.pair(.owner, here: true), by: "a test") }
    }

    @Test func twins_standBesideLoopbackAndAllOfIPv4_andNothingElse() {
        let twins: [(String, String?)] = [
            ("127.0.0.1", "::1"), ("127.0.0.2", "::1"), ("::1", "127.0.0.1"), ("0.0.0.0", "::1"), ("::", nil),
            ("192.0.2.1", nil), ("2001:db8::1", nil),
        ]
        for (host, twin) in twins {
            #expect(Address(host).flatMap { LoopbackTwin.address(beside: $0) }?.text == twin, "\(host)")
        }
    }
}

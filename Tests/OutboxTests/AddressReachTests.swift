import Glibc
import Testing

@testable import Outgoing

/// What a browser may make this machine call.
@Suite(.timeLimit(.minutes(1))) struct AddressReachTests {
    private func bytes(_ text: String) throws -> [UInt8] {
        var address = [UInt8](repeating: 0, count: text.contains(":") ? 16 : 4)
        try #require(inet_pton(address.count == 4 ? AF_INET : AF_INET6, text, &address) == 1)
        return address
    }

    @Test(arguments: [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.19.255.255",
        "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
        "2002:7f00:1::",
        "2002:a00:1::", "2001::1", "2001:db8::1", "3fff::1", "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1",
        "100::1", "5f00::1",
    ])
    func addressThatIsNotPublic_isNotReached(_ text: String) throws {
        #expect(!AddressReach.publicOnly.allows(try bytes(text)))
        #expect(AddressReach.anywhere.allows(try bytes(text)))
    }

    @Test(arguments: [
        "1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "126.255.255.255", "128.0.0.1",
        "172.15.255.255", "172.32.0.1", "192.167.255.255", "192.169.0.1", "198.17.255.255", "198.20.0.1",
        "223.255.255.255",
        "2606:4700::1111", "2a00:1450::1", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::",
    ])
    func publicAddress_isReached(_ text: String) throws {
        #expect(AddressReach.publicOnly.allows(try bytes(text)))
    }

    @Test func noAddress_isNotReached() {
        #expect(!AddressReach.publicOnly.allows([]))
    }
}

/// Which addresses a call may reach. It is held against the address that is connected to, after the name was looked up:
/// a name that leads to this machine is no way around it.
public enum AddressReach: Hashable, Sendable {
    /// Any; for what the owner himself wrote down.
    case anywhere
    /// The public internet only; for what a stranger may have named.
    case publicOnly

    /// Whether an address (4 or 16 bytes) may be connected to.
    public func allows(_ address: [UInt8]) -> Bool {
        switch self {
        case .anywhere: true
        case .publicOnly: Self.isPublic(address)
        }
    }

    // The registries of addresses for special purposes (RFC 6890 and its updates).
    private static let reservedV4: [(first: [UInt8], bits: Int)] = [
        ([0, 0, 0, 0], 8), ([10, 0, 0, 0], 8), ([100, 64, 0, 0], 10), ([127, 0, 0, 0], 8), ([169, 254, 0, 0], 16),
        ([172, 16, 0, 0], 12), ([192, 0, 0, 0], 24), ([192, 0, 2, 0], 24), ([192, 88, 99, 0], 24),
        ([192, 168, 0, 0], 16), ([198, 18, 0, 0], 15), ([198, 51, 100, 0], 24), ([203, 0, 113, 0], 24),
        ([224, 0, 0, 0], 4), ([240, 0, 0, 0], 4),
    ]

    /// In 2000::/3, where all public addresses are, these are not: Teredo and others of 2001::/23, documentation.
    private static let reservedV6: [(first: [UInt8], bits: Int)] = [
        ([0x20, 0x01, 0x00, 0x00], 23), ([0x20, 0x01, 0x0D, 0xB8], 32), ([0x3F, 0xFF, 0x00, 0x00], 20),
    ]

    private static func isPublic(_ address: [UInt8]) -> Bool {
        if address.count == 4 { return !reservedV4.contains { begins(address, $0.first, $0.bits) } }
        guard address.count == 16 else { return false }
        // IPv4 in other clothes: mapped (RFC 4291), translated by NAT64 (RFC 6052), 6to4 (RFC 3056).
        if begins(address, [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF], 96) {
            return isPublic(Array(address[12...]))
        }
        if begins(address, [0x00, 0x64, 0xFF, 0x9B] + [UInt8](repeating: 0, count: 8), 96) {
            return isPublic(Array(address[12...]))
        }
        if begins(address, [0x20, 0x02], 16) { return isPublic(Array(address[2..<6])) }
        return begins(address, [0x20], 3) && !reservedV6.contains { begins(address, $0.first, $0.bits) }
    }

    private static func begins(_ address: [UInt8], _ prefix: [UInt8], _ bits: Int) -> Bool {
        let whole = bits / 8
        guard address.prefix(whole).elementsEqual(prefix.prefix(whole)) else { return false }
        let rest = bits % 8
        if rest == 0 { return true }
        let mask = ~(UInt8.max >> rest)
        return address[whole] & mask == prefix[whole] & mask
    }
}

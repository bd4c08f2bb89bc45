/// A way in, and what is believed of what comes through it.
enum Entrance: Hashable, Sendable {
    /// A port of the loopback interface, without TLS.
    case local
    /// A port with TLS of our own.
    case network
    /// A unix socket that cloudflared's user alone may connect to: what it says about where somebody comes from is true.
    case tunnel
}

/// One machine as limits count it. An IPv6 network of 64 bits is one: whoever has an address there has all of them.
struct AddressGroup: Hashable, Sendable {
    private let text: String

    /// Of an address as text; whatever is none is a group of its own.
    init(_ address: String) {
        guard address.contains(":") else {
            text = address
            return
        }
        let bytes = Address(address)?.bytes ?? []
        text = bytes.count == 16 ? "\(bytes.prefix(8))" : address
    }
}

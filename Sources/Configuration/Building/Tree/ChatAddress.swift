/// `[chat]` as it goes to the children that name it.
struct ChatAddress {
    let listen: String
    let url: String

    init(reader: SectionReader) {
        listen = reader(ChatKeys.listen)
        url = reader(ChatKeys.url)
    }

    /// `off`, or a loopback address and a port.
    static func isListen(_ text: String) -> Bool {
        if text == "off" { return true }
        guard let colon = text.lastIndex(of: ":") else { return false }
        let port = text[text.index(after: colon)...]
        guard port.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), UInt16(port) != nil else {
            return false
        }
        return ["127.0.0.1", "localhost", "[::1]"].contains(String(text[..<colon]))
    }

    /// https, a host, perhaps a port.
    static func isURL(_ text: String) -> Bool {
        guard text.hasPrefix("https://") else { return false }
        let parts = text.dropFirst("https://".count).split(separator: ":", omittingEmptySubsequences: false)
        guard let host = parts.first, !host.isEmpty, parts.count <= 2 else { return false }
        if parts.count == 2, UInt16(parts[1]) ?? 0 == 0 { return false }
        return host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            case _: false
            }
        }
    }
}

/// `[chat]` as it goes to the children that name it.
struct ChatAddress {
    let listen: String
    let certificate: String
    let key: String
    let url: String
    /// Where that stands.
    let urlPosition: Position
    /// JSON: how long conversations are kept, and how much of files.
    let keep: String

    /// chat-bridge makes its certificate itself.
    static let selfMade = "self-made"

    init(reader: SectionReader, report: Report, host: any Machine) {
        listen = reader(ChatKeys.listen)
        certificate = reader(ChatKeys.certificate)
        key = reader(ChatKeys.key)
        url = reader(ChatKeys.url)
        urlPosition = reader.position(of: ChatKeys.url)
        let age = reader(ChatKeys.maxAge).map { "\"max-age-milliseconds\":\($0.components.seconds * 1000)" }
        let total = reader(ChatKeys.total).map { "\"total-bytes\":\($0)" }
        let attachment = reader(ChatKeys.attachment).map { "\"attachment-bytes\":\($0)" }
        let attachments = reader(ChatKeys.attachments).map { "\"attachments-bytes\":\($0)" }
        keep = "{" + [age, total, attachment, attachments].compactMap { $0 }.joined(separator: ",") + "}"
        if listen != "off", !Self.isLoopback(listen), certificate.isEmpty {
            report.error(
                reader.position(of: ChatKeys.listen),
                "'listen' is an address that other machines reach, and without TLS everybody on the way reads along: add"
                    + " certificate = \"\(Self.selfMade)\", or certificate and key of your own; or take 127.0.0.1 and bring"
                    + " others here by a tunnel or a proxy with TLS, named in 'url'")
        }
        if certificate.hasPrefix("/"), key.isEmpty {
            report.error(reader.position(of: ChatKeys.certificate), "'certificate' is a file; add its private 'key'")
        }
        if !key.isEmpty, !certificate.hasPrefix("/") {
            report.error(
                reader.position(of: ChatKeys.key),
                "'key' belongs to a 'certificate' of your own, which is a file too; take it out, or name the certificate"
            )
        }
        for (key, path) in [(ChatKeys.certificate, certificate), (ChatKeys.key, key)]
        where listen != "off" && path.hasPrefix("/") {
            guard let words = Self.problem(path, host) else { continue }
            report.error(reader.position(of: key), "\(words); without it the page is not served")
        }
    }

    /// Bytes of a file that is looked at: PEM of a chain is far smaller.
    private static let pemLimit = 1 << 20

    /// What is seen to be wrong with a file of PEM. One that only chat-bridge's user may read is not seen.
    private static func problem(_ path: String, _ host: any Machine) -> String? {
        do throws(MachineError) {
            let bytes = try host.read(path, limit: pemLimit).1
            return bytes.contains(Array("-----BEGIN ".utf8)) ? nil : "'\(path)' holds nothing in PEM"
        } catch {
            switch error {
            case .missing: return "there is no file '\(path)'"
            case .notRegular(let kind): return "'\(path)' is \(kind)"
            case .tooLarge: return "'\(path)' is larger than 1 MiB"
            case .failed: return nil
            }
        }
    }

    /// `off`, or an address and a port. Names are not looked up.
    static func isListen(_ text: String) -> Bool {
        if text == "off" { return true }
        guard let colon = text.lastIndex(of: ":") else { return false }
        let port = text[text.index(after: colon)...]
        guard port.utf8.allSatisfy(isDigit), UInt16(port) != nil else { return false }
        let host = text[..<colon]
        if host == "localhost" { return true }
        if host.hasPrefix("["), host.hasSuffix("]") {
            let inner = host.dropFirst().dropLast()
            return inner.contains(":") && inner.utf8.allSatisfy { isDigit($0) || isHexadecimal($0) || $0 == colonByte }
        }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { $0.utf8.allSatisfy(isDigit) && UInt8($0) != nil }
    }

    private static let colonByte = UInt8(ascii: ":")

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }

    private static func isLoopback(_ listen: String) -> Bool {
        listen.hasPrefix("127.") || listen.hasPrefix("localhost:") || listen.hasPrefix("[::1]:")
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

import Plan

/// Where a socket may listen.
struct SocketRule {
    let host: any Machine
    let report: Report
    let places: Places

    static let form = "'listen' must be ADDRESS:PORT such as \"127.0.0.1:8080\" or \"[::1]:8080\", or an absolute path"

    /// `127.0.0.1:80`, `[::1]:80` or `/run/x.sock`; a problem is reported and gives nil.
    func address(_ text: String, _ position: Position) -> SocketPlan.Address? {
        if text.hasPrefix("/") { return path(text, position) }
        guard let colon = text.lastIndex(of: ":") else {
            report.error(position, "\(Self.form), found \"\(text)\"")
            return nil
        }
        let digits = text[text.index(after: colon)...]
        guard let port = UInt16(digits), port > 0, digits == "\(port)" else {
            report.error(position, "'listen': the port must be 1 to 65535, found \"\(digits)\"")
            return nil
        }
        var name = String(text[..<colon])
        if name == "localhost" { name = "127.0.0.1" }
        let isBracketed = name.hasPrefix("[") && name.hasSuffix("]")
        if isBracketed, let bytes = host.parse(inet6: String(name.dropFirst().dropLast())) {
            if let words = Self.fault(inet6: bytes, port) {
                report.error(position, "'listen': \(words), found \"\(text)\"")
                return nil
            }
            return allowed(.inet6(bytes, port: port), port, isLoopback: bytes == Self.loopback6, text, position)
        }
        if !isBracketed, let bytes = Self.inet(name) {
            return allowed(.inet(bytes, port: port), port, isLoopback: bytes[0] == 127, text, position)
        }
        report.error(position, "\(Self.form); names are not looked up, found \"\(text)\"")
        return nil
    }

    private static let loopback6 = [UInt8](repeating: 0, count: 15) + [1]

    /// What no socket of IPv6 of nexusd's can be bound to (ipv6(7)).
    private static func fault(inet6 bytes: [UInt8], _ port: UInt16) -> String? {
        if bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10...11].allSatisfy({ $0 == 0xFF }) {
            let plain = bytes[12...].map(String.init).joined(separator: ".")
            return "an address of IPv4 is written as such: \"\(plain):\(port)\""
        }
        guard bytes[0] == 0xFE, bytes[1] & 0xC0 == 0x80 else { return nil }
        return
            "a link-local address is none without its interface, which cannot be said here; take another one, or"
            + " \"[::]:\(port)\""
    }

    private static func inet(_ text: String) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        let bytes = parts.compactMap { $0 }
        return parts.count == 4 && bytes.count == 4 ? bytes : nil
    }

    private func allowed(
        _ address: SocketPlan.Address, _ port: UInt16, isLoopback: Bool, _ text: String, _ position: Position
    ) -> SocketPlan.Address {
        if port < host.firstOpenPort, !host.may(.bindLowPorts) {
            report.error(
                position,
                "port \(port) needs the right to bind ports below \(host.firstOpenPort), which uid \(host.userID) has not;"
                    + " take a higher one")
        }
        if !isLoopback { report.note("'\(text)' can be reached from other machines") }
        return address
    }

    /// Paths are compared as they are written. How Nexus's own directories are written is their owner's choice.
    private func isPlain(_ path: String) -> Bool {
        let own = [places.runtime, places.state].first { path.hasPrefix($0 + "/") } ?? ""
        let names = path.dropFirst(own.count).split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        return !names.contains { ["", ".", ".."].contains($0) }
    }

    private func path(_ path: String, _ position: Position) -> SocketPlan.Address? {
        if path.utf8.count > SocketPlan.pathLimit {
            report.error(
                position,
                "the socket path '\(path)' has \(path.utf8.count) bytes, the kernel takes \(SocketPlan.pathLimit); take a"
                    + " shorter one")
            return nil
        }
        if !isPlain(path) {
            report.error(
                position,
                "the socket path '\(path)' must be written without '.', '..', '//' and a '/' at its end: one file has one name"
            )
            return nil
        }
        for name in ["control.sock", "nexusd.lock", "notify", "credentials", "pid", "stage"] {
            let own = places.runtime + "/" + name
            if path == own || path.hasPrefix(own + "/") {
                report.error(position, "'\(own)' is Nexus's own; take another path")
                return nil
            }
        }
        let directory = path.lastIndex(of: "/").map { path[..<$0] }.map { $0.isEmpty ? "/" : String($0) } ?? "/"
        // nexusd makes its own directories itself, with itself as their owner.
        if directory == places.runtime || directory == places.state { return .unix(path) }
        if let words = Trust(host: host).distrust(directory: directory) {
            report.error(position, "the directory of the socket: \(words)")
            return nil
        }
        return .unix(path)
    }
}

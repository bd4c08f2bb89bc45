import Plan
import SupervisorCore

extension ChildBuilder {
    /// The probe of `http = "http://127.0.0.1:PORT/PATH"`. The port may be a sibling's value; all else is known now.
    func http(
        _ url: String, _ position: Position, _ statuses: [HTTPProbe.StatusRange], _ timeout: Duration,
        _ texts: inout TextBuilder, _ use: TextBuilder.Use
    ) -> Probe? {
        let form = "'http' must be a URL such as \"http://127.0.0.1:8080/health\""
        // First, for everything below repeats the URL, and a report must not hold a password.
        let start = url.firstRange(of: "://")?.upperBound ?? url.startIndex
        guard !url[start...].prefix(while: { $0 != "/" && $0 != "?" && $0 != "#" }).contains("@") else {
            report.error(
                position,
                "'http': a probe carries no user or password; take them out, and let status = [401] count as healthy")
            return nil
        }
        guard url.hasPrefix("http://") else {
            report.error(position, "\(form); a probe of this machine is plain http, found \"\(url)\"")
            return nil
        }
        let rest = url.dropFirst("http://".count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let tail = rest.dropFirst(authority.count)
        guard let path = httpPath(String(tail), position) else { return nil }
        let end = authority.hasPrefix("[") ? authority.firstIndex(of: "]").map(authority.index(after:)) : nil
        let colon = end ?? authority.firstIndex(of: ":") ?? authority.endIndex
        let host = String(authority[..<colon])
        let port = authority[colon...]
        guard let address = Self.loopback(host), port.isEmpty || port.hasPrefix(":") else {
            report.error(position, "\(form); nexus-probe asks this machine only, found \"\(url)\"")
            return nil
        }
        let number = port.isEmpty ? "80" : String(port.dropFirst())
        guard let text = texts.text(number, position, key: "http", use) else { return nil }
        if let literal = text.literal, UInt16(literal) ?? 0 == 0 {
            report.error(position, "'http': the port must be 1 to 65535, found \"\(literal)\"")
            return nil
        }
        return .http(HTTPProbe(host: address, port: text, path: path, statuses: statuses, timeout: timeout))
    }

    private func httpPath(_ text: String, _ position: Position) -> String? {
        let path = text.isEmpty ? "/" : text.hasPrefix("?") ? "/" + text : text
        let isPlain = path.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }
        if isPlain, path.hasPrefix("/"), path.utf8.count <= HTTPProbe.pathLimit { return path }
        report.error(
            position,
            "'http': the path must be up to \(HTTPProbe.pathLimit) visible ASCII characters without '#'; write others as %XX"
        )
        return nil
    }

    /// The address behind a name for this machine; nil for any other.
    static func loopback(_ host: String) -> String? {
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
        if numbers.count == 4, numbers[0] == "127", numbers.allSatisfy({ UInt8($0) != nil }) { return host }
        return host == "localhost" ? "127.0.0.1" : host == "[::1]" ? "::1" : nil
    }
}

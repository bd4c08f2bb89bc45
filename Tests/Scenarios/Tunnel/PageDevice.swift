import Foundation

/// A device that was let in through the edge, and asks what the page asks.
struct PageDevice {
    let tunnel: TunnelBox
    let id: String
    private let cookie: String
    private let host: String

    /// Pairs it with a new code.
    init(_ tunnel: TunnelBox, host: String = "chat.example.invalid", words: [String] = []) throws {
        struct Pairing: Decodable { var code: String }
        let pairing = try run(
            Programs.path("nexusctl"), ["pair", "--here", "--json"] + words,
            environment: ["NEXUS_RUNTIME_DIRECTORY": tunnel.box.runtime])
        try self.init(
            tunnel, host: host, code: JSONDecoder().decode(Pairing.self, from: Data(pairing.output.utf8)).code)
    }

    /// Lets it in by a code.
    init(_ tunnel: TunnelBox, host: String, code: String) throws {
        let answer = try Self.post(
            tunnel, "/api/pair", #"{"code":"\#(code)","name":"a page"}"#, near: false, host, ["-i"])
        struct Paired: Decodable { var device: String }
        guard
            let field = answer.body.split(separator: "\r\n").first(where: { $0.lowercased().hasPrefix("set-cookie:") }),
            let value = field.dropFirst("set-cookie:".count).split(separator: ";").first,
            let line = answer.body.components(separatedBy: "\r\n\r\n").last,
            let paired = try? JSONDecoder().decode(Paired.self, from: Data(line.utf8))
        else { throw Trouble("not paired: \(answer)") }
        self.tunnel = tunnel
        self.host = host
        id = paired.device
        cookie = value.trimmingCharacters(in: .whitespaces)
    }

    /// One POST: through the edge, or on this machine.
    func ask(
        _ path: String, _ body: String, near: Bool = false, host: String? = nil
    ) throws -> (status: String, body: String) {
        try Self.post(tunnel, path, body, near: near, host ?? self.host, ["-H", "Cookie: \(cookie)"])
    }

    private static func post(
        _ tunnel: TunnelBox, _ path: String, _ body: String, near: Bool, _ host: String, _ more: [String]
    ) throws -> (status: String, body: String) {
        let origin = near ? "http://localhost:4780" : "https://\(host)"
        let host = near ? [] : ["-H", "Host: \(host)"]
        let answer = try run(
            "/usr/bin/nsenter",
            ["-t", "\(tunnel.box.pid)", "-n", "/usr/bin/curl", "-s", "-m", "20", "-w", "\n%{http_code}"] + host + more
                + [
                    "-H", "Origin: \(origin)", "-H", "X-Nexus: 1", "-H", "Content-Type: application/json", "-d", body,
                    (near ? origin : "http://\(TunnelBox.edge)") + path,
                ], limit: .seconds(30))
        let lines = answer.output.components(separatedBy: "\n")
        return (lines.last ?? "", lines.dropLast().joined(separator: "\n"))
    }
}

extension TunnelBox {
    /// A new owner's device, or what `words` of `nexusctl pair` make it.
    func device(_ words: String...) throws -> PageDevice {
        try PageDevice(self, words: words)
    }
}

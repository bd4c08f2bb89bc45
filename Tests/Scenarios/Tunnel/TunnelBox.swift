import Foundation
import Testing

/// A box of the repository's own Supervisor.toml with the stand-in of cloudflared, in a network namespace of its own: there is
/// loopback and nothing else, so nothing can leave the machine, and "the network" is the default route that the test sets.
final class TunnelBox {
    let box: Box
    /// The folder with cloudflared.
    var bin: String { box.directory + "/bin" }
    static let tunnel = "11111111-2222-3333-4444-555555555555"
    static let edge = "127.0.0.1:8081"

    /// A namespace needs root here, and ip(8) to bring its loopback up.
    static let canMakeNetworks =
        getuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/sbin/ip")
        && (try? run("/usr/bin/unshare", ["-n", "/bin/true"]))?.status == 0

    /// `mode` of `[tunnel]`. `haste` divides tunnel-worker's patience.
    /// `uplink`: where it looks whether anybody answers beyond the router; nil: nowhere.
    init(mode: String, url: String? = "https://chat.example.invalid", haste: Int = 20, uplink: String? = nil) throws {
        var toml = try String(contentsOfFile: Programs.repository + "/Supervisor.toml", encoding: .utf8)
        toml = toml.replacingOccurrences(
            of: "\nmode = \"off\"\n",
            with: """

                mode = "\(mode)"
                id = "\(Self.tunnel)"
                credentials-file = "DIR/credentials.json"
                token-file = "DIR/token"
                program = "DIR/bin/cloudflared"

                """)
        if let url {
            toml = toml.replacingOccurrences(of: "\n# url = \"https", with: "\nurl = \"\(url)\"\n# url = \"https")
        }
        toml = toml.replacingOccurrences(
            of: "\nNEXUS_TUNNEL = ",
            with: "\nNEXUS_TUNNEL_HASTE = \"\(haste)\"\nNEXUS_TUNNEL_EDGE = \"\(Self.edge)\"\nNEXUS_TUNNEL = ")
        if let uplink {
            toml = toml.replacingOccurrences(
                of: "\nNEXUS_TUNNEL = ", with: "\nNEXUS_TUNNEL_UPLINK = \"\(uplink)\"\nNEXUS_TUNNEL = ")
        }
        toml = toml.replacingOccurrences(
            of: "\nstop-timeout = \"10s\"",
            with: "\nstop-timeout = \"10s\"\ndelay = { first = \"500ms\", cap = \"1s\" }")
        box = try Box(toml)
        try FileManager.default.createDirectory(atPath: bin + "/standin", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: bin + "/cloudflared",
            withDestinationPath: Programs.repository + "/Tests/Fixtures/cloudflared/cloudflared")
        let secret = Data(repeating: 7, count: 32).base64EncodedString()
        try secretFile(
            "credentials.json", #"{"AccountTag":"a1","TunnelSecret":"\#(secret)","TunnelID":"\#(Self.tunnel)"}"#)
        let token = Data(#"{"a":"a1","s":"\#(secret)","t":"\#(Self.tunnel)"}"#.utf8).base64EncodedString()
        try secretFile("token", token + "\n")
        try set("edge", Self.edge)
        try set("apart", "0.1")
        try set("faster", "20")
        try set("precheck-after", "0.3")
    }

    /// An agent that stands open, in place of opencode: by where it listens, or as it asks nobody for a password.
    func openAgent(at address: String, answering status: Int) throws {
        let script = """
            import http.server
            class Open(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    self.send_response(\(status))
                    self.send_header("Content-Length", "0")
                    self.end_headers()
            server = http.server.HTTPServer(("\(address)", 0), Open)
            print(f"opencode server listening on http://127.0.0.1:{server.server_address[1]}", flush=True)
            server.serve_forever()
            """
        try script.write(toFile: bin + "/agent.py", atomically: true, encoding: .utf8)
        let toml = try String(contentsOfFile: box.config, encoding: .utf8)
        try box.write(
            toml.replacingOccurrences(
                of: "command = [\"opencode\", \"serve\", \"--hostname\", \"127.0.0.1\", \"--port\", \"0\"]",
                with: "command = [\"/usr/bin/python3\", \"\(bin)/agent.py\"]"))
    }

    /// Starts nexusd with a way out, unless it is to have none.
    func start(network: Bool = true) throws {
        box.launcher = [
            "/usr/bin/unshare", "-n", "/bin/sh", "-c",
            "ip link set lo up && \(network ? "ip route add default dev lo" : "true") && exec \"$@\"", "sh",
        ]
        try box.start()
        try proveNothingLeaves()
    }

    /// There is no device but loopback, and it is not the machine's: whatever the tree sends stays in it.
    func proveNothingLeaves() throws {
        let links = try inside("/usr/sbin/ip", "-o", "link").output.split(separator: "\n").map(String.init)
        let isApart =
            try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(box.pid)/ns/net")
            != FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
        guard isApart, links.count == 1, links[0].hasPrefix("1: lo:") else {
            throw Trouble("the box could reach others: \(links)")
        }
    }

    /// Another Supervisor.toml, or a file beside it.
    func secretFile(_ name: String, _ text: String) throws {
        try text.write(toFile: box.directory + "/" + name, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: box.directory + "/" + name)
    }

    /// Sets a switch of the stand-in; nil takes it away.
    func set(_ name: String, _ text: String?) throws {
        let path = bin + "/standin/" + name
        if let text {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        } else {
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    /// Puts another file in the place of cloudflared, of this version.
    func anotherProgram(version: String) throws {
        let program = bin + "/cloudflared"
        let script = """
            #!/bin/sh
            CLOUDFLARED_STANDIN='\(bin)/standin' exec '\(StandInTests.standIn)' "$@"

            """
        try script.write(toFile: program + ".next", atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program + ".next")
        try set("version", version)
        guard rename(program + ".next", program) == 0 else { throw Trouble("rename: \(errno)") }
    }

    /// Runs a command in the box's network.
    @discardableResult
    func inside(_ command: String...) throws -> Finished {
        try run("/usr/bin/nsenter", ["-t", "\(box.pid)", "-n"] + command, limit: .seconds(30))
    }

    /// The default route comes or goes.
    func network(_ isUp: Bool) throws {
        let answer = try inside("/usr/sbin/ip", "route", isUp ? "add" : "del", "default", "dev", "lo")
        guard answer.status == 0 else { throw Trouble("ip route: \(answer.errors)") }
    }

    struct Described: Decodable {
        var mode: String
        var state: String
        var words: String
        var connections: Int
        var url: String?
        var reach: String
        var complaint: String?
        var metricsPort: UInt16?

        enum CodingKeys: String, CodingKey {
            case mode, state, words, connections, url, reach, complaint
            case metricsPort = "metrics_port"
        }
    }

    func described() throws -> Described {
        let answer = try box.ctl("tunnel", "status", "--json")
        guard answer.status == 0 else { throw Trouble("tunnel status: \(answer.errors)") }
        return try JSONDecoder().decode(Described.self, from: Data(answer.output.utf8))
    }

    /// Until tunnel-worker's line in `status --json` begins so; the line.
    @discardableResult
    func waitLine(_ state: String, limit: Duration = .seconds(20)) throws -> String {
        let status = try box.wait("the tunnel to be \(state)", limit: limit) {
            $0.child("tunnel-worker")?.status?.hasPrefix(state) == true
        }
        return status.child("tunnel-worker")?.status ?? ""
    }

    /// The same for a state that stays; `nexusctl tunnel status --json` must say it too.
    @discardableResult
    func waitState(_ state: String, limit: Duration = .seconds(20)) throws -> Described {
        try waitLine(state, limit: limit)
        // The one is what tunnel-worker said last, the other what it knows now: after an end they differ for a moment.
        var now = try described()
        try box.wait("tunnel status to be \(state)", limit: limit) { _ in
            now = try described()
            return now.words.hasPrefix(state)
        }
        return now
    }

    /// Until tunnel-worker's own look through the edge came through, in a test that sends no visitor.
    func waitLookedThrough() throws {
        try box.wait("a look through the edge") { _ in try looksThrough() > 0 }
    }

    /// So many requests came through the edge and were answered well, as the run of cloudflared that is there has it.
    func looksThrough() throws -> Int {
        let port = try described().metricsPort ?? 0
        let name = #"cloudflared_tunnel_response_by_code{status_code="200"} "#
        return try inside("/usr/bin/curl", "-s", "http://127.0.0.1:\(port)/metrics").output.split(separator: "\n")
            .first { $0.hasPrefix(name) }.flatMap { Int($0.dropFirst(name.count)) } ?? 0
    }

    /// A request of a visitor through the edge: status and body.
    func visit(
        _ path: String, host: String = "chat.example.invalid", limit: Int = 10
    ) throws -> (status: String, body: String) {
        let answer = try inside(
            "/usr/bin/curl", "-s", "-m", "\(limit)", "-H", "Host: \(host)", "-w", "\n%{http_code}",
            "http://\(Self.edge)\(path)")
        let lines = answer.output.split(separator: "\n", omittingEmptySubsequences: false)
        return (String(lines.last ?? ""), lines.dropLast().joined(separator: "\n"))
    }
}

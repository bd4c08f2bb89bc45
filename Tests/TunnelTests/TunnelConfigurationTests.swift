import Foundation
import Testing

@testable import Tunnel
import Yams

@Suite(.timeLimit(.minutes(1)))
struct TunnelConfigurationTests {
    private let uuid = UUID(uuidString: "11111111-2222-3333-4444-555555555555") ?? UUID()

    private func configuration(
        hostname: String = "chat.example.com", file: String = "/var/lib/nexus/tunnel/creds.json",
        socket: String = "/run/nexus/chat/page.sock"
    ) throws(TunnelError) -> TunnelConfiguration {
        try TunnelConfiguration(
            identity: .named(uuid, credentialsFile: file), hostname: hostname, chatSocket: socket, metricsPort: 20241,
            transport: .auto, logDirectory: "/var/lib/nexus/tunnel/log", gracePeriod: .seconds(5))
    }

    @Test func namedTunnel_isWrittenAsThis() throws {
        let expected = """
            # Written by tunnel-worker; changes here are lost.
            tunnel: "11111111-2222-3333-4444-555555555555"
            credentials-file: "/var/lib/nexus/tunnel/creds.json"
            no-autoupdate: true
            metrics: "127.0.0.1:20241"
            protocol: "auto"
            retries: 2
            grace-period: "5s"
            loglevel: "info"
            log-directory: "/var/lib/nexus/tunnel/log"
            ingress:
            - hostname: "chat.example.com"
              service: "unix:/run/nexus/chat/page.sock"
            - service: "http_status:404"

            """
        #expect(try configuration().yaml() == expected)
    }

    /// The stand-in, and a real one where there is one on PATH: it looks at the file and reaches nobody.
    static let programs: [String] = {
        let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let real = path.split(separator: ":").map { $0 + "/cloudflared" }.filter(CloudflaredProgram.isExecutableFile)
        return [repository.path + "/Fixtures/cloudflared/cloudflared"] + real.prefix(1)
    }()

    @Test(arguments: programs) func whatIsWritten_isGoodForCloudflared(_ path: String) async throws {
        let program = try await CloudflaredProgram.find(among: [path])
        let file = FileManager.default.temporaryDirectory.path + "/nexus-tunnel-\(UUID().uuidString).yml"
        defer { unlink(file) }
        for (identity, hostname) in [
            (.named(uuid, credentialsFile: "/c.json"), "chat.example.com"), (.token(file: "/t"), "chat.example.com"),
            (.quick, nil),
        ] as [(TunnelConfiguration.Identity, String?)] {
            let written = try TunnelConfiguration(
                identity: identity, hostname: hostname, chatSocket: "/run/nexus/chat.sock", metricsPort: 20241,
                transport: .auto, logDirectory: "/var/lib/nexus/tunnel/log", gracePeriod: .milliseconds(1500))
            try ConfigurationFile.write(try written.yaml(), to: file)
            try await program.validate(file)
        }
    }

    @Test func tokenTunnel_namesItsFileOnly() throws {
        let text = try TunnelConfiguration(
            identity: .token(file: "/run/nexus/credentials/tunnel-worker/token"), hostname: "a.example",
            chatSocket: "/s", metricsPort: 1, transport: .http2, logDirectory: "/l", gracePeriod: .milliseconds(1500)
        ).yaml()
        #expect(text.contains("token-file: \"/run/nexus/credentials/tunnel-worker/token\"\n"))
        #expect(text.contains("protocol: \"http2\"\n"))
        #expect(!text.contains("credentials-file") && !text.contains("tunnel:"))
        #expect(text.contains("grace-period: \"1500ms\"\n"))
    }

    @Test func quickTunnel_leadsItsOwnNameToTheSocket_whateverThatIs_andNothingElse() throws {
        let text = try TunnelConfiguration(
            identity: .quick, hostname: nil, chatSocket: "/run/nexus/chat.sock", metricsPort: 1, transport: .auto,
            logDirectory: "/l", gracePeriod: .milliseconds(1500)
        ).yaml()
        let read = try #require(try Yams.load(yaml: text) as? [String: Any])
        #expect(
            read["ingress"] as? [[String: String]] == [
                ["hostname": "*.trycloudflare.com", "service": "unix:/run/nexus/chat.sock"],
                ["service": "http_status:404"],
            ])
        for name in ["tunnel", "token-file", "credentials-file", "url"] { #expect(read[name] == nil) }
        #expect(throws: TunnelError.self) {
            try TunnelConfiguration(
                identity: .quick, hostname: "a.example", chatSocket: "/s", metricsPort: 1, transport: .auto,
                logDirectory: "/l", gracePeriod: .seconds(5))
        }
    }

    @Test(arguments: ["/a b/#c: [x]", "/ü/\"quoted\"", "/it's", "/\\back", "/- x", "/yes"])
    func strangePaths_areReadBackAsTheyWere(_ path: String) throws {
        let text = try configuration(file: path, socket: path).yaml()
        let read = try #require(try Yams.load(yaml: text) as? [String: Any])
        #expect(read["credentials-file"] as? String == path)
        let rules = try #require(read["ingress"] as? [[String: Any]])
        #expect(rules.count == 2)
        #expect(rules[0]["service"] as? String == "unix:" + path)
        #expect(rules[1] as? [String: String] == ["service": "http_status:404"])
    }

    @Test(arguments: [
        "", "chat", "chat.example.com:443", "https://chat.example.com", "a..b", "-a.b", "a-.b", "a_b.c", "*.a.b",
        "a.b/c", "ä.example", "chat.local", "chat.LOCALHOST", "chat.internal", "chat.home.arpa",
    ])
    func unfitHostname_isRefused(_ name: String) {
        let error = #expect(throws: TunnelError.self) { try configuration(hostname: name) }
        #expect(error?.description.hasPrefix("[chat] url: ") == true)
    }

    @Test(arguments: ["relative", "", "/line\nbreak", "/nul\0"])
    func unfitPath_isRefused(_ path: String) {
        let file = #expect(throws: TunnelError.self) { try configuration(file: path) }
        #expect(file?.description.hasPrefix("[tunnel] credentials-file: ") == true)
        let socket = #expect(throws: TunnelError.self) { try configuration(socket: path) }
        #expect(socket?.description.hasPrefix("NEXUS_CHAT_SOCKET: ") == true)
    }

    @Test func file_isWrittenWholeAndForItsOwnerOnly() throws {
        let directory = FileManager.default.temporaryDirectory.path + "/nexus-tunnel-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = directory + "/config.yml"
        try ConfigurationFile.write("one", to: path)
        // Left over by a crash: not in the way.
        try Data("half".utf8).write(to: URL(fileURLWithPath: path + ".new"))
        try ConfigurationFile.write("two", to: path)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "two")
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["config.yml"])
        #expect(throws: TunnelError.self) { try ConfigurationFile.write("x", to: directory + "/no/config.yml") }
        // An empty directory is nobody's; one with something in it is said, and nothing of it is touched.
        try FileManager.default.createDirectory(atPath: path + ".new", withIntermediateDirectories: false)
        try ConfigurationFile.write("three", to: path)
        try FileManager.default.createDirectory(atPath: path + ".new/kept", withIntermediateDirectories: true)
        let error = #expect(throws: TunnelError.self) { try ConfigurationFile.write("four", to: path) }
        #expect(error?.description.contains("config.yml.new is a directory") == true)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "three")
        #expect(FileManager.default.fileExists(atPath: path + ".new/kept"))
    }

    /// cloudflared is through with its grace period before nexusd kills it, and 0 would mean its default of 30 s.
    @Test(arguments: [
        (10_000, 5000), (30_000, 25_000), (3_600_000, 180_000), (4000, 2000), (0, 1), (1, 1), (60_000, 55_000),
    ]) func gracePeriod_endsBeforeTheStopTimeout(_ stop: Int, _ grace: Int) {
        #expect(GracePeriod.of(stopTimeout: .milliseconds(stop)) == .milliseconds(grace))
    }
}

import Foundation
import Testing
import Tunnel
import Yams

@Suite(.timeLimit(.minutes(1)))
struct TunnelConfigurationTests {
    private let uuid = UUID(uuidString: "11111111-2222-3333-4444-555555555555") ?? UUID()

    private func configuration(
        hostname: String = "chat.example.com", file: String = "/var/lib/nexus/tunnel/creds.json",
        socket: String = "/run/nexus/chat/page.sock"
    ) throws(TunnelError) -> TunnelConfiguration {
        try TunnelConfiguration(
            identity: .named(uuid, credentialsFile: file), hostname: hostname, chatSocket: socket, metricsPort: 20241)
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
            ingress:
            - hostname: "chat.example.com"
              service: "unix:/run/nexus/chat/page.sock"
            - service: "http_status:404"

            """
        #expect(try configuration().yaml() == expected)
    }

    @Test func tokenTunnel_namesItsFileOnly() throws {
        let text = try TunnelConfiguration(
            identity: .token(file: "/run/nexus/credentials/tunnel-worker/token"), hostname: "a.example",
            chatSocket: "/s", metricsPort: 1
        ).yaml()
        #expect(text.contains("token-file: \"/run/nexus/credentials/tunnel-worker/token\"\n"))
        #expect(!text.contains("credentials-file") && !text.contains("tunnel:"))
    }

    @Test func quickTunnel_leadsToTheSocketWhateverItsNameIs() throws {
        let text = try TunnelConfiguration(
            identity: .quick, hostname: nil, chatSocket: "/run/nexus/chat.sock", metricsPort: 1
        ).yaml()
        let read = try #require(try Yams.load(yaml: text) as? [String: Any])
        #expect(read["ingress"] as? [[String: String]] == [["service": "unix:/run/nexus/chat.sock"]])
        for name in ["tunnel", "token-file", "credentials-file", "url"] { #expect(read[name] == nil) }
        #expect(throws: TunnelError.self) {
            try TunnelConfiguration(identity: .quick, hostname: "a.example", chatSocket: "/s", metricsPort: 1)
        }
        #expect(throws: TunnelError.self) {
            try TunnelConfiguration(identity: .token(file: "/t"), hostname: nil, chatSocket: "/s", metricsPort: 1)
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
        "a.b/c", "ä.example",
    ])
    func unfitHostname_isRefused(_ name: String) {
        #expect(throws: TunnelError.self) { try configuration(hostname: name) }
    }

    @Test(arguments: ["relative", "", "/line\nbreak", "/nul\0"])
    func unfitPath_isRefused(_ path: String) {
        #expect(throws: TunnelError.self) { try configuration(file: path) }
        #expect(throws: TunnelError.self) { try configuration(socket: path) }
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
    }
}

@Suite(.timeLimit(.minutes(1)))
struct TunnelMonitorTests {
    private func state(_ mode: TunnelMode, _ observations: TunnelMonitor.Observation...) -> TunnelState {
        var monitor = TunnelMonitor()
        monitor.see(.wanted(mode))
        for observation in observations { monitor.see(observation) }
        return monitor.state
    }

    @Test func off_isOffWhateverIsSeen() {
        #expect(TunnelMonitor().state == .off)
        #expect(state(.off, .started, .ready(connections: 4), .origin(answers: false)) == .off)
    }

    @Test func eachObservation_leadsToItsState() {
        #expect(state(.named) == .stopped)
        #expect(state(.named, .started) == .starting)
        #expect(state(.named, .started, .ready(connections: 1)) == .degraded(.init(1, of: 4)))
        #expect(state(.named, .started, .ready(connections: 4)) == .connected(.init(4, of: 4)))
        #expect(state(.quick, .started, .ready(connections: 1)) == .connected(.init(1, of: 1)))
        #expect(state(.named, .started, .ready(connections: 4), .ready(connections: 0)) == .reconnecting)
        #expect(state(.named, .started, .ready(connections: 4), .silent) == .reconnecting)
        #expect(state(.named, .started, .registrations(succeeded: 0, refused: 2)) == .credentialsRefused)
        #expect(state(.named, .started, .registrations(succeeded: 1, refused: 2)) == .starting)
        #expect(state(.token, .started, .ready(connections: 4)) == .waitingForConfiguration)
        #expect(
            state(.token, .started, .ready(connections: 4), .configuration(version: 0)) == .connected(.init(4, of: 4)))
        #expect(state(.named, .started, .ready(connections: 4), .origin(answers: false)) == .originDown)
        #expect(state(.named, .started, .exposure(onlyTheChat: false)) == .exposesMoreThanTheChat)
        #expect(state(.named, .started, .ended(exit: "exit 1", asked: false)) == .crashed(exit: "exit 1"))
        #expect(state(.named, .started, .ended(exit: "exit 0", asked: true)) == .stopped)
    }

    @Test func cableOut_isNoNetworkAlsoWhileHTTP2StillCallsItselfReady() {
        #expect(state(.named, .started, .ready(connections: 4), .network(isUp: false)) == .noNetwork)
        #expect(state(.named, .network(isUp: false), .started, .ended(exit: "exit 1", asked: false)) == .noNetwork)
    }

    @Test func newStart_forgetsTheOldConnections() {
        let again = state(
            .named, .started, .ready(connections: 4), .ended(exit: "signal 9 (KILL)", asked: false), .started)
        #expect(again == .starting)
    }

    @Test func modesWithoutCode_areRefusedInWords() throws {
        #expect(try TunnelMode.supported("off") == .off)
        for word in ["quick", "named", "token", "nonsense"] {
            let error = #expect(throws: TunnelError.self) { try TunnelMode.supported(word) }
            #expect(error?.description.contains(word) == true)
        }
    }

    @Test func words_sayWhatToDo() {
        #expect(TunnelState.off.words.contains("Supervisor.toml"))
        #expect(TunnelState.connected(.init(4, of: 4)).words == "connected 4/4")
    }
}

@Suite(.timeLimit(.minutes(1)))
struct CloudflaredProgramTests {
    @Test func configuredPath_isTheOnlyCandidate() {
        #expect(CloudflaredProgram.candidates(configured: "/x/cf", searchPath: "/bin", home: "/h") == ["/x/cf"])
    }

    @Test func searchPathComesFirst_eachPlaceOnce() {
        let places = CloudflaredProgram.candidates(configured: nil, searchPath: "/mine:relative::/usr/bin", home: "/h")
        #expect(
            places == [
                "/mine/cloudflared", "/usr/bin/cloudflared", "/usr/local/bin/cloudflared",
                "/opt/cloudflared/cloudflared",
                "/h/.local/bin/cloudflared", "/snap/bin/cloudflared", "/home/linuxbrew/.linuxbrew/bin/cloudflared",
            ])
        let found = CloudflaredProgram.find(among: places) { $0.hasPrefix("/opt") || $0.hasPrefix("/snap") }
        #expect(found?.path == "/opt/cloudflared/cloudflared")
        #expect(CloudflaredProgram.find(among: places) { _ in false } == nil)
    }

    @Test func directoryOrUnexecutable_isNoProgram() {
        #expect(CloudflaredProgram.isExecutableFile("/bin/sh"))
        #expect(!CloudflaredProgram.isExecutableFile("/tmp"))
        #expect(!CloudflaredProgram.isExecutableFile("/etc/passwd"))
        #expect(!CloudflaredProgram.isExecutableFile("/no/such"))
    }

    @Test func version_isReadOrItIsNotCloudflared() {
        #expect(CloudflaredProgram.version(inOutput: "2026.8.2\n") == "2026.8.2")
        #expect(CloudflaredProgram.version(inOutput: "DEV") == "DEV")
        for bad in ["", "1.2.3", "cloudflared version 2026.8.2", "2026.8", "2026.8.x", "2026..2"] {
            #expect(CloudflaredProgram.version(inOutput: bad) == nil, "\(bad)")
        }
    }
}

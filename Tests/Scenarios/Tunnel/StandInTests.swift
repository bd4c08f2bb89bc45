import Foundation
import Testing

/// The stand-in of cloudflared against what was seen of the real one; where a real one is on PATH it is held to the same, as far
/// as that goes without a network.
@Suite(.timeLimit(.minutes(2))) struct StandInTests {
    static let standIn = Programs.repository + "/Tests/Fixtures/cloudflared/cloudflared"
    static let programs: [String] = {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let real = path.split(separator: ":").map { $0 + "/cloudflared" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
        if real == nil { print("skipped: the same with a real cloudflared, which is not on PATH") }
        if let real {
            print(
                "\(real) is held to the same in usage, validation and mistakes of files; skipped with it, for want of a network: "
                    + "registrations, signals, READY=1, pidfile, log lines, metrics port, and what it carries")
        }
        return [standIn] + [real].compactMap { $0 }
    }()
    private let directory = "/tmp/nexus-standin-\(UUID().uuidString)"
    private static let head = """
        tunnel: "11111111-2222-3333-4444-555555555555"
        credentials-file: "DIR/credentials.json"
        no-autoupdate: true
        metrics: "127.0.0.1:0"
        grace-period: "2s"

        """
    private static let rules =
        "ingress:\n- hostname: \"a.example\"\n  service: \"unix:/x.sock\"\n- service: \"http_status:404\"\n"

    private func config(_ more: String = rules, head: String = head) throws -> String {
        try FileManager.default.createDirectory(atPath: directory + "/standin", withIntermediateDirectories: true)
        try #"{"AccountTag":"a","TunnelSecret":"c2VjcmV0","TunnelID":"11111111-2222-3333-4444-555555555555"}"#
            .write(toFile: directory + "/credentials.json", atomically: true, encoding: .utf8)
        let path = directory + "/config.yml"
        try (head + more).replacingOccurrences(of: "DIR", with: directory)
            .write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    /// In a network of its own, where there is loopback alone: whatever it tries, it reaches nobody.
    private static let apart =
        TunnelBox.canMakeNetworks
        ? ["/usr/bin/unshare", "-n", "/bin/sh", "-c", "/usr/sbin/ip link set lo up && exec \"$@\"", "sh"] : []
    private var environment: [String: String] {
        ["PATH": "/usr/bin:/bin", "CLOUDFLARED_STANDIN": directory + "/standin"]
    }

    private func ends(_ program: String, _ arguments: String...) throws -> Finished {
        let words = Self.apart + [program] + arguments
        return try run(words[0], Array(words.dropFirst()), environment: environment)
    }

    private func begin(_ arguments: String..., more: [String: String] = [:]) throws -> Running {
        // Whoever runs the tests may have told them to outlive his terminal.
        let words = Self.apart + ["/usr/bin/env", "--default-signal=HUP", Self.standIn] + arguments
        return try Running(words[0], Array(words.dropFirst()), environment: environment.merging(more) { $1 })
    }

    /// A command where a run is.
    private func inside(_ running: Running, _ words: String...) throws -> Finished {
        let all = (Self.apart.isEmpty ? [] : ["/usr/bin/nsenter", "-t", "\(running.pid)", "-n"]) + words
        return try run(all[0], Array(all.dropFirst()), environment: environment)
    }

    private func set(_ name: String, _ text: String) throws {
        try text.write(toFile: directory + "/standin/" + name, atomically: true, encoding: .utf8)
    }

    @Test(arguments: programs) func wrongFlag_showsTheUsage_andEndsWith0(_ program: String) throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let end = try ends(program, "tunnel", "--config", try config(), "run", "--metrics", "127.0.0.1:1")
        #expect(end.status == 0 && end.output.contains("USAGE"), "\(end)")
    }

    @Test(arguments: programs) func validate_saysOKorWhy(_ program: String) throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let good = try ends(program, "tunnel", "--config", try config(), "ingress", "validate")
        #expect(good.status == 0 && good.output.hasSuffix("OK\n"), "\(good)")
        for (rules, words) in [
            (
                "ingress:\n- hostname: \"a.example\"\n  service: \"unix:/x\"\n",
                "The last ingress rule must match all URLs"
            ),
            (
                "ingress:\n- hostname: \"a.example:1\"\n  service: \"unix:/x\"\n- service: \"http_status:404\"\n",
                "cannot contain a port"
            ),
            ("ingress:\n- service: \"nothing\"\n", "is an invalid address"),
            (
                "ingress:\n- hostname: \"*\"\n  service: \"unix:/x\"\n- service: \"http_status:404\"\n",
                "this will match every hostname"
            ),
        ] {
            let bad = try ends(program, "tunnel", "--config", try config(rules), "ingress", "validate")
            #expect(bad.status == 1 && bad.errors.contains(words), "\(bad)")
        }
        let star = try config("ingress:\n- hostname: \"*\"\n  service: \"http_status:404\"\n")
        #expect(try ends(program, "tunnel", "--config", star, "ingress", "validate").output.hasSuffix("OK\n"))
        let odd = try ends(
            program, "tunnel", "--config", try config("ingress:\n- service: \"http_status:404\"\n  servise: \"x\"\n"),
            "ingress",
            "validate")
        #expect(odd.status == 0 && !odd.output.contains("\nOK\n") && odd.output.contains("Warning"), "\(odd)")
    }

    @Test(arguments: programs) func mistakesInTheFile_endWith1AndOneLine(_ program: String) throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for (line, words) in [
            ("edge-ip-version: 4\n", "expected string found int for edge-ip-version"),
            ("protocol: \"smoke\"\n", "unknown protocol"), ("grace-period: \"10m\"\n", "less than 3m0s"),
        ] {
            let head = Self.head.replacingOccurrences(of: "grace-period: \"2s\"\n", with: "")
            let end = try ends(program, "tunnel", "--config", try config(line + Self.rules, head: head), "run")
            #expect(end.status == 1 && end.errors.contains(words), "\(end)")
        }
        let missing = try ends(program, "tunnel", "--config", directory + "/no.yml", "run")
        #expect(missing.status == 1 && missing.errors.contains("no such file or directory"), "\(missing)")
        try "nonsense".write(toFile: directory + "/token", atomically: true, encoding: .utf8)
        let token = try ends(program, "tunnel", "--config", try config(), "run", "--token-file", directory + "/token")
        #expect(token.status == 255 && token.errors.contains("Provided Tunnel token is not valid."), "\(token)")
    }

    private func waitLog(_ running: Running, _ words: String) throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while !running.errors.contains(words) {
            guard ContinuousClock.now < deadline, running.waitForEnd(.milliseconds(10)) == nil else {
                throw Trouble("no '\(words)' in: \(running.errors)")
            }
        }
    }

    @Test func firstSignal_drains_secondKills() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let head = Self.head.replacingOccurrences(of: "2s", with: "60s") + "pidfile: \"DIR/pid\"\n"
        let path = try config(head: head)
        try set("slow-drain", "")
        let running = try begin("tunnel", "--config", path, "run")
        try waitLog(running, "connIndex=1")
        #expect(try String(contentsOfFile: directory + "/pid", encoding: .utf8) == "\(running.pid)")
        kill(running.pid, SIGTERM)
        try waitLog(running, "Initiating graceful shutdown due to signal terminated ...")
        try waitLog(running, "Unregistered tunnel connection")
        #expect(running.waitForEnd(.milliseconds(50)) == nil)
        kill(running.pid, SIGTERM)
        #expect(running.waitForEnd(.seconds(10)) == -SIGTERM)
    }

    @Test func firstSignal_withNothingUnderWay_endsWith0AtOnce() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let running = try begin("tunnel", "--config", try config(), "--output", "json", "run")
        try waitLog(running, #""message":"Registered tunnel connection""#)
        kill(running.pid, SIGTERM)
        #expect(running.waitForEnd(.seconds(10)) == 0)
        #expect(running.errors.contains(#""message":"Tunnel server stopped""#))
    }

    @Test func closedLogPipe_killsIt() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let command =
            "(trap '' HUP; '\(Self.standIn)' tunnel --config '\(try config())' run; echo $? >'\(directory)/rc') 2>&1 | head -1"
        _ = try ends("/bin/sh", "-c", command)
        #expect(try String(contentsOfFile: directory + "/rc", encoding: .utf8) == "141\n")
    }

    /// What it says of itself: to who started it, once, and on its metrics port; nobody else gets that port.
    @Test func lifeOfARun_isToldAsByTheRealOne() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = try config()
        let ear = try Datagrams(at: directory + "/notify")
        let began = ContinuousClock.now
        let running = try begin("tunnel", "--config", path, "run", more: ["NOTIFY_SOCKET": ear.path])
        #expect(ear.next() == "READY=1")
        // Two at once, the others a second apart.
        try waitLog(running, "connIndex=3")
        #expect(.now - began >= .seconds(2))
        let place = try #require(running.errors.firstMatch(of: /Starting metrics server on (127\.0\.0\.1:[0-9]+)/)?.1)
        for (name, answer) in [
            ("ready", #"^200 \{"status":200,"readyConnections":4,"connectorId":"[0-9a-f-]{36}"\}$"#),
            ("healthcheck", "^200 OK\n$"), ("quicktunnel", #"^200 \{"hostname":""\}$"#),
            ("config", #"^200 \{"version": ?-1, ?"config".*"service": ?"unix:/x\.sock".*"http_status:404""#),
            ("metrics", #"^200 [^$]*\ncloudflared_tunnel_total_requests 0\n"#), ("else", "^404 404 page not found\n$"),
        ] {
            let got = try inside(
                running, "/usr/bin/curl", "-s", "-w", "%{stderr}%{http_code}", "http://\(place)/\(name)")
            let text = "\(got.errors) \(got.output)"
            #expect(text.range(of: answer, options: .regularExpression) != nil, "\(name): \(text)")
        }
        let taken = Self.head.replacingOccurrences(of: "127.0.0.1:0", with: String(place))
        let other = try inside(running, Self.standIn, "tunnel", "--config", try config(head: taken), "run")
        #expect(other.status == 1 && other.errors.contains("address already in use"), "\(other)")

        kill(running.pid, SIGUSR1)
        #expect(running.waitForEnd(.milliseconds(50)) == nil)
        kill(running.pid, SIGQUIT)
        #expect(running.waitForEnd(.seconds(10)) == 2)
        #expect(ear.next(isThere: true) == nil)
        let hung = try begin("tunnel", "--config", try config(), "run")
        try waitLog(hung, "Starting metrics server")
        kill(hung.pid, SIGHUP)
        #expect(hung.waitForEnd(.seconds(10)) == -SIGHUP)
    }

    /// A token has its rules from the dashboard: until they come visitors get 503.
    @Test func tokenRun_answers503_untilRulesArePushed() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let port = try LoopbackPort.free()
        let token = Data(#"{"a":"a1","s":"c2VjcmV0","t":"11111111-2222-3333-4444-555555555555"}"#.utf8)
        let path = try config("", head: "metrics: \"127.0.0.1:0\"\ntoken-file: \"DIR/token\"\n")
        try token.base64EncodedString().write(toFile: directory + "/token", atomically: true, encoding: .utf8)
        try set("edge", "127.0.0.1:\(port)")
        try set("remote", #"{"ingress":[{"service":"http_status:200"}]}"#)
        try set("remote-after", "3600")
        let running = try begin("tunnel", "--config", path, "run")
        try waitLog(running, "connIndex=0")
        func visit() throws -> String {
            try inside(running, "/usr/bin/curl", "-s", "-w", "%{http_code}", "http://127.0.0.1:\(port)/").output
        }
        #expect(try visit() == "503")
        try set("remote-after", "0")
        try waitLog(running, "Updated to new configuration")
        #expect(try visit() == "200")
    }
}

/// A socket for datagrams, as systemd has one for what it starts.
private final class Datagrams {
    let path: String
    private let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)

    init(at path: String) throws {
        self.path = path
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let isBound = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard isBound else { throw Trouble("bind \(path): \(errno)") }
    }

    deinit { close(descriptor) }

    /// The next within 20 s, or what is there; nil: none.
    func next(isThere: Bool = false) -> String? {
        var look = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&look, 1, isThere ? 0 : 20_000) == 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}

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

    private func ends(_ program: String, _ arguments: String...) throws -> Finished {
        try run(
            program, arguments, environment: ["PATH": "/usr/bin:/bin", "CLOUDFLARED_STANDIN": directory + "/standin"])
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
        ] {
            let bad = try ends(program, "tunnel", "--config", try config(rules), "ingress", "validate")
            #expect(bad.status == 1 && bad.errors.contains(words), "\(bad)")
        }
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
        try "".write(toFile: directory + "/standin/slow-drain", atomically: true, encoding: .utf8)
        let running = try Running(
            Self.standIn, ["tunnel", "--config", path, "run"],
            environment: ["PATH": "/usr/bin:/bin", "CLOUDFLARED_STANDIN": directory + "/standin"])
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
        let running = try Running(
            Self.standIn, ["tunnel", "--config", try config(), "--output", "json", "run"],
            environment: ["PATH": "/usr/bin:/bin", "CLOUDFLARED_STANDIN": directory + "/standin"])
        try waitLog(running, #""message":"Registered tunnel connection""#)
        kill(running.pid, SIGTERM)
        #expect(running.waitForEnd(.seconds(10)) == 0)
        #expect(running.errors.contains(#""message":"Tunnel server stopped""#))
    }

    @Test func closedLogPipe_killsIt() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let command =
            "(trap '' HUP; '\(Self.standIn)' tunnel --config '\(try config())' run; echo $? >'\(directory)/rc') 2>&1 | head -1"
        _ = try run(
            "/bin/sh", ["-c", command],
            environment: ["PATH": "/usr/bin:/bin", "CLOUDFLARED_STANDIN": directory + "/standin"])
        #expect(try String(contentsOfFile: directory + "/rc", encoding: .utf8) == "141\n")
    }
}

import Foundation
import Testing

@testable import Tunnel

/// What is put in force for a start, with a cloudflared that says what it is told to.
@Suite(.timeLimit(.minutes(1))) final class TunnelWorkshopTests {
    private let directory = "/tmp/nexus-workshop-\(UUID().uuidString)"
    private var program: String { directory + "/cloudflared" }
    private var tunnel: String { directory + "/tunnel" }

    init() throws {
        try FileManager.default.createDirectory(atPath: tunnel, withIntermediateDirectories: true)
        let id = "11111111-2222-3333-4444-555555555555"
        let secret = Data(repeating: 7, count: 32).base64EncodedString()
        try #"{"AccountTag":"a1","TunnelSecret":"\#(secret)","TunnelID":"\#(id)"}"#
            .write(toFile: directory + "/credentials.json", atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o600], ofItemAtPath: directory + "/credentials.json")
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// A program that knows its version, looks at a configuration so, and keeps what it was asked.
    private func lay(_ validation: String) throws {
        let script = """
            #!/bin/sh
            echo "$*" >>'\(directory)/asked'
            if [ "$1" = version ]; then echo 2026.8.2; exit; fi
            [ "$1 $2 $4 $5" = "tunnel --config ingress validate" ] || exit 9
            cp "$3" '\(directory)/validated'
            \(validation)

            """
        try script.write(toFile: program, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
    }

    private func workshop(url: String = "https://chat.example.invalid") throws -> TunnelWorkshop {
        let written = """
            {"mode":"named","id":"11111111-2222-3333-4444-555555555555","credentials-file":"\(directory)/credentials.json",
            "token-file":"","program":"\(program)"}
            """
        let settings = try TunnelSettings(environment: [
            "NEXUS_TUNNEL": written, "NEXUS_CHAT_URL": url, "NEXUS_CHAT_SOCKET": "/run/nexus/chat.sock",
        ])
        return TunnelWorkshop(settings: settings, directory: tunnel, environment: ["PATH": "/usr/bin:/bin"])
    }

    private func prepare(_ workshop: TunnelWorkshop) async throws {
        _ = try await workshop.prepare(.named, .auto, stopTimeout: .seconds(10), after: nil)
    }

    /// Name and contents of all that lies in the tunnel's directory.
    private func inForce() throws -> [String: Data] {
        let names = try FileManager.default.contentsOfDirectory(atPath: tunnel)
        return try Dictionary(
            uniqueKeysWithValues: names.map { ($0, try Data(contentsOf: URL(fileURLWithPath: tunnel + "/" + $0))) })
    }

    /// With what was in force: a start makes it anew, and one by its name says why there is nothing.
    @Test func directoryThatIsGone_isSaid_andMadeAgain() async throws {
        try lay("echo OK")
        let workshop = try workshop()
        try FileManager.default.removeItem(atPath: tunnel)
        #expect(workshop.isGone)
        #expect { try LaunchFile.read(in: tunnel) } throws: { "\($0)".hasPrefix("\(tunnel) is gone, and with it") }
        _ = try await workshop.prepare(.named, .auto, stopTimeout: .seconds(10), after: nil)
        #expect(!workshop.isGone)
        var status = stat()
        #expect(stat(tunnel, &status) == 0 && status.st_mode & 0o777 == 0o700)
        _ = try LaunchFile.read(in: tunnel)
        try FileManager.default.removeItem(atPath: tunnel)
        try await workshop.check(.named)
        #expect(!workshop.isGone)
    }

    @Test func configuration_isShownToCloudflared_beforeItIsInForce() async throws {
        try lay("echo Validating rules; echo OK")
        try await prepare(try workshop())
        let now = try inForce()
        #expect(
            now.keys.sorted() == [
                "config.yml", "credentials-11111111-2222-3333-4444-555555555555.json", "launch.json",
            ])
        // What it looked at is what is in force, and lies there under no other name.
        #expect(try Data(contentsOf: URL(fileURLWithPath: directory + "/validated")) == now["config.yml"])
    }

    /// With 1, or with 0 and something that it does not know.
    @Test(arguments: [
        ("echo 'Validation failed: no such thing' >&2; exit 1", "Validation failed: no such thing (exit 1)"),
        (
            "echo Validating rules; echo 'Warning: unused keys detected in your config file.'; echo '  servise'",
            "Warning: unused keys detected in your config file.   servise (exit 0)"
        ),
    ]) func configurationThatCloudflaredRefuses_leavesWhatIsInForce(_ validation: String, _ words: String) async throws
    {
        try lay("echo OK")
        try await prepare(try workshop())
        let before = try inForce()
        try lay(validation)
        let other = try workshop(url: "https://other.example.invalid")
        for refused in [
            await #expect(throws: TunnelError.self) { try await other.check(.named) },
            await #expect(throws: TunnelError.self) { try await self.prepare(other) },
        ] {
            #expect(refused?.description == "config.yml: cloudflared refuses it: \(words)")
        }
        #expect(try String(contentsOfFile: directory + "/validated", encoding: .utf8).contains("other.example.invalid"))
        #expect(try inForce() == before)
        #expect(await other.inForce(.named, stopTimeout: .seconds(10)) == nil)
    }

    /// The owner's file may be gone by then.
    @Test func former_isPutBackAsItWas_withItsSecret() async throws {
        try lay("echo OK")
        let workshop = try workshop()
        try await prepare(workshop)
        let before = try inForce()
        try workshop.keepFormer()
        // Stopped, on trial.
        workshop.retract()
        #expect(throws: TunnelError.self) { try LaunchFile.read(in: tunnel) }
        #expect(await !workshop.putBackFormer(.token))
        try FileManager.default.removeItem(atPath: directory + "/credentials.json")
        #expect(await workshop.putBackFormer(.named))
        #expect(try inForce() == before)
        #expect(await !workshop.putBackFormer(.named))
        // Kept once more, and something else is for good.
        try workshop.keepFormer()
        workshop.retract()
        workshop.forgetFormer()
        #expect(try inForce().keys.sorted() == ["config.yml"])
    }

    /// Each `TUNNEL_*` would be a setting of cloudflared's.
    @Test func environment_isOurMarksAndAPathAlone() {
        let given = [
            "TUNNEL_TRANSPORT_PROTOCOL": "http2", "TUNNEL_TOKEN": "x", "NO_AUTOUPDATE": "false", "HOME": "/root",
            "PATH": "/evil", "NOTIFY_SOCKET": "/s", "NEXUS_LIFE": "life", "NEXUS_RUN_ID": "run",
            "NEXUS_CHILD": "cloudflared", "NEXUS_TUNNEL": "{}", "LD_PRELOAD": "/x.so",
        ]
        #expect(
            LaunchFile.environment(of: given) == [
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "NEXUS_LIFE=life",
                "NEXUS_RUN_ID=run", "NEXUS_CHILD=cloudflared",
            ])
    }
}

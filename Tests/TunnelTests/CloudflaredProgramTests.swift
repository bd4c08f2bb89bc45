import Foundation
import Testing
import Tunnel

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
    }

    @Test func directoryOrUnexecutable_isNoProgram() {
        #expect(CloudflaredProgram.isExecutableFile("/bin/sh"))
        #expect(!CloudflaredProgram.isExecutableFile("/tmp"))
        #expect(!CloudflaredProgram.isExecutableFile("/etc/passwd"))
        #expect(!CloudflaredProgram.isExecutableFile("/no/such"))
    }

    /// Nobody else looks at it before a start by the child's name.
    @Test func launch_asksAnotherFileWhatItIs() async throws {
        let path = "/tmp/nexus-cloudflared-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        func lay(_ version: String) throws {
            try "#!/bin/sh\necho \(version)\n".write(toFile: path, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }
        func launch(_ file: CloudflaredProgram.FileMark?) -> LaunchFile {
            LaunchFile(
                program: path, file: file, configuration: "/c", identity: .quick, metricsPort: 1, transport: .auto)
        }
        try lay("2026.8.2")
        let file = try await CloudflaredProgram.find(among: [path]).file
        for known in [file, nil] { try await launch(known).checkProgram() }
        try lay("2024.12.2")
        for known in [file, nil] {
            let error = await #expect(throws: TunnelError.self) { try await launch(known).checkProgram() }
            #expect(error?.description.contains("cloudflared 2024.12.2, and 2025.4.0 or newer is needed") == true)
        }
        try lay("2026.9.0")
        try await launch(file).checkProgram()
    }

    @Test func programOnDisk_isTheSameAnotherOrGone_andWithoutLeaveItSaysWhatToType() async throws {
        let path = "/tmp/nexus-cloudflared-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try "#!/bin/sh\necho 2026.8.2\n".write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        let error = await #expect(throws: TunnelError.self) { try await CloudflaredProgram.find(among: [path]) }
        #expect(error?.description == "\(path) may not be executed: chmod +x \(path)")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        let program = try await CloudflaredProgram.find(among: ["/etc/passwd", path])
        #expect(await program.onDisk() == .same)
        // Not taken before it may be executed, which is asked anew each time.
        try "#!/bin/sh\necho 2026.8.3\n\n".write(toFile: path, atomically: true, encoding: .utf8)
        let refused = await program.onDisk()
        #expect(refused == .refused("\(path) may not be executed: chmod +x \(path)"))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        let another = await program.onDisk(known: refused)
        #expect(another == .another(try #require(CloudflaredProgram.FileMark(path: path))))
        #expect(await program.onDisk(known: another) == another)
        try FileManager.default.removeItem(atPath: path)
        #expect(await program.onDisk(known: another) == .gone)
    }

    @Test func version_isReadOrItIsNotCloudflared() {
        #expect(ProgramVersion(output: "2026.8.2\n")?.description == "2026.8.2")
        #expect(ProgramVersion(output: "DEV")?.isEnough == true)
        for bad in ["", "1.2.3", "cloudflared version 2026.8.2", "2026.8", "2026.8.x", "2026..2"] {
            #expect(ProgramVersion(output: bad) == nil, "\(bad)")
        }
    }

    @Test(arguments: [
        ("2025.4.0", true), ("2025.4.1", true), ("2026.1.0", true), ("2025.3.9", false), ("2024.12.2", false),
    ])
    func version_isEnoughFrom2025_4(_ text: String, _ isEnough: Bool) {
        #expect(ProgramVersion(output: text)?.isEnough == isEnough)
    }

    /// Too old; it fails though it says a version; it crashes; it does not end.
    @Test(arguments: [
        ("echo 2024.1.0", "is cloudflared 2024.1.0, and 2025.4.0 or newer is needed; install it: "),
        ("echo 2026.8.2; exit 3", "is not cloudflared: `version --short` does not answer with a version"),
        ("echo 2026.8.2; kill -9 $$", "version --short did not end within 5.0 seconds, or crashed"),
        ("echo 2026.8.2; exec sleep 60", "version --short did not end within 5.0 seconds, or crashed"),
    ]) func programThatIsNoneToBeUsed_isRefusedInWords_andTheNextIsTaken(_ script: String, _ words: String) async throws
    {
        let directory = "/tmp/nexus-cloudflared-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        func lay(_ name: String, _ script: String) throws -> String {
            let path = "\(directory)/\(name)"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try "#!/bin/sh\n\(script)\n".write(toFile: path, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
            return path
        }
        let bad = try lay("bad", script)
        let began = ContinuousClock.now
        let error = await #expect(throws: TunnelError.self) { try await CloudflaredProgram.find(among: [bad]) }
        #expect(error?.description.hasPrefix("\(bad) \(words)") == true, "\(error?.description ?? "")")
        #expect(.now - began < .seconds(20))
        // Only for those that end at once: the limit is waited for once a test.
        guard !script.contains("sleep") else { return }
        let good = try lay("good", "echo 2026.8.2")
        #expect(try await CloudflaredProgram.find(among: [bad, good]).path == good)
    }

    @Test func nothingInstalled_saysHowToInstallIt() async {
        let error = await #expect(throws: TunnelError.self) {
            try await CloudflaredProgram.find(among: ["/no/such/cloudflared", "/neither"])
        }
        #expect(error?.description.contains("https://pkg.cloudflare.com") == true)
        let wrong = await #expect(throws: TunnelError.self) { try await CloudflaredProgram.find(among: ["/bin/true"]) }
        #expect(wrong?.description.contains("/bin/true is not cloudflared") == true)
    }
}

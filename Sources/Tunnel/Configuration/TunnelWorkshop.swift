import Foundation
import Glibc

/// Makes what a start of cloudflared needs, in the tunnel's private directory: each step is checked before the next, and
/// nothing in force is touched until all are.
public struct TunnelWorkshop: Hashable, Sendable {
    /// What the owner wrote.
    public let settings: TunnelSettings
    /// Absolute, 0700.
    public let directory: String
    private let searchPath: String
    private let home: String?

    /// - Parameter environment: of tunnel-worker: where cloudflared is looked for.
    public init(settings: TunnelSettings, directory: String, environment: [String: String]) {
        self.settings = settings
        self.directory = directory
        searchPath = environment["PATH"] ?? ""
        home = environment["HOME"]
    }

    /// Takes away what a look that was cut off has left.
    public func sweep() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for name in names where name.hasPrefix("candidate-") { unlink(directory + "/" + name) }
    }

    /// What a start will use, or what runs does.
    public struct Preparation: Hashable, Sendable {
        /// It was asked for its version a moment ago.
        public var program: CloudflaredProgram
        /// Where it will answer.
        public var metrics: MetricsPort
    }

    private struct Draft {
        var identity: TunnelConfiguration.Identity
        var program: CloudflaredProgram
        var text: String
    }

    /// Where cloudflared writes its lines a second time.
    public var logFile: String { directory + "/log/cloudflared.log" }
    private var configuration: String { directory + "/config.yml" }

    /// Looks whether a mode could be started: program, settings, and what cloudflared says about the configuration.
    public func check(_ mode: TunnelMode) async throws(TunnelError) {
        guard let draft = try await draft(mode, .auto, try MetricsPort.free()) else { return }
        try await validate(draft)
    }

    /// Puts in force what a start in this mode needs. The error names what to mend; then all is as it was.
    public func prepare(_ mode: TunnelMode, _ transport: TunnelMachine.Transport) async throws(TunnelError)
        -> Preparation?
    {
        let port = try MetricsPort.free()
        guard let draft = try await draft(mode, transport, port) else { return nil }
        try await validate(draft)
        try ConfigurationFile.write(draft.text, to: configuration)
        try LaunchFile(
            program: draft.program.path, configuration: configuration, identity: draft.identity, metricsPort: port,
            transport: transport
        ).write(in: directory)
        return Preparation(program: draft.program, metrics: MetricsPort(port: port))
    }

    /// What is in force, when it is what this mode would be given now: a cloudflared that runs on it need not be disturbed.
    public func inForce(_ mode: TunnelMode) async -> Preparation? {
        guard let launch = try? LaunchFile.read(in: directory),
            let draft = try? await draft(mode, launch.transport, launch.metricsPort),
            draft.text == (try? String(contentsOfFile: configuration, encoding: .utf8)),
            launch.program == draft.program.path
        else { return nil }
        return Preparation(program: draft.program, metrics: MetricsPort(port: launch.metricsPort))
    }

    /// cloudflared, as it is found now.
    func program() async throws(TunnelError) -> CloudflaredProgram {
        let configured = settings.program.isEmpty ? nil : settings.program
        return try await CloudflaredProgram.find(
            among: CloudflaredProgram.candidates(configured: configured, searchPath: searchPath, home: home))
    }

    /// The same place with other settings.
    func changed(to settings: TunnelSettings) -> TunnelWorkshop { TunnelWorkshop(self, settings) }

    private init(_ other: TunnelWorkshop, _ settings: TunnelSettings) {
        self.settings = settings
        directory = other.directory
        searchPath = other.searchPath
        home = other.home
    }

    private func draft(
        _ mode: TunnelMode, _ transport: TunnelMachine.Transport, _ port: UInt16
    ) async throws(TunnelError) -> Draft? {
        guard let identity = try settings.identity(mode) else { return nil }
        let program = try await program()
        let configuration = try TunnelConfiguration(
            identity: identity, hostname: identity == .quick ? nil : settings.hostname,
            chatSocket: settings.chatSocket, metricsPort: port, transport: transport, logDirectory: directory + "/log")
        return Draft(identity: identity, program: program, text: try configuration.yaml())
    }

    private func validate(_ draft: Draft) async throws(TunnelError) {
        // An owner's answers may be looked at while a start is prepared.
        let candidate = directory + "/candidate-\(UUID().uuidString).yml"
        try ConfigurationFile.write(draft.text, to: candidate)
        defer { unlink(candidate) }
        try await draft.program.validate(candidate)
    }
}

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

    private func draft(
        _ mode: TunnelMode, _ transport: TunnelMachine.Transport, _ port: UInt16
    ) async throws(TunnelError) -> Draft? {
        guard let identity = try settings.identity(mode) else { return nil }
        let configured = settings.program.isEmpty ? nil : settings.program
        let program = try await CloudflaredProgram.find(
            among: CloudflaredProgram.candidates(configured: configured, searchPath: searchPath, home: home))
        let configuration = try TunnelConfiguration(
            identity: identity, hostname: identity == .quick ? nil : settings.hostname,
            chatSocket: settings.chatSocket, metricsPort: port, transport: transport, logDirectory: directory + "/log")
        return Draft(identity: identity, program: program, text: try configuration.yaml())
    }

    private func validate(_ draft: Draft) async throws(TunnelError) {
        let candidate = directory + "/candidate.yml"
        try ConfigurationFile.write(draft.text, to: candidate)
        defer { unlink(candidate) }
        try await draft.program.validate(candidate)
    }
}

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
    private let accepted: String?
    private let home: String?

    /// - Parameter environment: of tunnel-worker: where cloudflared is looked for.
    public init(settings: TunnelSettings, directory: String, environment: [String: String]) {
        self.settings = settings
        self.directory = directory
        searchPath = environment["PATH"] ?? ""
        accepted = environment["NEXUS_PROGRAMS"]
        home = environment["HOME"]
    }

    /// Takes away what a look that was cut off has left.
    public func sweep() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for name in names where name.hasPrefix("candidate-") { unlink(directory + "/" + name) }
    }

    /// Somebody took its directory away.
    public var isGone: Bool { access(directory, F_OK) != 0 && errno == ENOENT }

    /// nexusd makes it at each start of tunnel-worker; what is to be written meanwhile needs it too.
    private func makeDirectory() throws(TunnelError) {
        guard isGone, mkdir(directory, 0o700) != 0, errno != EEXIST else { return }
        throw TunnelError("\(directory) is gone, and cannot be made again: \(String(cString: strerror(errno)))")
    }

    /// What a start will use, or what runs does.
    public struct Preparation: Hashable, Sendable {
        /// It was asked for its version a moment ago; nil: it does not say it any more, though it runs.
        public var program: CloudflaredProgram?
        /// Of its configuration.
        public var mode: TunnelMode
        /// In its configuration; nil: its names stand in the rules that are pushed to it, or Cloudflare gives one.
        public var hostname: String?
        /// Where it will answer.
        public var metrics: MetricsPort
    }

    private struct Draft {
        var identity: TunnelConfiguration.Identity
        var program: CloudflaredProgram
        var hostname: String?
        var kept: KeptSecret?
        var text: String
    }

    /// Where cloudflared writes its lines a second time.
    public var logFile: String { directory + "/log/cloudflared.log" }
    var configuration: String { directory + "/config.yml" }

    /// Looks whether a mode could be started: program, settings, and what cloudflared says about the configuration.
    public func check(_ mode: TunnelMode) async throws(TunnelError) {
        guard let draft = try await draft(mode, .auto, try MetricsPort.free(), .seconds(1)) else { return }
        try makeDirectory()
        try ConfigurationFile.check(configuration)
        try LaunchFile.check(in: directory)
        try await validate(draft)
    }

    /// Puts in force what a start in this mode needs. The error names what to mend; then all is as it was.
    /// - Parameters:
    ///   - stopTimeout: of the child.
    ///   - after: its run that ended last.
    public func prepare(
        _ mode: TunnelMode, _ transport: TunnelMachine.Transport, stopTimeout: Duration, after: String?
    ) async throws(TunnelError) -> Preparation? {
        let port = try MetricsPort.free()
        guard let draft = try await draft(mode, transport, port, GracePeriod.of(stopTimeout: stopTimeout)) else {
            return nil
        }
        try makeDirectory()
        try await validate(draft)
        try draft.kept?.follow()
        try ConfigurationFile.write(draft.text, to: configuration)
        try LaunchFile(
            program: draft.program.path, file: draft.program.file, configuration: configuration,
            identity: draft.identity, metricsPort: port,
            transport: transport, hostname: draft.hostname, after: after, kept: draft.kept
        ).write(in: directory)
        KeptSecret.sweep(directory, but: draft.kept, LaunchFile.former(in: directory)?.kept)
        return Preparation(
            program: draft.program, mode: mode, hostname: draft.hostname, metrics: MetricsPort(port: port))
    }

    /// What is in force, when it is what this mode would be given now: a cloudflared that runs on it need not be disturbed.
    public func inForce(_ mode: TunnelMode, stopTimeout: Duration) async -> Preparation? {
        guard let launch = try? LaunchFile.read(in: directory),
            let draft = try? await draft(
                mode, launch.transport, launch.metricsPort, GracePeriod.of(stopTimeout: stopTimeout)),
            draft.text == (try? String(contentsOfFile: configuration, encoding: .utf8)),
            launch.program == draft.program.path
        else { return nil }
        return Preparation(
            program: draft.program, mode: mode, hostname: draft.hostname, metrics: MetricsPort(port: launch.metricsPort)
        )
    }

    /// What was put in force last, whatever the settings say now; nil: nothing is.
    /// - Parameter mode: of a file that does not say it.
    public func standing(_ mode: TunnelMode) async -> Preparation? {
        guard let launch = try? LaunchFile.read(in: directory) else { return nil }
        return Preparation(
            program: try? await CloudflaredProgram.find(among: [launch.program]), mode: launch.mode ?? mode,
            hostname: launch.hostname, metrics: MetricsPort(port: launch.metricsPort))
    }

    /// True: a run of the child ended that was begun by what is in force, and not the one before it.
    public func isAfterStart(_ run: String) -> Bool {
        guard let launch = try? LaunchFile.read(in: directory) else { return false }
        return launch.mode != nil && launch.after != run
    }

    /// Nothing is in force any more: a start of the child by its name ends with words. No secret is kept but that of a `keepFormer`.
    public func retract() {
        LaunchFile.remove(in: directory)
        KeptSecret.sweep(directory, but: LaunchFile.former(in: directory)?.kept)
    }

    /// The same while something holds the tunnel; what was in force is kept for `takeBack`.
    public func setAside() { LaunchFile.setAside(in: directory) }

    /// Puts in force again what was so last; false: nothing was.
    public func takeBack() -> Bool { LaunchFile.takeBack(in: directory) }

    /// The mode of what was in force last, and may be taken back; nil: nothing was, or its program does not answer any more.
    public func lastMode() async -> TunnelMode? {
        guard let launch = LaunchFile.last(in: directory),
            (try? await CloudflaredProgram.find(among: [launch.program])) != nil
        else { return nil }
        return launch.mode
    }

    /// The secret in force becomes what the owner's file says by now; the error names what is wrong with that, and then it stays as
    /// it is. True: it is another one.
    public func follow(_ mode: TunnelMode) throws(TunnelError) -> Bool {
        guard let identity = try settings.identity(mode), let kept = KeptSecret(identity, in: directory),
            LaunchFile.last(in: directory)?.kept == kept
        else { return false }
        return try kept.follow()
    }

    /// cloudflared, as it is found now.
    func program() async throws(TunnelError) -> CloudflaredProgram {
        let configured = settings.program.isEmpty ? nil : settings.program
        let candidates = CloudflaredProgram.candidates(
            configured: configured, accepted: accepted, searchPath: searchPath, home: home)
        do throws(TunnelError) {
            return try await CloudflaredProgram.find(among: candidates)
        } catch {
            throw configured == nil ? error : TunnelError("[tunnel] program: \(error)")
        }
    }

    /// The same place with other settings.
    func changed(to settings: TunnelSettings) -> TunnelWorkshop { TunnelWorkshop(self, settings) }

    private init(_ other: TunnelWorkshop, _ settings: TunnelSettings) {
        self.settings = settings
        directory = other.directory
        searchPath = other.searchPath
        accepted = other.accepted
        home = other.home
    }

    private func draft(
        _ mode: TunnelMode, _ transport: TunnelMachine.Transport, _ port: UInt16, _ gracePeriod: Duration
    ) async throws(TunnelError) -> Draft? {
        guard let identity = try settings.identity(mode) else { return nil }
        let program = try await program()
        let hostname = identity == .quick ? nil : settings.hostname
        let kept = KeptSecret(identity, in: directory)
        let configuration = try TunnelConfiguration(
            identity: identity.proved(by: kept), hostname: hostname, chatSocket: settings.chatSocket, metricsPort: port,
            transport: transport, logDirectory: directory + "/log", gracePeriod: gracePeriod)
        return Draft(
            identity: identity, program: program, hostname: hostname, kept: kept, text: try configuration.yaml())
    }

    private func validate(_ draft: Draft) async throws(TunnelError) {
        // An owner's answers may be looked at while a start is prepared.
        let candidate = directory + "/candidate-\(UUID().uuidString).yml"
        try ConfigurationFile.write(draft.text, to: candidate)
        defer { unlink(candidate) }
        try await draft.program.validate(candidate)
    }
}

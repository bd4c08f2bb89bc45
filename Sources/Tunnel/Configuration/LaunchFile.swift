import Foundation
import Glibc

/// What the child `cloudflared` runs, written by tunnel-worker: which program, and the words that only the mode decides.
///
/// The child's command is `tunnel-worker --launch DIR`, which reads this and becomes cloudflared by exec: the program may lie
/// where only tunnel-worker's search finds it, a quick tunnel is begun by other words than a named one, and of nexusd's
/// environment only its own marks reach it (each `TUNNEL_*` would change what it does).
public struct LaunchFile: Hashable, Sendable, Codable {
    /// cloudflared, absolute.
    public var program: String
    /// Of its file when it was asked for its version; nil: written by an older tunnel-worker.
    public var file: CloudflaredProgram.FileMark?
    /// Behind the program's name.
    public var arguments: [String]
    /// Where it will answer, for a tunnel-worker that comes later.
    public var metricsPort: UInt16
    /// As its configuration has it.
    public var transport: TunnelMachine.Transport
    /// Of what is in force, also when Supervisor.toml says something else by now; nil: written by an older tunnel-worker.
    public var mode: TunnelMode?
    /// The name in its configuration.
    public var hostname: String?
    /// The run of the child that had ended last when this was written: the end of a later one is this one's.
    public var after: String?
    /// What it proves itself by; nil: a quick tunnel.
    public var kept: KeptSecret?

    private static let name = "launch.json"
    /// Where it lies while something holds the tunnel: nobody's start finds it there.
    private static let asideName = "launch.aside.json"
    /// Where a change on trial leads back to.
    private static let formerName = "launch.former.json"

    /// Of a tunnel with this configuration.
    public init(
        program: String, file: CloudflaredProgram.FileMark? = nil, configuration: String,
        identity: TunnelConfiguration.Identity, metricsPort: UInt16,
        transport: TunnelMachine.Transport, hostname: String? = nil, after: String? = nil, kept: KeptSecret? = nil
    ) {
        self.kept = kept
        self.file = file
        self.metricsPort = metricsPort
        self.hostname = hostname
        self.after = after
        mode =
            switch identity {
            case .named: .named
            case .token: .token
            case .quick: .quick
            }
        self.transport = transport
        self.program = program
        arguments = ["tunnel", "--config", configuration, "--no-autoupdate"]
        switch identity {
        case .named, .token: arguments.append("run")
        // What begins a quick tunnel; the rule in the file says where to (cloudflared.md: an `ingress` beats it).
        case .quick: arguments += ["--url", "http://127.0.0.1:9"]
        }
    }

    /// Writes it into the tunnel's directory.
    public func write(in directory: String) throws(TunnelError) {
        try write(to: directory + "/" + Self.name)
        unlink(directory + "/" + Self.asideName)
    }

    /// Beside what comes to be in force.
    func writeFormer(in directory: String) throws(TunnelError) { try write(to: directory + "/" + Self.formerName) }

    private func write(to path: String) throws(TunnelError) {
        let encoder = JSONEncoder()
        // The same is the same file.
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else { return }
        try ConfigurationFile.write(String(decoding: data, as: UTF8.self), to: path)
    }

    /// Takes it away: as long as there is none, whoever starts the child by its name opens nothing.
    static func remove(in directory: String) {
        unlink(directory + "/" + name)
        unlink(directory + "/" + asideName)
    }

    /// The same, but for `takeBack`.
    static func setAside(in directory: String) { rename(directory + "/" + name, directory + "/" + asideName) }

    /// What was set aside lies there for a start again, unless something newer does; false: neither is there.
    static func takeBack(in directory: String) -> Bool {
        access(directory + "/" + name, F_OK) == 0
            || rename(directory + "/" + asideName, directory + "/" + name) == 0
    }

    /// As `read`, of what was set aside too; nil: there is neither.
    static func last(in directory: String) -> LaunchFile? {
        (try? read(directory + "/" + name)) ?? (try? read(directory + "/" + asideName))
    }

    /// Nil: there is none.
    static func former(in directory: String) -> LaunchFile? { try? read(directory + "/" + formerName) }

    /// It lies there for a start again; false: there is none.
    static func putBackFormer(in directory: String) -> Bool {
        guard rename(directory + "/" + formerName, directory + "/" + name) == 0 else { return false }
        unlink(directory + "/" + asideName)
        return true
    }

    /// True: there was one.
    static func removeFormer(in directory: String) -> Bool { unlink(directory + "/" + formerName) == 0 }

    /// Whether it could be written.
    static func check(in directory: String) throws(TunnelError) {
        try ConfigurationFile.check(directory + "/" + name)
    }

    /// Reads it from there.
    public static func read(in directory: String) throws(TunnelError) -> LaunchFile {
        try read(directory + "/" + name)
    }

    private static func read(_ path: String) throws(TunnelError) -> LaunchFile {
        guard let data = try SmallFile.read(path) else {
            let directory = (path as NSString).deletingLastPathComponent
            guard access(directory, F_OK) == 0 else {
                throw TunnelError(
                    "\(directory) is gone, and with it what was to be started: nexusctl tunnel start makes it anew")
            }
            throw TunnelError(
                "there is nothing to start, so nothing was opened: the tunnel is off, or held back; nexusctl tunnel says why, "
                    + "and how it goes on")
        }
        guard let launch = try? JSONDecoder().decode(LaunchFile.self, from: data), launch.program.hasPrefix("/") else {
            throw TunnelError("\(path) is damaged; it is written anew by: nexusctl tunnel start")
        }
        return launch
    }

    /// By these nexusd finds what an earlier one of it has left; they change nothing in cloudflared.
    private static let kept = ["NEXUS_LIFE", "NEXUS_RUN_ID", "NEXUS_CHILD"]

    /// What cloudflared gets of the environment that nexusd gave its child.
    static func environment(of given: [String: String]) -> [String] {
        // HOME it does not need; without PATH a program that is a script would not find its interpreter's helpers.
        ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
            + kept.compactMap { name in given[name].map { "\(name)=\($0)" } }
    }

    /// Another file may lie there since it was asked what it is: by its name, or after a crash, it is started without
    /// tunnel-worker. It is asked then; the error is that of a start by tunnel-worker.
    public func checkProgram() async throws(TunnelError) {
        if let file, CloudflaredProgram.FileMark(path: program) == file { return }
        _ = try await CloudflaredProgram.find(among: [program])
    }

    /// Becomes cloudflared; returns only when that failed.
    /// - Parameter given: what this process has of nexusd.
    public func run(environment given: [String: String]) -> TunnelError {
        var arguments = ([program] + arguments).map { strdup($0) } + [nil]
        var environment = Self.environment(of: given).map { strdup($0) } + [nil]
        // A thread of libdispatch's has nearly all signals blocked, and what is executed would keep that.
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
        execve(program, &arguments, &environment)
        return TunnelError("cannot start \(program): \(String(cString: strerror(errno)))")
    }
}

/// The file and the two directories nexusd works with, all absolute.
public struct Directories: Hashable, Sendable {
    /// Supervisor.toml.
    public var config: String
    /// What lasts: logs, databases, the kept plan.
    public var state: String
    /// What goes with a reboot: lock, sockets, PID files, credentials.
    public var runtime: String

    /// The options win, then NEXUS_STATE_DIRECTORY and NEXUS_RUNTIME_DIRECTORY, which nexusctl goes by as well; else root has
    /// the system's places and everybody else those of the XDG base directory specification. `variable` reads nexusd's own
    /// environment.
    public static func resolve(
        _ options: Options, root: Bool, current: String, variable: (String) -> String?
    ) throws(StartError) -> Directories {
        func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : current + "/" + path }
        func given(_ option: String?, _ name: String) -> String? {
            (option ?? variable(name)).flatMap { $0.isEmpty ? nil : absolute($0) }
        }
        /// The specification: a relative path in such a variable is to be ignored.
        func base(_ name: String) -> String? { variable(name).flatMap { $0.hasPrefix("/") ? $0 : nil } }
        func base(_ name: String, else below: String, for option: String) throws(StartError) -> String {
            if let given = base(name) { return given }
            guard let home = base("HOME") else {
                throw .usage("HOME is not set, so \(option) has no default; give it")
            }
            return home + below
        }

        let state: String
        if let given = given(options.state, "NEXUS_STATE_DIRECTORY") {
            state = given
        } else if root {
            state = "/var/lib/nexus"
        } else {
            state = try base("XDG_STATE_HOME", else: "/.local/state", for: "--state") + "/nexus"
        }
        let config: String
        if let given = options.config {
            config = absolute(given)
        } else if root {
            config = "/etc/nexus/Supervisor.toml"
        } else {
            config = try base("XDG_CONFIG_HOME", else: "/.config", for: "--config") + "/nexus/Supervisor.toml"
        }
        let runtime: String
        if let given = given(options.runtime, "NEXUS_RUNTIME_DIRECTORY") {
            runtime = given
        } else if root {
            runtime = "/run/nexus"
        } else {
            runtime = base("XDG_RUNTIME_DIR").map { $0 + "/nexus" } ?? state + "/run"
        }
        return Directories(config: config, state: state, runtime: runtime)
    }
}

import Glibc

/// Where the supervisor that is asked has its two directories.
public struct Locations: Hashable, Sendable {
    /// What lasts: logs, databases. Absolute.
    public var state: String
    /// What goes with a reboot: sockets. Absolute.
    public var runtime: String

    /// Both.
    public init(state: String, runtime: String) {
        self.state = state
        self.runtime = runtime
    }

    /// Options first, then `NEXUS_STATE_DIRECTORY` and `NEXUS_RUNTIME_DIRECTORY`, then the places nexusd itself takes
    /// for this user: root the system's, everybody else those of the XDG base directory specification (which says that
    /// a relative path in its variables is to be ignored). Who named nothing and runs no supervisor of their own, as
    /// `isThere` says of its control socket, asks the system's where there is one.
    public static func resolve(
        state stateOption: String? = nil, runtime runtimeOption: String? = nil, isRoot: Bool, current: String,
        isThere: (String) -> Bool = { _ in false }, variable: (String) -> String?
    ) throws(ControlError) -> Locations {
        let names = ["NEXUS_STATE_DIRECTORY", "NEXUS_RUNTIME_DIRECTORY"]
        let isFree = stateOption == nil && runtimeOption == nil && !names.contains { variable($0)?.isEmpty == false }
        let isSystemThere = isFree && !isRoot && isThere(system.controlSocket)
        do throws(ControlError) {
            let own = try ofUser(stateOption, runtimeOption, isRoot: isRoot, current: current, variable: variable)
            return isSystemThere && !isThere(own.controlSocket) ? system : own
        } catch {
            if isSystemThere { return system }
            throw error
        }
    }

    /// Root's.
    private static let system = Locations(state: "/var/lib/nexus", runtime: "/run/nexus")

    private static func ofUser(
        _ stateOption: String?, _ runtimeOption: String?, isRoot: Bool, current: String, variable: (String) -> String?
    ) throws(ControlError) -> Locations {
        func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : current + "/" + path }
        func given(_ option: String?, _ name: String) -> String? {
            (option ?? variable(name)).flatMap { $0.isEmpty ? nil : absolute($0) }
        }
        func base(_ name: String) -> String? { variable(name).flatMap { $0.hasPrefix("/") ? $0 : nil } }

        let givenRuntime = given(runtimeOption, "NEXUS_RUNTIME_DIRECTORY")
        let state: String
        if let given = given(stateOption, "NEXUS_STATE_DIRECTORY") {
            state = given
        } else if isRoot {
            state = system.state
        } else if let base = base("XDG_STATE_HOME") ?? base("HOME").map({ $0 + "/.local/state" }) {
            state = base + "/nexus"
        } else if givenRuntime != nil || base("XDG_RUNTIME_DIR") != nil {
            // Only `logs` reads the state directory; whoever gave the other one gets everything else.
            state = "/nonexistent"
        } else {
            throw ControlError(
                .usage, "HOME is not set, so the directories have no default",
                hint: "give --runtime DIR and --state DIR")
        }
        let runtime = givenRuntime ?? (isRoot ? system.runtime : base("XDG_RUNTIME_DIR").map { $0 + "/nexus" })
        return Locations(state: state, runtime: runtime ?? state + "/run")
    }

    /// The same for this process.
    public static func ofThisProcess(state: String? = nil, runtime: String? = nil) throws(ControlError) -> Locations {
        let current = getcwd(nil, 0).map { path in
            defer { free(path) }
            return String(cString: path)
        }
        return try resolve(
            state: state, runtime: runtime, isRoot: geteuid() == 0, current: current ?? "/",
            isThere: { access($0, F_OK) == 0 }, variable: { name in getenv(name).map { String(cString: $0) } })
    }

    /// The control socket.
    public var controlSocket: String { runtime + "/control.sock" }
    /// A nexusd that lives, or that was killed: what it started may go on (docs/containment.md). Not after one that ended in order.
    public var hasLife: Bool {
        var about = stat()
        return lstat(runtime + "/life", &about) == 0
    }
    /// log-writer's files.
    public var logs: String { state + "/logs" }
}

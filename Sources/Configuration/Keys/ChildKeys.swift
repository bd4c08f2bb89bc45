import SupervisorCore

/// Keys of `[child.NAME]`.
enum ChildKeys {
    static let command = Key.texts(
        "command", of: "strings", shape: .list(of: .form(.template), count: 1...Int.max), shown: "required",
        "Program and arguments; a bare name is looked up beside nexusd, among the accepted copies (`nexusctl update`), then in PATH."
    )
    static let fallback = Key.texts(
        "fallback", of: "strings", shown: "none",
        "Command that is used instead when the program of `command` is not installed.")
    static let fallbackHint = Key.text(
        "fallback-hint", shown: "none", "What to say when the fallback is used, for example how to install the program."
    )
    static let enabled = Key.flag("enabled", true, "Started with the tree; false: off until a command starts it.")
    static let requires = Key.texts(
        "requires", of: "child names", shape: .names(.child),
        "Started when each of these is ready, stopped before them; keeps running while they restart.")
    static let after = Key.texts(
        "after", of: "child names", shape: .names(.child),
        "Order only: started after each of these is ready, parked, done or off.")
    static let critical = Key.flag("critical", false, "When this child is parked, its whole group is.")
    static let significant = Key.flag(
        "significant", false,
        "When this child ends by itself for good, the tree ends in order and nexusd with the child's exit status.")
    static let restart = Key.word(
        "restart", "always", [("always", .always), ("on-failure", .onFailure), ("never", .never)],
        value: RestartRule.always, "When an ended run is replaced without anyone asking.")
    static let schedule = Key.table(
        "schedule", ScheduleKeys.section, shown: "none", "{ every = \"6h\" } or { at = [\"Mon..Fri 03:00\"] }",
        "The clock starts it, once each time, instead of keeping it running.")
    static let delay = Key.table(
        "delay", DelayKeys.section, "{ first = \"100ms\", cap = \"30s\" }",
        "Delay before a replacement, counted from the start of the last run.")
    static let intensity = Key.table(
        "intensity", IntensityKeys.section, shown: "none", "{ restarts = 5, window = \"1min\" }",
        "A further bound: more restarts than this within the window park the child.")
    static let worker = Key.flag("worker", false, "Speaks the bus on fds 3 and 4 (docs/bus-protocol.md).")
    static let may = Key.texts(
        "may", of: "grants", shape: .list(of: .form(.grant)),
        "What a worker may ask of nexusd: `status`, `start:NAME`, `stop:NAME`, `restart:NAME`, `health:NAME`.")
    static let peers = Key.texts(
        "peers", of: "child names", shape: .names(.child), "Workers that this worker may address.")
    static let stateDirectory = Key.text(
        "state-directory", shown: "none", range: "one name", form: .stateDirectory,
        "Directory below the state directory, made for the child's user (0700) and named by $STATE_DIRECTORY.")
    static let directory = Key.text(
        "directory", shown: "/", range: "absolute, or from `~/` or `./`", form: .templatePath,
        "Working directory; `~` is the home of the child's user, `.` the directory of this file.")
    static let pidFile = Key(
        "pid-file", type: "string or false", shape: .any([.form(.pidFile), .never]), initial: PidFile.named(nil),
        shown: "NAME.pid",
        range: "one name, or false",
        "File name in the runtime directory's `pid/`."
    ) { node throws(Mismatch) in
        if case .boolean(false) = node.value { return PidFile.none }
        guard case .string(let name) = node.value else { throw .kind("a file name or false", node) }
        return PidFile.named(name)
    }
    static let exits = Key.table(
        "exits", ExitKeys.section, "{ success = [0, \"SIGTERM\"], config = [78] }",
        "Exit codes and signals with a meaning of their own.")
    static let log = Key.table(
        "log", ChildLogKeys.section, "{ size = \"10MB\", files = 10 }", "Log options; defaults come from [log].")

    enum PidFile {
        case none
        case named(String?)
    }

    static let section = SectionInfo(
        title: "[child.NAME]", summary: "A child: one process that is kept alive. Its name: \(Name.form).",
        keys: [
            command.info, fallback.info, fallbackHint.info, enabled.info, requires.info, after.info, critical.info,
            significant.info, restart.info, schedule.info, delay.info, intensity.info, ChildReadyKeys.ready.info,
            ChildReadyKeys.liveness.info,
            ChildReadyKeys.watchdog.info, ChildReadyKeys.startTimeout.info, ChildStopKeys.timeout.info,
            ChildStopKeys.signal.info, ChildStopKeys.killGrace.info, ChildStopKeys.drain.info,
            ChildIdentityKeys.user.info, ChildIdentityKeys.group.info, ChildIdentityKeys.supplementary.info,
            directory.info, stateDirectory.info, ChildEnvironmentKeys.environment.info, ChildEnvironmentKeys.files.info,
            ChildEnvironmentKeys.secrets.info, SocketKeys.list.info, ChildBoundKeys.memory.info,
            ChildBoundKeys.processes.info, ChildBoundKeys.cpuWeight.info, ChildIdentityKeys.capabilities.info,
            ChildIdentityKeys.limits.info, ChildIdentityKeys.umask.info,
            ChildIdentityKeys.nice.info, ChildIdentityKeys.oomScore.info, ChildIdentityKeys.noNewPrivileges.info,
            pidFile.info, log.info, exits.info, worker.info, may.info, peers.info,
        ],
        rules: [
            .without("schedule", ["restart", "delay", "intensity"]), .onlyWith("may", flag: "worker"),
            .onlyWith("peers", flag: "worker"), .onlyWith("drain-timeout", flag: "worker"),
        ])
}

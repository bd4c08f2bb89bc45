import Plan
import SupervisorCore

/// Keys of a child about readiness and health.
enum ChildReadyKeys {
    static let ready = Key<Node?>(
        "ready", type: "word or table",
        shape: .any([.word(["spawned", "notify", "bus", "health", "done", "none"]), .section("ready")]), initial: nil,
        shown: "bus (workers), spawned (others)",
        range: "\"spawned\", \"notify\", \"bus\", \"health\", \"done\", \"none\" (= spawned), or a table",
        "How the child shows that it serves."
    ) { node throws(Mismatch) in node }
    static let liveness = Key.table(
        "liveness", LivenessKeys.section, shown: "none", "{ tcp = \"127.0.0.1:8080\", interval = \"10s\" }",
        "A probe repeated while the child is ready.")
    static let watchdog = Key.duration(
        "watchdog", in: .milliseconds(10) ... .seconds(3600),
        "The child must send WATCHDOG=1 at least this often (sd_notify).")
    /// A one-shot works as long as it takes, up to this, where the file does not say how long.
    static let oneShotTimeout: Duration = .seconds(86_400)
    static let startTimeout = Key.duration(
        "start-timeout", ChildPolicy().startTimeout, .milliseconds(10) ... .seconds(86_400),
        "A run that is not ready by then is ended and counts as failed; for ready = \"done\" the default is 1d.")
}

/// Keys of a child about its end.
enum ChildStopKeys {
    static let timeout = Key.duration(
        "stop-timeout", StopRule().timeout, .zero ... .seconds(3600),
        "From the stop signal until what is left is killed.")
    static let signal = Key.text(
        "stop-signal", shown: "SIGTERM",
        range: "\(SignalName.names.joined(separator: ", ")), SIGRTMIN+N, all also without SIG",
        form: .stopSignal,
        "Signal that asks the child to stop.")
    static let killGrace = Key.duration(
        "kill-grace", StopRule().killGrace, .milliseconds(10) ... .seconds(600),
        "From SIGKILL until a run that is still there is called unkillable.")
    static let drain = Key.duration(
        "drain-timeout", in: .zero ... .seconds(3600), shown: "5s (workers)",
        "Workers are told to drain first and have this long to say `drained`.")
    /// The default of workers.
    static let workerDrain: Duration = .seconds(5)
}

/// Keys of `ready` as a table.
enum ReadyKeys {
    static let fd = Key.number("fd", in: 3...1023, "A newline written to this fd number (the way of s6).")
    static let logLine = Key.text(
        "log-line", form: .logLine,
        "A line of output contains this; `{name}` and `{name:int}` take values that siblings may name.")

    static let section = SectionInfo(
        title: "ready", summary: "`ready = { … }`: exactly one of fd, tcp, log-line, exec and http.",
        keys: [
            fd.info, ProbeKeys.tcp.info, logLine.info, ProbeKeys.exec.info, ProbeKeys.http.info,
            ProbeKeys.status.info, first.info, interval.info, ProbeKeys.timeout.info,
        ],
        rules: [.one(of: ["fd", "tcp", "log-line", "exec", "http"]), .beside("status", oneOf: ["http"])]
            + ["first", "interval", "timeout"].map { .beside($0, oneOf: ["tcp", "exec", "http"]) })

    static let first = Key.duration(
        "first", .zero, .zero ... .seconds(3600), "From the start of the run until the first probe.")

    static let interval = Key.duration(
        "interval", .milliseconds(250), .milliseconds(10) ... .seconds(3600), "Time between two probes.")
}

/// Keys of `liveness`.
enum LivenessKeys {
    static let interval = Key.duration(
        "interval", .seconds(10), .milliseconds(10) ... .seconds(3600), "Time between two probes.")
    static let first = Key.duration(
        "first", in: .zero ... .seconds(86_400), shown: "one interval", "From ready until the first probe.")
    static let misses = Key.number("misses", 3, 1...100, "Misses in a row before the run is ended.")

    static let section = SectionInfo(
        title: "liveness", summary: "`liveness = { … }`: exactly one of tcp, exec and http.",
        keys: [
            ProbeKeys.tcp.info, ProbeKeys.exec.info, ProbeKeys.http.info, ProbeKeys.status.info, first.info,
            interval.info, misses.info, ProbeKeys.timeout.info,
        ], rules: [.one(of: ["tcp", "exec", "http"]), .beside("status", oneOf: ["http"])])
}

/// Keys that both kinds of probes share.
enum ProbeKeys {
    static let tcp = Key.text(
        "tcp", range: "loopback address, or localhost (127.0.0.1), and port", form: .loopbackAddress,
        isAddress: true,
        "A TCP connection succeeds, for example \"127.0.0.1:8080\".")
    static let exec = Key.texts(
        "exec", of: "strings", shape: .command, "A command run with the child's user exits with 0.")
    static let http = Key.text(
        "http", range: "http:// and a loopback address, or localhost (127.0.0.1)",
        form: .loopbackURL,
        "A GET is answered with a status of `status`, for example \"http://127.0.0.1:8080/health\".")
    static let status = Key.statuses(
        "status", "Of `http`: status codes that are healthy, such as 401 or \"200-299\". Redirects are not followed.")
    static let timeout = Key.duration(
        "timeout", .seconds(2), .milliseconds(10) ... .seconds(600), "A probe that takes longer has failed.")
}

/// Keys of `delay`.
enum DelayKeys {
    private static let rule = DelayRule()
    static let first = Key.duration(
        "first", rule.first, .zero ... .seconds(3600), "Delay after the first unstable run; it doubles each time.")
    static let cap = Key.duration(
        "cap", rule.cap, .milliseconds(1) ... .seconds(86_400),
        "The delay grows up to this; after ends of `exits.network` never above 10s.")
    static let stableAfter = Key.duration(
        "stable-after", rule.stableAfter, .milliseconds(1) ... .seconds(86_400),
        "Ready time after which a run counts as stable and the delay starts over.")
    static let parkAfter = Key.number(
        "park-after", Int(rule.parkAfter), 1...1000, "Unstable runs in a row that park the child.")
    static let slowRetry = Key.durationOrNever(
        "slow-retry", .seconds(900), .milliseconds(10) ... .seconds(604_800),
        "A parked child is tried again after this; \"never\": it waits for a command.")

    static let section = SectionInfo(
        title: "delay", summary: "`delay = { … }`.",
        keys: [first.info, cap.info, stableAfter.info, parkAfter.info, slowRetry.info])
}

/// Keys of `intensity`.
enum IntensityKeys {
    static let restarts = Key.number("restarts", in: 1...1000, shown: "required", "Restarts that are allowed.")
    static let window = Key.duration(
        "window", in: .milliseconds(10) ... .seconds(604_800), shown: "required", "Sliding window.")

    static let section = SectionInfo(
        title: "intensity", summary: "`intensity = { … }`.", keys: [restarts.info, window.info])
}

/// Keys of `schedule`.
enum ScheduleKeys {
    static let every = Key.duration(
        "every", in: .seconds(1) ... .seconds(31_536_000),
        "This long after the last start; for the first time when the tree starts.")
    static let at = Key.texts(
        "at", of: "calendar times", shape: .list(of: .form(.calendar), count: 1...limit), shown: "none",
        "For example \"Mon..Fri 03:00\"; local time, see above.")
    /// Calendar times of one child.
    static let limit = 32

    static let section = SectionInfo(
        title: "schedule", summary: "`schedule = { … }`: exactly one of every and at.", keys: [every.info, at.info],
        rules: [.one(of: ["every", "at"])])
}

/// Keys of `exits`.
enum ExitKeys {
    static let success = Key.exits("success", ExitRule().success, "Success; 0 always is.")
    static let config = Key.exits("config", ExitRule().config, "Configuration errors: parked at once.")
    static let network = Key.exits(
        "network", ExitRule().network, "No network: tried for ever, at most 10s apart, never parked.")

    static let section = SectionInfo(
        title: "exits", summary: "`exits = { … }`.", keys: [success.info, config.info, network.info])
}

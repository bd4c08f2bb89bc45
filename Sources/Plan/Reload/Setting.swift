import SupervisorCore

/// One setting of a child, and whether a change of it needs another run. The one table of that: `diff`, `reload` and
/// docs/configuration.md go by it.
public struct Setting: Sendable {
    /// Whether a run goes on with it.
    public enum Effect: String, Hashable, Sendable, CaseIterable {
        /// What a process is given at its start.
        case restart
        /// What nexusd does with the process.
        case inPlace = "in place"
    }

    /// As in Supervisor.toml.
    public let name: String
    /// What a change of it means for a living run.
    public let effect: Effect
    /// The properties of ChildPlan, and of its policy, that make it up.
    let properties: [String]
    let isSame: @Sendable (ChildPlan, ChildPlan) -> Bool
    let words: @Sendable (ChildPlan, Plan) -> String

    private init<Value: Equatable & SendableMetatype>(
        _ name: String, _ effect: Effect, _ properties: String..., of value: @escaping @Sendable (ChildPlan) -> Value,
        words: @escaping @Sendable (Value, Plan) -> String
    ) {
        self.name = name
        self.effect = effect
        self.properties = properties
        isSame = { value($0) == value($1) }
        self.words = { words(value($0), $1) }
    }

    private init<Value: Equatable & SendableMetatype>(
        _ name: String, _ effect: Effect, _ properties: String..., of value: @escaping @Sendable (ChildPlan) -> Value,
        words: @escaping @Sendable (Value) -> String = { "\($0)" }
    ) {
        self.name = name
        self.effect = effect
        self.properties = properties
        isSame = { value($0) == value($1) }
        self.words = { child, _ in words(value(child)) }
    }

    /// All of them, in the order in which `diff` shows them.
    public static let all: [Setting] = launch + process + life + place

    private static let launch = [
        Setting("command", .restart, "executable", "arguments", of: CommandLine.init) { $0.words($1) },
        // The values of variables are compared one by one, and those that may be a secret never shown (`PlainVariables`).
        Setting("environment", .restart, "environment", of: \.environment) { _ in "" },
        Setting("secrets", .restart, "secretFiles", of: \.secretFiles) { list, plan in
            list.list { plan.secrets[Int($0)].name.quoted }
        },
        Setting("directory", .restart, "directory", of: \.directory),
        Setting("ready", .restart, "readiness", "ready", of: { Pair($0.readiness, $0.policy.ready) }) {
            SettingWords.ready($0.first, $0.second, $1)
        },
        Setting("watchdog", .restart, "watchdog", of: \.policy.watchdog) { SettingWords.time($0) },
        Setting("worker", .restart, "worker", of: { $0.worker != nil }),
    ]

    private static let process = [
        Setting("user", .restart, "identity", of: \.identity) { SettingWords.identity($0) },
        Setting("limits", .restart, "limits", of: \.limits) {
            $0.isEmpty ? "none" : $0.list { SettingWords.limit($0) }
        },
        Setting("memory.max", .restart, "bounds", of: \.bounds.memoryMax) { SettingWords.size($0) },
        Setting("memory.high", .restart, "bounds", of: \.bounds.memoryHigh) { SettingWords.size($0) },
        Setting("pids-max", .restart, "bounds", of: \.bounds.processes) { SettingWords.bound($0) },
        Setting("cpu-weight", .restart, "bounds", of: \.bounds.cpuWeight) { SettingWords.bound($0) },
        Setting("umask", .restart, "umask", of: \.umask) { umask in
            let octal = String(umask, radix: 8)
            return String(repeating: "0", count: max(0, 4 - octal.count)) + octal
        },
        Setting("nice", .restart, "nice", of: \.nice),
        Setting("oom-score-adjust", .restart, "oomScoreAdjust", of: \.oomScoreAdjust),
        Setting("no-new-privileges", .restart, "noNewPrivileges", of: \.noNewPrivileges),
        Setting("capabilities", .restart, "capabilities", of: \.capabilities) { SettingWords.capabilities($0) },
        Setting("sockets", .restart, "sockets", of: \.sockets) { $0.list { SettingWords.socket($0) } },
    ]

    private static let life = [
        Setting("enabled", .inPlace, "enabled", of: \.policy.enabled),
        Setting("restart", .inPlace, "restart", of: \.policy.restart) { SettingWords.restart($0) },
        Setting("schedule", .inPlace, "schedule", "calendar", of: ScheduleTimes.init) { $0.words },
        Setting("delay.first", .inPlace, "delay", of: \.policy.delay.first) { SettingWords.time($0) },
        Setting("delay.cap", .inPlace, "delay", of: \.policy.delay.cap) { SettingWords.time($0) },
        Setting("delay.stable-after", .inPlace, "delay", of: \.policy.delay.stableAfter) { SettingWords.time($0) },
        Setting("delay.park-after", .inPlace, "delay", of: \.policy.delay.parkAfter),
        Setting("delay.slow-retry", .inPlace, "delay", of: \.policy.delay.slowRetry) { SettingWords.retry($0) },
        Setting("intensity.restarts", .inPlace, "intensity", of: \.policy.intensity?.restarts) {
            SettingWords.bound($0)
        },
        Setting("intensity.window", .inPlace, "intensity", of: \.policy.intensity?.window) { SettingWords.time($0) },
        Setting("critical", .inPlace, "critical", of: \.policy.critical),
        Setting("ready.first", .inPlace, "firstProbe", of: \.policy.firstProbe) { SettingWords.time($0) },
        Setting("memory.recycle", .inPlace, "bounds", of: \.bounds.recycle) { SettingWords.recycle($0) },
        Setting("significant", .inPlace, "significant", of: \.policy.significant),
        Setting("start-timeout", .inPlace, "startTimeout", of: \.policy.startTimeout) { SettingWords.time($0) },
        Setting("liveness", .inPlace, "liveness", of: { Pair($0.liveness, $0.policy.liveness) }) {
            SettingWords.liveness($0.first, $0.second, $1)
        },
        Setting("drain-timeout", .inPlace, "stop", of: \.policy.stop.drain) { SettingWords.time($0) },
        Setting("stop-signal", .inPlace, "stop", of: \.policy.stop.signal) { SignalName.show($0) },
        Setting("stop-timeout", .inPlace, "stop", of: \.policy.stop.timeout) { SettingWords.time($0) },
        Setting("kill-grace", .inPlace, "stop", of: \.policy.stop.killGrace) { SettingWords.time($0) },
        Setting("exits.success", .inPlace, "exits", of: \.policy.exits.success) { SettingWords.exits($0) },
        Setting("exits.config", .inPlace, "exits", of: \.policy.exits.config) { SettingWords.exits($0) },
        Setting("exits.network", .inPlace, "exits", of: \.policy.exits.network) { SettingWords.exits($0) },
    ]

    private static let place = [
        Setting("group", .inPlace, "group", of: \.policy.group) { $1.name(of: $0) },
        Setting("requires", .inPlace, "requires", of: \.policy.requires) { $1.names(of: $0) },
        Setting("after", .inPlace, "after", of: \.policy.after) { $1.names(of: $0) },
        Setting("may", .inPlace, "worker", of: { $0.worker?.may ?? [] }) { list, plan in
            list.list { SettingWords.grant($0, plan).quoted }
        },
        Setting("peers", .inPlace, "worker", of: { $0.worker?.peers ?? [] }) { $1.names(of: $0) },
        Setting("pid-file", .inPlace, "pidFile", of: \.pidFile) { $0 ?? "none" },
        Setting("log", .inPlace, "log", of: \.log) { SettingWords.log($0) },
    ]

    /// Of one child, in words; nil for the environment, any part of which may be a secret.
    public func value(of child: ChildPlan, in plan: Plan) -> String? {
        name == "environment" ? nil : words(child, plan)
    }

    /// What is different between two plans of one child; the numbers in both mean the same.
    static func changes(
        from old: ChildPlan, _ oldPlan: Plan, to new: ChildPlan, _ newPlan: Plan
    ) -> [SettingChange] {
        var changes: [SettingChange] = []
        for setting in all where !setting.isSame(old, new) {
            if setting.name == "environment" {
                changes += SettingWords.variables(
                    from: old.environment, oldPlan, to: new.environment, newPlan)
            } else {
                let values = SettingChange.Values(
                    from: setting.words(old, oldPlan), to: setting.words(new, newPlan))
                changes.append(SettingChange(name: setting.name, effect: setting.effect, values: values))
            }
        }
        // A secret that comes from somewhere else is another one, though everything names it as before.
        for secret in SettingWords.secrets(of: new)
        where Int(secret) < oldPlan.secrets.count && oldPlan.secrets[Int(secret)] != newPlan.secrets[Int(secret)] {
            changes.append(
                SettingChange(name: "secret.\(newPlan.secrets[Int(secret)].name)", effect: .restart, values: nil))
        }
        return changes
    }
}

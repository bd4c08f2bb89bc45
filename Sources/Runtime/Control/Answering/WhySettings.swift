import Plan
import SupervisorCore
import Wire

/// Which keys of Supervisor.toml decide what happens next to a child, with their values in force: what `why` names so
/// that its reader knows what to change.
struct WhySettings {
    /// One key.
    struct Setting: Hashable {
        /// Its place in the file, dots between the tables: `child.web.delay.park-after`.
        let key: String
        /// As it would be written there.
        let value: String
    }

    let settings: [Setting]

    /// The most telling first.
    init(_ child: ChildID, _ view: ChildView, _ plan: PlanBook) {
        let policy = plan.policy(child)
        let names = plan.names
        var settings: [Setting] = []
        func add(_ key: String, _ value: String) {
            settings.append(Setting(key: "child.\(names[child]).\(key)", value: value))
        }
        func list(_ children: [ChildID]) -> String {
            "[" + children.map { "\"\(names[$0])\"" }.joined(separator: ", ") + "]"
        }
        let delay = policy.delay
        switch view.phase {
        case .off: add("enabled", policy.enabled ? "true" : "false")
        case .waiting:
            if !policy.requires.isEmpty { add("requires", list(policy.requires)) }
            if !policy.after.isEmpty { add("after", list(policy.after)) }
        case .scheduled:
            switch policy.schedule {
            case .every(let interval): add("schedule.every", Self.text(interval))
            case .calendar: add("schedule.at", "…")
            case nil: break
            }
        case .delayed:
            add("delay.first", Self.text(delay.first))
            add("delay.cap", Self.text(delay.cap))
            add("delay.park-after", "\(delay.parkAfter)")
        case .starting: add("start-timeout", Self.text(policy.startTimeout))
        case .ready:
            add("restart", Self.text(policy.restart))
            if view.unstableRuns > 0 { add("delay.stable-after", Self.text(delay.stableAfter)) }
        case .stopping:
            add("stop-timeout", Self.text(policy.stop.timeout))
            add("kill-grace", Self.text(policy.stop.killGrace))
        case .unkillable: add("kill-grace", Self.text(policy.stop.killGrace))
        case .parked:
            if view.cause == .config { add("command", "…") }
            add("delay.slow-retry", delay.slowRetry.map(Self.text) ?? "never")
            if view.cause != .config { add("delay.park-after", "\(delay.parkAfter)") }
        case .done: add("restart", Self.text(policy.restart))
        }
        self.settings = settings
    }

    func write(into json: inout JSONWriter) {
        json.array("settings") { json in
            for setting in settings {
                json.object {
                    $0.field("key", setting.key)
                    $0.field("value", setting.value)
                }
            }
        }
    }

    /// As in the file: the largest unit that divides it.
    private static func text(_ duration: Duration) -> String {
        let milliseconds = duration.wholeMilliseconds
        let units: [(Int64, String)] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s")]
        if milliseconds == 0 { return "0s" }
        guard let (size, unit) = units.first(where: { milliseconds % $0.0 == 0 }) else { return "\(milliseconds)ms" }
        return "\(milliseconds / size)\(unit)"
    }

    private static func text(_ rule: RestartRule) -> String {
        switch rule {
        case .always: "always"
        case .onFailure: "on-failure"
        case .never: "never"
        }
    }
}

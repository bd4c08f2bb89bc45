import Plan
import SupervisorCore
import Wire

extension Explanation {
    /// A key of Supervisor.toml.
    struct Setting: Hashable {
        /// Its place in the file, dots between the tables: `child.web.delay.park-after`.
        let key: String
        /// As it would be written there; `…`: nexusd does not have it in that form.
        let value: String
    }

    /// The keys that made it what it is and decide what comes next, the most telling first. A child that is built in has
    /// none.
    var settings: [Setting] {
        if isBuiltIn { return [] }
        var settings: [Setting] = []
        for setting in endSettings + phaseSettings where !settings.contains(where: { $0.key == setting.key }) {
            settings.append(setting)
        }
        return settings
    }

    static func write(_ settings: [Setting], into json: inout JSONWriter) {
        for setting in settings {
            json.object {
                $0.field("key", setting.key)
                $0.field("value", setting.value)
            }
        }
    }

    func setting(_ key: String, _ value: String) -> Setting { Setting(key: "child.\(name).\(key)", value: value) }

    /// What made the end that it still suffers from.
    private var endSettings: [Setting] {
        guard culprit == nil, let cause = suffered else { return [] }
        let run = view.lastEnd?.run ?? view.run
        if let remark, remark.run == (view.phase == .stopping ? view.run : run), !remark.settings.isEmpty {
            return remark.settings
        }
        // By command, or for its growth: then it was remarked.
        return cause == .recycled ? [] : settings(of: cause)
    }

    /// The cause of that end. One that comes up again, or serves for a moment between two ends, has the keys of its last one
    /// still, unless somebody wished for it.
    private var suffered: Cause? {
        switch view.phase {
        case .scheduled, .delayed, .stopping, .parked: return view.cause
        case .waiting, .starting, .ready:
            guard let cause = view.lastEnd?.cause else { return nil }
            switch cause {
            case .done, .asked, .recycled, .dependency: return nil
            case .config, .crash, .oom, .watchdog, .probe, .network, .unkillable, .unknown: return cause
            }
        case .off, .unkillable, .done: return nil
        }
    }

    /// Which keys make this cause.
    func settings(of cause: Cause) -> [Setting] {
        let bounds = plan.traits(child).bounds
        switch cause {
        case .done: return [setting("exits.success", policy.exits.success.text)]
        case .config: return configSettings
        case .crash, .unknown, .asked, .unkillable: return []
        case .oom: return bounds.memoryMax.map { [setting("memory.max", SizeText.show($0))] } ?? []
        case .watchdog where isTriggered || hasOwnWatchdog: return []
        case .watchdog: return policy.watchdog.map { [setting("watchdog", DurationText.show($0))] } ?? []
        case .probe: return wasReady ? healthSettings : startSettings
        case .network: return [setting("exits.network", policy.exits.network.text)]
        case .dependency: return policy.requires.isEmpty ? [] : [setting("requires", list(policy.requires))]
        case .recycled:
            return bounds.recycle.map {
                [
                    setting("memory.recycle", SizeText.show($0.above)),
                    setting("memory.recycle-within", DurationText.show($0.patience)),
                ]
            } ?? []
        }
    }

    private var configSettings: [Setting] {
        switch exit {
        case .code(0): return [setting("restart", policy.restart.text), setting("command", "…")]
        case .code, .signal: return [setting("exits.config", policy.exits.config.text)]
        case .notExecuted(let stage, _): return stageSettings(stage)
        case .unknown, nil: return []
        }
    }

    /// What a stage of a start carries out.
    private func stageSettings(_ stage: SpawnStage) -> [Setting] {
        let traits = plan.traits(child)
        return switch stage {
        case .exec: [setting("command", "…")]
        case .directory: [setting("directory", traits.directory)]
        case .identity: [setting("user", traits.identity?.user ?? "…")]
        case .limits: [setting("limits", "…")]
        case .privileges: [setting("capabilities", "…")]
        case .scheduling: [setting("nice", "\(traits.nice)"), setting("oom-score-adjust", "\(traits.oomScoreAdjust)")]
        case .cgroup: [setting("memory", "…")]
        case .prepare, .clone, .session, .files, .signals: []
        }
    }

    /// What a start is judged by.
    var startSettings: [Setting] {
        [setting("start-timeout", DurationText.show(policy.startTimeout)), setting("ready", "…")]
    }

    /// What its health is judged by, while it is ready.
    var healthSettings: [Setting] {
        guard let rule = policy.liveness, let probe = plan.traits(child).liveness else {
            return judges.map { Setting(key: "child.\(names[$0]).may", value: "…") }
        }
        return [
            setting("liveness.misses", "\(rule.misses)"),
            setting("liveness.interval", DurationText.show(rule.interval)),
            setting("liveness.timeout", DurationText.show(probe.timeout)),
        ]
    }

    /// Workers that may report its health.
    var judges: [ChildID] { plan.speakers.filter { plan.traits($0).worker?.mayJudge(child) ?? false } }

    /// Workers that may start it, where it is off in the file: it is theirs to start.
    var starters: [ChildID] { policy.enabled || choice == .off ? [] : plan.starters(of: child) }

    /// What decides about what comes next.
    private var phaseSettings: [Setting] {
        let delay = policy.delay
        switch view.phase {
        // Nothing in the file has a say in it.
        case .off where isStoppedWithTree: return []
        case .ready where endsWithTree: return []
        case .off:
            return [setting("enabled", policy.enabled ? "true" : "false")]
                + starters.map { Setting(key: "child.\(names[$0]).may", value: "…") }
        case .waiting: return holdSettings
        case .scheduled: return scheduleSettings
        case .delayed: return delaySettings
        case .starting where isExecutionBoundFixed: return [setting("command", "…")]
        case .starting where executionEnd != nil: return [startSettings[0]]
        case .starting: return startSettings
        case .ready:
            if view.isScheduled { return scheduleSettings }
            let stable = setting("delay.stable-after", DurationText.show(delay.stableAfter))
            let isStable = view.unstableRuns == 0 && !(recycling?.waitsToBeStable(at: now) ?? false)
            return (recycling?.above == nil ? [] : settings(of: .recycled)) + (isStable ? [] : [stable])
                + [setting("restart", policy.restart.text)]
        case .stopping:
            let stop = view.stop ?? policy.stop
            let drain = view.isDraining && cause != .recycled ? stop.drain : nil
            return (drain.map { [setting("drain-timeout", DurationText.show($0))] } ?? []) + [
                setting("stop-timeout", DurationText.show(stop.timeout)),
                setting("kill-grace", DurationText.show(stop.killGrace)),
            ]
        case .unkillable: return [setting("kill-grace", DurationText.show(policy.stop.killGrace))]
        case .parked: return parkedSettings
        case .done: return [setting("restart", policy.restart.text)]
        }
    }

    private var scheduleSettings: [Setting] {
        switch policy.schedule {
        case .every(let interval): [setting("schedule.every", DurationText.show(interval))]
        case .calendar: [setting("schedule.at", "…")]
        case nil: []
        }
    }

    private var delaySettings: [Setting] {
        let delay = policy.delay
        let first = setting("delay.first", DurationText.show(delay.first))
        let cap = setting("delay.cap", DurationText.show(delay.cap))
        switch view.cause {
        case .recycled: return [first]
        case .network: return [first, cap]
        case .done, .config, .crash, .oom, .watchdog, .probe, .dependency, .asked, .unkillable, .unknown, nil:
            return [first, cap, setting("delay.park-after", "\(delay.parkAfter)")]
        }
    }

    private var holdSettings: [Setting] {
        switch view.hold {
        case .requires: return [setting("requires", list(policy.requires))]
        case .after: return [setting("after", list(policy.after))]
        case .order, .sweep:
            guard let group = policy.group else { return [] }
            let rule = plan.groups[Int(group.rawValue)].policy
            return [
                groupSetting(group, "strategy", "\"\(rule.strategy.words)\""),
                groupSetting(group, "children", list(rule.children)),
            ]
        case .barrier: return [setting("sockets", "…")]
        case .logWriter, .output, nil: return []
        }
    }

    /// The rule that parked it, and when it is tried again.
    private var parkedSettings: [Setting] {
        let who = culprit ?? child
        let policy = plan.policy(who)
        func of(_ key: String, _ value: String) -> Setting { Setting(key: "child.\(names[who]).\(key)", value: value) }
        var settings: [Setting] = []
        switch view.ground {
        case .unstable: settings = [of("delay.park-after", "\(policy.delay.parkAfter)")]
        case .intensity: settings = policy.intensity.map { rule in rule.settings.map { of($0.key, $0.value) } } ?? []
        case .never: return [of("restart", policy.restart.text)] + criticalSettings(who)
        case .groupIntensity:
            guard let group = policy.group, let rule = plan.groups[Int(group.rawValue)].policy.intensity else { break }
            settings = rule.settings.map { groupSetting(group, $0.key, $0.value) }
        case .config, nil: break
        }
        guard parkedGroup == nil else { return settings + criticalSettings(who) }
        return settings + [of("delay.slow-retry", retryText(policy.delay.slowRetry))]
    }

    /// What parks a group with its member, and when the group is tried again.
    private func criticalSettings(_ who: ChildID) -> [Setting] {
        guard let group = parkedGroup else { return [] }
        let retry = groupSetting(group, "slow-retry", retryText(plan.groups[Int(group.rawValue)].policy.slowRetry))
        let isCritical = plan.policy(who).critical && view.ground != .groupIntensity
        return (isCritical ? [Setting(key: "child.\(names[who]).critical", value: "true")] : []) + [retry]
    }

    private func groupSetting(_ group: GroupID, _ key: String, _ value: String) -> Setting {
        Setting(key: "group.\(names[group]).\(key)", value: value)
    }

    private func list(_ children: [ChildID]) -> String {
        "[" + children.map { "\"\(names[$0])\"" }.joined(separator: ", ") + "]"
    }

    private func retryText(_ retry: Duration?) -> String { retry.map(DurationText.show) ?? "never" }
}

extension Intensity {
    var settings: [(key: String, value: String)] {
        [("intensity.restarts", "\(restarts)"), ("intensity.window", DurationText.show(window))]
    }
}

extension RestartRule {
    /// As in the file.
    var text: String {
        switch self {
        case .always: "always"
        case .onFailure: "on-failure"
        case .never: "never"
        }
    }
}

extension Set<ExitPattern> {
    /// As in the file: `[64, 78]`, `["SIGHUP"]`.
    var text: String {
        let codes = compactMap { if case .code(let code) = $0 { Int(code) } else { nil } }.sorted().map { "\($0)" }
        let signals = compactMap { if case .signal(let signal) = $0 { signal } else { nil } }
            .sorted { $0.rawValue < $1.rawValue }.map { "\"\($0.name)\"" }
        return "[" + (codes + signals).joined(separator: ", ") + "]"
    }
}

extension Probe {
    fileprivate var timeout: Duration {
        switch self {
        case .tcp(_, _, let timeout), .exec(_, _, let timeout): timeout
        case .http(let http): http.timeout
        }
    }
}

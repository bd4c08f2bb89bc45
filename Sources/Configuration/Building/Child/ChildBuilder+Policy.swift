import Plan
import SupervisorCore

extension ChildBuilder {
    /// What this child waits for by `requires`, `after` and the order of its group.
    func edges() -> [Edge] {
        let names = context.names
        let requires = names.children(reader(ChildKeys.requires), key: "requires", report)
        let after = names.children(reader(ChildKeys.after), key: "after", report)
        for child in after where requires.contains(where: { $0.value == child.value }) {
            report.error(
                child.position,
                "'\(names.name(of: child.value))' is in 'requires' already, which says more; take it out here")
        }
        return requires.map { Edge(kind: .requires, to: $0.value, position: $0.position) }
            + after.map { Edge(kind: .after, to: $0.value, position: $0.position) }
            + (context.groups.predecessors[draft.id].map { [$0] } ?? [])
    }

    func policy(
        _ edges: [Edge], enabled: Bool, schedule: Schedule?, ready: ReadyRule, liveness: LivenessRule?
    ) -> ChildPolicy {
        let group = context.groups.membership[draft.id]
        let critical = reader(ChildKeys.critical)
        if critical, group == nil {
            report.error(
                reader.position(of: ChildKeys.critical),
                "'critical' parks the child's group, but '\(draft.name)' is in none; put it into one or take the key out"
            )
        }
        let delay = delay()
        return ChildPolicy(
            group: group, enabled: enabled,
            requires: edges.compactMap { edge in
                if case .requires = edge.kind { edge.to } else { nil }
            },
            after: edges.compactMap { edge in
                if case .after = edge.kind { edge.to } else { nil }
            },
            critical: critical, significant: significance(delay), restart: reader(ChildKeys.restart),
            schedule: schedule, delay: delay,
            intensity: IntensityReader.read(reader.below(ChildKeys.intensity)), ready: ready,
            firstProbe: firstProbe, startTimeout: startTimeout(), liveness: liveness,
            watchdog: reader(ChildReadyKeys.watchdog), stop: stop(), exits: exits())
    }

    /// A child that always comes back cannot end the tree. A critical one parks with its group, whose slow retry it has then,
    /// as has every member of one that has an intensity.
    private func significance(_ delay: DelayRule) -> Bool {
        guard reader(ChildKeys.significant) else { return false }
        let group = context.groups.plans.first { $0.policy.children.contains(draft.id) }
        let home = reader(ChildKeys.critical) ? group : nil
        let slowRetry = if let home { home.policy.slowRetry } else { delay.slowRetry }
        let endsWithGroup = group.map { $0.policy.intensity != nil && $0.policy.slowRetry == nil } ?? false
        if reader(ChildKeys.restart) == .always, slowRetry != nil, !endsWithGroup {
            let whose = home.map { " of its group '\($0.name)' ('critical')" } ?? ""
            let remedy =
                home.map { "slow-retry = \"never\" to [group.\($0.name)]" } ?? "delay = { slow-retry = \"never\" }"
            report.error(
                reader.position(of: ChildKeys.significant),
                "'significant' ends the tree when '\(draft.name)' ends for good, which restart = \"always\" with a slow"
                    + " retry\(whose) never lets happen; add restart = \"on-failure\" or \"never\", or \(remedy)")
        }
        return true
    }

    private func startTimeout() -> Duration {
        if !reader.has(ChildReadyKeys.startTimeout), case .string("done") = reader(ChildReadyKeys.ready)?.value {
            return ChildReadyKeys.oneShotTimeout
        }
        return reader(ChildReadyKeys.startTimeout)
    }

    private func delay() -> DelayRule {
        guard let reader = reader.below(ChildKeys.delay) else { return DelayRule() }
        let rule = DelayRule(
            first: reader(DelayKeys.first), cap: reader(DelayKeys.cap), stableAfter: reader(DelayKeys.stableAfter),
            parkAfter: UInt16(reader(DelayKeys.parkAfter)), slowRetry: reader(DelayKeys.slowRetry))
        if rule.first > rule.cap {
            let isFirst = reader.has(DelayKeys.first)
            report.error(
                isFirst ? reader.position(of: DelayKeys.first) : reader.position(of: DelayKeys.cap),
                "'first' (\(DurationText.show(rule.first))) is above 'cap' (\(DurationText.show(rule.cap))), so the cap could"
                    + " never be reached; lower the one or raise the other")
        }
        return rule
    }

    private func stop() -> StopRule {
        var signal = Signal.terminate
        if let text = reader(ChildStopKeys.signal) {
            if let known = SignalName.parse(text) {
                signal = known
            } else {
                let hint = Nearest.hint(for: text, among: SignalName.names)
                let list = hint.isEmpty ? "; known: \(SignalName.names.joined(separator: ", ")), SIGRTMIN+N" : hint
                report.error(
                    reader.position(of: ChildStopKeys.signal), "'\(text)' is no signal that stops a process\(list)")
            }
        }
        let drain = reader(ChildStopKeys.drain)
        if reader.has(ChildStopKeys.drain), !draft.isWorker {
            report.error(
                reader.keyPosition(of: ChildStopKeys.drain),
                "'drain-timeout' is for workers; take it out, or add worker = true if the child speaks the bus")
        }
        return StopRule(
            drain: draft.isWorker ? drain ?? ChildStopKeys.workerDrain : nil, signal: signal,
            timeout: reader(ChildStopKeys.timeout), killGrace: reader(ChildStopKeys.killGrace))
    }
}

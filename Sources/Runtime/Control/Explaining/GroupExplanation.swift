import Plan
import SupervisorCore
import Wire

/// Why a group is as it is: its rule, what would park it, and which of its children holds it back.
struct GroupExplanation {
    let group: GroupID
    let plan: PlanBook
    let now: Instant
    let state: StatusWriter.GroupState
    /// Because of whom it is parked.
    let culprit: Explanation?
    /// Where its children stand.
    let phase: (ChildID) -> Phase

    private var name: String { plan.names[group] }
    private var policy: GroupPolicy { plan.groups[Int(group.rawValue)].policy }

    /// What a failure of one means for the others; what parked it.
    var rule: String {
        if let culprit { return culprit.rule }
        return switch policy.strategy {
        case .oneForOne: "a child that ends is started again alone (`strategy`)"
        case .oneForAll: "when one fails, all others are stopped, and all are started again in order (`strategy`)"
        case .restForOne:
            "when one fails, those after it in `children` are stopped, and started again in order (`strategy`)"
        }
    }

    var next: String {
        switch state {
        case .parked(let retry):
            retry.map { "one try of all in \(($0 - now).words), or `nexusctl start \(name)` at once" }
                ?? "it needs you: mend it, then `nexusctl start \(name)`"
        case .stopped: "nothing until `nexusctl start \(name)`"
        case .running: "\(policy.children.count { phase($0) == .ready }) of \(policy.children.count) children serve"
        }
    }

    /// What would park all of it.
    var givesUp: String? {
        guard state == .running else { return nil }
        var grounds = policy.intensity.map { ["more than \($0.words) in it (`intensity`)"] } ?? []
        if !criticals.isEmpty {
            let names = criticals.map { plan.names[$0] }.joined(separator: ", ")
            grounds.append("\(names) parked, which it takes for `critical`")
        }
        guard !grounds.isEmpty else {
            return
                "never as a whole: it has no `intensity` and no `critical` child; its children are given up one by one"
        }
        let retry = policy.slowRetry.map { "is tried once every \($0.words) (`slow-retry`)" }
        return grounds.joined(separator: ", or ") + "; then all are stopped, and it "
            + (retry ?? "needs you (`slow-retry` is never)")
    }

    private var criticals: [ChildID] { policy.children.filter { plan.policy($0).critical } }

    var settings: [Explanation.Setting] {
        if let culprit { return culprit.settings }
        func setting(_ key: String, _ value: String) -> Explanation.Setting {
            Explanation.Setting(key: "group.\(name).\(key)", value: value)
        }
        let isParkable = policy.intensity != nil || !criticals.isEmpty
        let retry = policy.slowRetry.map(DurationText.show) ?? "never"
        return [setting("strategy", "\"\(policy.strategy.words)\"")]
            + (policy.intensity?.settings.map { setting($0.key, $0.value) } ?? [])
            + criticals.map { Explanation.Setting(key: "child.\(plan.names[$0]).critical", value: "true") }
            + (isParkable ? [setting("slow-retry", retry)] : [])
    }
}

extension Engine {
    /// `why GROUP`.
    func why(_ group: GroupID) -> [UInt8] {
        let members = plan.groups[Int(group.rawValue)].policy.children
        let state = state(of: group)
        var culprit: ChildID?
        if case .parked = state {
            culprit =
                members.lazy.compactMap { self.explanation(of: $0).culprit }.first
                ?? members.first { core.view(of: $0).phase == .parked }
        }
        var because = culprit.map(explanation)
        because?.isNamed = true
        let words = GroupExplanation(
            group: group, plan: plan, now: now, state: state, culprit: because,
            phase: { [core] in core.view(of: $0).phase })
        var json = JSONWriter(capacity: 1024)
        json.object { json in
            json.raw("group", status(of: group))
            json.field("because", culprit.map { names[$0] })
            json.field("rule", words.rule)
            json.field("next", words.next)
            json.field("gives_up", words.givesUp)
            json.array("settings") { Explanation.write(words.settings, into: &$0) }
            json.field("config", surroundings.config)
        }
        return json.bytes
    }
}

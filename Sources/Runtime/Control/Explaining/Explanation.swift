import Plan
import SupervisorCore

/// Why a child is where it is, in words that name the setting in charge: what `why` answers, and what `status` says of a
/// child that waits. One value is one child at one instant.
struct Explanation {
    let child: ChildID
    let view: ChildView
    let plan: PlanBook
    let now: Instant
    /// What an owner chose by command.
    let choice: Choice?
    /// What is known of its last end, or of the one under way.
    let remark: EndRemark?
    /// The main process is there.
    let hasProcess: Bool
    /// Until when its program has to be executed, while that is waited for.
    let executionEnd: Instant?
    /// Since when the tree is being ended.
    let treeEndsSince: Instant?
    /// A cgroup keeps `memory.max`; else nexusd does.
    let kernelKeepsMemory: Bool
    /// Its run is ready and is to be replaced.
    var recycling: Recycling?
    /// The last command that meant it was a worker's stop, which is no choice of an owner.
    var isStoppedByWorker = false
    /// Everything that is left of its run has SIGKILL.
    var isKilled = false
    /// Its main process is in state T, as by SIGSTOP: looked at for who asks why.
    var isSuspended = false
    /// Its run was started by an earlier nexusd: since when it is this one's, and whose it was.
    var adoption: String?
    /// Told of its group, in which "it" would be another.
    var isNamed = false
    /// Where others stand.
    let phase: (ChildID) -> Phase

    var policy: ChildPolicy { plan.policy(child) }
    var names: TreeNames { plan.names }
    var name: String { names[child] }
    /// nexus-config adds it; it has no table in the file.
    var isBuiltIn: Bool { plan.traits(child).role != .child }

    /// Why it is where it is, or how its last run ended.
    var cause: Cause? { view.cause ?? view.lastEnd?.cause }

    /// The cause is that of a run that is being ended. One that leaves by itself, as it said by STOPPING=1, has none yet: then
    /// it is that of the run before.
    var isAboutPresentRun: Bool { view.phase == .stopping && view.cause != nil }

    /// Whose last lines tell more of it. What ended by itself is what has to be understood, also when the next run is there; an
    /// end that somebody wished for is past.
    var toldRun: RunID? {
        guard let end = view.lastEnd else { return view.run }
        switch end.cause {
        case .asked, .dependency, .recycled: return view.run ?? end.run
        case .done, .config, .crash, .oom, .watchdog, .probe, .network, .unkillable, .unknown:
            return isAboutPresentRun ? view.run ?? end.run : end.run
        }
    }

    /// How the run ended that the cause is about; nil while that one is being ended.
    var exit: Exit? { isAboutPresentRun ? nil : view.lastEnd?.exit }

    /// The group that is parked with it.
    var parkedGroup: GroupID? {
        guard view.phase == .parked, let group = policy.group else { return nil }
        return policy.critical || view.ground == .groupIntensity || view.cause == .dependency ? group : nil
    }

    /// A member of a parked group is parked because of another one.
    var culprit: ChildID? { view.phase == .parked && view.cause == .dependency ? view.waitsFor : nil }

    /// The limit for every exec comes before the end of its start timeout.
    var isExecutionBoundFixed: Bool {
        guard let executionEnd else { return false }
        return view.until.map { executionEnd < $0 } ?? true
    }

    /// It went down with the tree, which is being ended.
    var isStoppedWithTree: Bool { view.isStopped(withTreeEndingSince: treeEndsSince, choice) }

    /// The tree is being ended, and it with that. What is off by command, or in the file, is so anyhow; log-writer is
    /// started again while the others have something to say.
    var endsWithTree: Bool { treeEndsSince != nil && !isBuiltIn && (view.phase != .off || isStoppedWithTree) }

    /// It is being stopped by command and is wanted all the same: that was a restart, or a start came behind it. A run follows
    /// its end at once.
    var startsAgain: Bool {
        guard view.phase == .stopping, view.cause == .asked, treeEndsSince == nil, plan.isShown(child), !isWished,
            !view.isScheduled, !isStoppedByWorker
        else { return false }
        return choice.map { $0 == .on } ?? policy.enabled
    }

    private var stoppingWords: String {
        let left = view.until.map { ($0 - now).words }
        var words =
            view.isDraining
            ? "it is asked to drain, and gets its stop signal when it is idle" + (left.map { ", or in \($0)" } ?? "")
            : "it is being stopped" + (left.map { "; what is left in \($0) is killed" } ?? "")
        if hasProcess, !isKilled { words += ", or its main process at once by `nexusctl signal \(name) KILL`" }
        return words + (startsAgain ? "; then it starts again" : "")
    }

    /// What comes next, and when; of a process that does nothing meanwhile, with that.
    var next: String {
        let planned = planned + (adoption.map { "; it was \($0)" } ?? "")
        guard isSuspended else { return planned }
        return
            "\(planned); its process is stopped (state T, as by SIGSTOP) and does nothing until `nexusctl signal \(name) CONT`"
    }

    private var planned: String {
        let inTime = view.nextTry.map { "in \(($0 - now).words)" }
        let left = view.until.map { ($0 - now).words }
        switch view.phase {
        case .off where isStoppedWithTree: return "nothing: the tree is being ended"
        case .off:
            return starters.isEmpty
                ? "nothing until `nexusctl start \(name)`" : "nothing until \(starterNames) starts it"
        case .waiting: return view.hold.map(startWords) ?? "it starts at once"
        case .scheduled:
            return inTime.map { "its next run \($0), or `nexusctl start \(name)` at once" }
                ?? "its calendar is used up: `nexusctl reload`, or a restart of nexusd, computes the next times"
        case .delayed: return "the next try \(inTime ?? "soon")"
        case .starting:
            if let executionEnd {
                let time = "it has \((executionEnd - now).words) left for its exec; then it is "
                return time
                    + (isExecutionBoundFixed
                        ? "killed, with cause crash: no exec has more than \(Launch.limit.words), which is fixed"
                        : "stopped, with cause probe (`start-timeout`)")
            }
            guard let awaits, let left else { return "it is started when it is its turn" }
            if plan.traits(child).readiness == .done {
                return "it is done when it ends with success; it has \(left) left (`start-timeout`)"
            }
            return "it waits for \(awaits) and has \(left) left; then it is ended, with cause probe"
        case .ready where endsWithTree: return "it serves until it is its turn to be stopped: the tree is being ended"
        case .ready:
            if let recycling {
                return "it serves; "
                    + recycling.words(at: now, stableAfter: policy.delay.stableAfter, name: name)
            }
            guard view.isScheduled else { return "it serves" }
            return "it runs"
                + (inTime.map { "; its next time comes \($0), and is skipped if it runs still then" } ?? "")
        case .stopping: return stoppingWords
        case .unkillable: return "nothing while it is there: the kernel does not end it"
        case .parked:
            let whom = culprit.map { names[$0] } ?? name
            return inTime.map { "one try \($0), or `nexusctl start \(whom)` at once" }
                ?? "it needs you: mend it, then `nexusctl start \(whom)`"
        case .done: return "nothing: it has done what it was for"
        }
    }

    /// What would make it give up, and what then; nil where it is given up, or nothing is expected of it.
    var givesUp: String? {
        if endsWithTree { return nil }
        switch view.phase {
        case .off, .done, .unkillable: return nil
        case .parked: return parkedAgain
        case .stopping where cause == .asked && !isWished: return nil
        case .waiting, .scheduled, .delayed, .starting, .ready, .stopping: break
        }
        if isBuiltIn { return "never: others need it" }
        if policy.schedule != nil { return "never: a run that fails is followed by the next one at its time" }
        guard policy.restart != .never else { return "any failure is final (`restart`)" + whatThen }
        let delay = policy.delay
        var bounds = [unstableBound(delay.parkAfter)]
        if let rule = policy.intensity { bounds.append("more than \(rule.words) (`intensity`)") }
        return (cause == .network ? "not for want of a network, but for " : "") + bounds.joined(separator: ", ")
            + ", or an error of configuration" + whatThen + (groupBound ?? "")
    }

    /// Once it was given up its count says no more: the next run that is not stable parks it again.
    private func unstableBound(_ parkAfter: UInt16) -> String {
        guard view.unstableRuns >= max(1, parkAfter) else {
            return "\(unstableWords(parkAfter)) (now \(view.unstableRuns))"
        }
        return "one more unstable run (\(unstableWords(parkAfter)) had parked it)"
    }

    /// The group's own rule, which parks all of it, and has a slow retry of its own.
    private var groupBound: String? {
        guard let group = policy.group else { return nil }
        let rule = plan.groups[Int(group.rawValue)].policy
        return rule.intensity.map { intensity in
            "; and more than \(intensity.words) in its group (`group.\(names[group]).intensity`): then the group is parked"
                + " and " + Self.retryWords(rule.slowRetry, "group.\(names[group]).slow-retry")
                + treeEnd(rule.slowRetry)
        }
    }

    /// The consequence of being given up.
    private var whatThen: String {
        if policy.critical, let group = policy.group {
            let retry = plan.groups[Int(group.rawValue)].policy.slowRetry
            return
                "; its group \(names[group]) is parked with it (`critical`) and "
                + Self.retryWords(retry, "group.\(names[group]).slow-retry") + treeEnd(retry)
        }
        let retry = policy.restart == .never ? nil : policy.delay.slowRetry
        let end = treeEnd(retry)
        if policy.restart == .never { return end }
        return "; then it " + Self.retryWords(retry, "delay.slow-retry") + end
    }

    private func treeEnd(_ retry: Duration?) -> String {
        policy.significant && retry == nil ? "; the tree ends with it (`significant`)" : ""
    }

    private var parkedAgain: String? {
        guard view.nextTry != nil, culprit == nil else { return nil }
        switch view.ground {
        case .config: return "the same error parks it again"
        case .unstable:
            return
                "that try parks it again, unless it is ready for \(policy.delay.stableAfter.words) (`delay.stable-after`)"
        case .intensity, .groupIntensity: return "the same rule parks it again"
        case .never, nil: return nil
        }
    }

    private static func retryWords(_ retry: Duration?, _ key: String) -> String {
        retry.map { "is tried once every \($0.words) (`\(key)`)" } ?? "needs you (`\(key)` is never)"
    }
}

/// `12 unstable runs in a row`; one needs no row.
func unstableWords(_ count: UInt16) -> String { count == 1 ? "1 unstable run" : "\(count) unstable runs in a row" }

extension ChildView {
    /// Off since the tree is being ended, and not by command: neither is one that was off before.
    func isStopped(withTreeEndingSince instant: Instant?, _ choice: Choice?) -> Bool {
        guard let instant else { return false }
        return phase == .off && choice != .off && since >= instant
    }
}

extension Intensity {
    /// `5 restarts within 60 s`.
    var words: String { "\(restarts) restart\(restarts == 1 ? "" : "s") within \(window.words)" }
}

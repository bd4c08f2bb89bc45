import Plan
import SupervisorCore
import System

extension Explanation {
    /// What the cause means here, and which key made it so; nil: nothing has ended, or nothing is wrong.
    var causeWords: String? {
        if isStoppedWithTree { return endedTreeWords }
        guard let cause else { return nil }
        let counts = countWords
        let exit = self.exit?.words ?? "its end"
        switch cause {
        // Not `done`: it is on its way again, or given up.
        case .done where policy.restart == .always && policy.schedule == nil:
            return "a clean exit, and nobody asked for it: it must run (`restart` is always)\(counts)"
        case .done:
            return self.exit?.code ?? 0 == 0 ? "a success" : "a success: `exits.success` names \(exit)"
        case .config: return configWords(exit)
        case .crash:
            return hasNoProcess
                ? "it could not be started, for a reason that may pass by itself\(counts)"
                : crashWords
        case .oom: return memoryWords + counts
        case .watchdog:
            if isTriggered { return "it said itself that it hangs (WATCHDOG=trigger)\(counts)" }
            if isBuiltIn { return "it gave no sign of life in time" }
            return hasOwnWatchdog
                ? "it did not send WATCHDOG=1 in the time that it chose itself (WATCHDOG_USEC)\(counts)"
                : "it did not send WATCHDOG=1 in time (`watchdog`)\(counts)"
        case .probe: return probeWords + counts
        case .network:
            return
                "no network: `exits.network` names \(exit); it is tried for ever, at least every 10 s, and never parked for it"
        // What it requires has been down all the time.
        case .dependency where view.phase == .waiting && view.lastEnd == nil: return nil
        case .dependency: return dependencyWords
        case .asked:
            if choice == .off { return "an owner stopped it by command; nothing is counted" }
            return isWished ? "it asked for its own restart\(counts)" : "somebody asked for it; nothing is counted"
        case .recycled where view.lastEnd?.exit == .unknown:
            return "its link to the bus ended with the nexusd that was killed, and so did its run; nothing is counted"
        case .recycled: return "it was replaced when idle; nothing is counted"
        case .unkillable:
            return
                "SIGKILL did not end it within `kill-grace`: it waits in the kernel, on a disk or a mount; it is replaced"
                + " when it is gone"
        case .unknown: return "how it ended cannot be known\(counts)"
        }
    }

    /// What it does to the rules that park it.
    private var countWords: String {
        if policy.schedule != nil || isBuiltIn { return "" }
        guard wasStable else { return "; it counts as a crash" }
        let groups = policy.group.flatMap { plan.groups[Int($0.rawValue)].policy.intensity }
        let isLimited = policy.intensity != nil || groups != nil
        return "; the run was stable (`delay.stable-after`): it "
            + (isLimited ? "counts for `intensity` only" : "does not count as a crash")
    }

    /// When it is started again, or which rule gave it up.
    var rule: String {
        if view.phase == .parked, let words = parkedWords { return words }
        if endsWithTree, view.phase != .off { return "the tree is being ended: nothing is started again" }
        if view.phase == .off || view.phase == .stopping && choice == .off { return offWords }
        if view.phase == .done { return "a success is final (`restart` is \(policy.restart.text))" }
        switch policy.schedule {
        case .every(let interval):
            return "started \(interval.words) after its last start (`schedule.every`), however that run ended"
        case .calendar: return "started at its times (`schedule.at`), however the last run ended"
        case nil: break
        }
        let delay = policy.delay
        if isBuiltIn {
            return "built in: started again whenever it ends, after at most \(delay.cap.words)"
        }
        let when =
            switch policy.restart {
            case .always: "started again whenever it ends (`restart`)"
            case .onFailure: "started again unless it ends with success (`restart`)"
            case .never: "never started again by itself (`restart`)"
            }
        guard policy.restart != .never else { return when }
        if cause == .network {
            let cap = min(delay.cap, .seconds(10))
            return when + ", for want of a network after \(Self.growing(delay.first, cap))"
        }
        return when
            + ", after \(Self.growing(delay.first, delay.cap)), counted from its last start; back to the"
            + " first after \(delay.stableAfter.words) of being ready (`delay`)"
    }

    /// Its last run may have ended by itself before: that is no contradiction.
    private var endedTreeWords: String {
        guard let end = view.lastEnd else { return "the tree is being ended, and it had not been started" }
        return end.cause == .asked || end.cause == .dependency
            ? "it was stopped, and the tree is being ended; nothing is counted"
            : "its last run had ended by itself (\(end.cause.rawValue)), and no other follows: the tree is being ended"
    }

    private static func growing(_ first: Duration, _ cap: Duration) -> String {
        first < cap ? "\(first.words) doubling up to \(cap.words)" : cap.words
    }

    private var offWords: String {
        switch choice {
        case .off:
            "stopped by command: that lasts, over restarts of nexusd too, until `nexusctl start \(name)` or"
                + " `nexusctl reset \(name)`"
        case .on, nil:
            policy.enabled
                ? isStoppedWithTree ? "stopped with the tree" : "stopped by a worker"
                : "off in the file (`enabled`), "
                    + (starters.isEmpty ? "until a command starts it" : "and started and stopped by \(starterNames)")
        }
    }

    /// `tunnel-worker`.
    var starterNames: String { starters.map { names[$0] }.joined(separator: " or ") }

    /// Whether the run that ended, or is being ended, had been ready.
    var wasReady: Bool { isAboutPresentRun ? view.ready != nil : view.lastEnd?.ready != nil }

    /// Whether it had been ready for so long that its end is no unstable one.
    private var wasStable: Bool {
        let stableAfter = policy.delay.stableAfter
        if isAboutPresentRun { return view.ready.map { view.since - $0 >= stableAfter } ?? false }
        // Its end may have taken long after it had begun, which only the count tells.
        guard let end = view.lastEnd, let ready = end.ready else { return false }
        return end.ended - ready >= stableAfter && view.unstableRuns == 0
    }

    /// Whether the run it is about said so itself.
    var isTriggered: Bool { ownRemark?.words == EndRemark.triggered }

    /// Whether that run had another watchdog than its key says.
    var hasOwnWatchdog: Bool { ownRemark?.words.hasSuffix(EndRemark.ownWatchdog) ?? false }

    /// Whether the run it is about asked for another in its place.
    var isWished: Bool { ownRemark?.words == EndRemark.wished }

    /// What is known of that run.
    private var ownRemark: EndRemark? {
        guard let remark, remark.run == (isAboutPresentRun ? view.run : view.lastEnd?.run) else { return nil }
        return remark
    }

    /// A crash that nexusd, or a limit of its own, made of it.
    private var crashWords: String {
        guard let key = ownRemark?.settings.first?.key, key.hasPrefix("child.\(name).") else {
            return "nobody asked for this end, and `exits` does not name it"
        }
        let own = key.dropFirst("child.\(name).".count)
        if ownRemark?.words.hasPrefix(EndRemark.possible) ?? false {
            return
                "nobody asked for this end, and `exits` does not name it; a limit of its own may be behind it (`\(own)`)"
        }
        return own == "stop-timeout"
            ? "it said that it stops, and did not end in time: nexusd killed it (`stop-timeout`)"
            : "a limit of its own was reached (`\(own)`), and the kernel ended it"
    }

    private var hasNoProcess: Bool {
        if case .notExecuted = exit { true } else { false }
    }

    private func configWords(_ exit: String) -> String {
        if hasNoProcess { return "it cannot be started, and a new try would only say so again" }
        if policy.restart == .always, self.exit?.code == 0 {
            return
                "it must run (`restart` is always), and did what a program does that puts itself into the background or"
                + " prints its usage"
        }
        return "an error of its configuration: `exits.config` names \(exit); a new start would only repeat it"
    }

    private var memoryWords: String {
        guard plan.traits(child).bounds.memoryMax != nil else {
            return "the machine had no memory left and the kernel killed it; it has no limit of its own (`memory.max`)"
        }
        return kernelKeepsMemory
            ? "it took more than `memory.max`, and the kernel killed it"
            : "it took more than `memory.max`, and nexusd killed it, which keeps that limit where no cgroup does"
    }

    private var probeWords: String {
        guard wasReady else { return "it was not ready within `start-timeout`" }
        if policy.liveness != nil { return "its `liveness` probe missed too often in a row" }
        return judges.isEmpty
            ? "it did not take or answer what the bus had for it" : "a worker called it unhealthy too often in a row"
    }

    private var dependencyWords: String {
        if let group = parkedGroup, let culprit {
            return "its group \(names[group]) is parked because of \(names[culprit]); nothing is counted"
        }
        // As Engine.openSockets says it of a barrier; of a run that was being launched no failure is of this stage.
        if case .notExecuted(.prepare, Errno.again.rawValue) = view.lastEnd?.exit {
            return
                "what it needs was with a run that was being ended; it is started when that is over, and nothing is counted"
        }
        return "what it `requires`, or its group, went down; it comes back with that, and nothing is counted"
    }

    /// The rule that parked it, and what that parked with it.
    private var parkedWords: String? {
        guard let ground = view.ground else { return nil }
        let who = culprit ?? child
        let policy = plan.policy(who)
        let whom = culprit.map { names[$0] } ?? (isNamed ? name : "it")
        var words: String
        switch ground {
        case .config: words = "an error of configuration parks \(whom) at once"
        case .unstable:
            let count = policy.delay.parkAfter
            words = "\(unstableWords(count)) park\(count == 1 ? "s" : "") \(whom) (`delay.park-after`)"
        case .intensity:
            words = "more than \(policy.intensity?.words ?? "so many restarts") park \(whom) (`intensity`)"
        case .never: words = "a failure\(culprit.map { " of \(names[$0])" } ?? "") is final (`restart` is never)"
        case .groupIntensity:
            guard let group = policy.group else { return nil }
            let rule = plan.groups[Int(group.rawValue)].policy.intensity
            return
                "more than \(rule?.words ?? "so many restarts") in group \(names[group]) park the group"
                + " (`group.\(names[group]).intensity`)"
        }
        if policy.critical, let group = policy.group {
            words += ", and with it, as \(whom) is `critical`, its group \(names[group])"
        }
        return words
    }
}

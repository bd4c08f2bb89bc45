import SupervisorCore

// What the core does and why, in words that name the setting in charge.

extension Cause {
    /// What follows from this cause under this policy, and which key of Supervisor.toml decides it.
    func rule(_ policy: ChildPolicy) -> String {
        switch self {
        case .done:
            "an end with success (exit code 0 and what `exits.success` names); `restart` decides whether it runs again"
        case .config:
            "a configuration error (`exits.config`, a program that cannot be executed, or a clean exit at once where"
                + " `restart` is always): a new start would do the same, so it is parked at once and \(slowRetry(policy))"
        case .crash: "an end that nobody asked for; `delay` decides when it is started again"
        case .oom:
            "the kernel ended it for want of memory; it counts as a crash, and `delay` decides when it is started again"
        case .watchdog:
            "it did not send WATCHDOG=1 in time (`watchdog`); it counts as a crash, and `delay` decides what follows"
        case .probe:
            "it was not ready within `start-timeout`, or `liveness` missed it too often; it counts as a crash, and `delay`"
                + " decides what follows"
        case .network:
            "no network (`exits.network`): it is tried for ever, at least every 10 s, and never parked for that"
        case .dependency: "what it `requires`, or its group, went down; it comes back with that, and nothing is counted"
        case .asked: "somebody asked for it; nothing is counted"
        case .recycled: "it was replaced when idle, to give memory back or to take new values; nothing is counted"
        case .unkillable:
            "SIGKILL did not end it within `kill-grace`: it waits in the kernel, on a disk or a mount; it is replaced when it"
                + " is gone"
        case .unknown: "how it ended cannot be known; it counts as a crash, and `delay` decides what follows"
        }
    }

    private func slowRetry(_ policy: ChildPolicy) -> String {
        policy.delay.slowRetry.map { "tried again after \($0.words) (`delay.slow-retry`)" }
            ?? "waits for you (`delay.slow-retry` is never)"
    }
}

extension ChildPolicy {
    /// When it is started again, and by which settings.
    var rule: String {
        switch schedule {
        case .every(let interval):
            return "started \(interval.words) after its last start (`schedule.every`), however that run ended"
        case .calendar: return "started at its times (`schedule.at`), however the last run ended"
        case nil: break
        }
        let when =
            switch restart {
            case .always: "started again whenever it ends (`restart`)"
            case .onFailure: "started again unless it ends with success (`restart`)"
            case .never: "never started again by itself (`restart`)"
            }
        guard restart != .never else { return when }
        return when
            + ", after \(delay.first.words) doubling up to \(delay.cap.words), counted from its last start; back to the"
            + " first after \(delay.stableAfter.words) of being ready (`delay`)"
    }

    /// What would make it give up, and what then.
    func givesUp(after unstable: UInt16) -> String {
        if schedule != nil { return "never: a run that fails is followed by the next one at its time" }
        let end = significant ? "; the tree ends with it (`significant`)" : ""
        guard restart != .never else { return "it is not tried again" + end }
        var words = "\(delay.parkAfter) unstable runs in a row (now \(unstable)) (`delay.park-after`)"
        if let intensity {
            words += ", or more than \(intensity.restarts) restarts within \(intensity.window.words) (`intensity`)"
        }
        words += ", or a configuration error; then "
        words += delay.slowRetry.map { "one try every \($0.words) (`delay.slow-retry`)" } ?? "it needs you" + end
        return words + (critical ? ", and its group is parked with it (`critical`)" : "")
    }
}

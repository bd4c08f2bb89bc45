extension ChildStatus {
    /// The STATUS column: what the child says, or why it is not ready and what comes next. Part of it are words of the
    /// child, so all of it is cleaned.
    public var words: String { words(isExplained: false) }

    /// The same where `nexusctl why` of it is named anyhow.
    public var explainedWords: String { words(isExplained: true) }

    /// - Parameter isExplained: what `why` says stands beside it: nobody is sent there.
    func words(isExplained: Bool) -> String {
        let pointer = isExplained ? "needs you" : "needs you: nexusctl why \(name)"
        return Terminal.clean(
            joined([isRemoved ? "not in the file any more" : nil, stateWords(pointer), onWords]))
    }

    private func stateWords(_ needsYou: String) -> String {
        switch state {
        case "off": offWords
        case "waiting":
            joined([(awaits ?? waitsFor).map { "waits for \($0)" } ?? "waits for what it requires", failureWords])
        case "scheduled":
            joined([cause == nil ? nil : lastWords, nextRunWords, skippedWords])
        case "delayed": joined([lastWords, nextTry.map { "next try in \($0.spoken)" }])
        case "starting":
            joined([
                health, status, awaits.map { "waits for \($0)" } ?? "not ready yet", limit.map { "\($0.spoken) left" },
                failureWords,
            ])
        case "stopping":
            joined([
                cause.map { "stopping: \($0)" } ?? "stopping", awaits.map { "waits for \($0)" },
                limit.map { awaits == nil ? "killed in \($0.spoken)" : "\($0.spoken) left" }, wayOut,
                startsAgain ? "then it starts again" : nil, status,
            ])
        case "unkillable":
            "outlived SIGKILL: ended by nobody, replaced by nobody; see process \(pid.map(String.init) ?? "?")"
        case "parked":
            joined([
                culpritWords ?? lastWords,
                nextTry.map { "slow retry in \($0.spoken)" } ?? needsYou,
            ])
        case "done": lastEnd?.exit ?? "finished"
        case _:
            joined([
                health.map { "unhealthy: \($0)" }, status, valueWords, failureWords, skippedWords, recycleWords,
            ])
        }
    }

    /// The colour of the state.
    public var style: Terminal.Style {
        switch state {
        case "ready": .green
        case "parked", "unkillable": .red
        case "off", "done", "scheduled": .dim
        case _: .yellow
        }
    }

    /// `crash: signal 9 (KILL)`: cause and end of the last run; what is known beyond its exit says more.
    public var lastWords: String? {
        guard let lastEnd else { return cause }
        return "\(cause ?? lastEnd.cause): \(lastEnd.detail ?? lastEnd.exit)"
    }

    /// Of a stop that takes longer than one likes to wait.
    private var wayOut: String? {
        guard pid != nil, let limit, limit > .seconds(30) else { return nil }
        return "at once: nexusctl signal \(name) KILL"
    }

    /// How the last run ended of a child that the clock starts, where it failed: that stands until one succeeds.
    public var failure: String? {
        guard isScheduled, unstableRuns > 0, let lastEnd else { return nil }
        return "\(lastEnd.cause): \(lastEnd.detail ?? lastEnd.exit)"
    }

    /// While the next one is there.
    private var failureWords: String? { failure.map { "its last run failed: \($0)" } }

    private var nextRunWords: String {
        nextTry.map { "next run in \($0.spoken)" } ?? "no time left in its calendar; nexusctl reload"
    }

    private var skippedWords: String? {
        guard isScheduled, skippedRuns > 0 else { return nil }
        return "skipped \(skippedRuns == 1 ? "one run" : "\(skippedRuns) runs"): it ran still"
    }

    /// A member of a group that is parked because of another one.
    private var culpritWords: String? {
        guard cause == "dependency", let waitsFor else { return nil }
        return "its group is parked because of \(waitsFor)"
    }

    private var offWords: String {
        if isStoppedWithTree { return "stopped with the tree" }
        if choice == "off" { return "stopped by command; nexusctl start \(name)" }
        if status == nil, let startedBy { return "off until \(startedBy) starts it; \(Self.how(startedBy))" }
        // Enabled and without an owner's choice: a worker that may stop it did.
        return status ?? (isEnabled ? "stopped by a worker" : "off in the configuration") + "; nexusctl start \(name)"
    }

    // What it starts has a command of its own, which says when.
    private static func how(_ starter: String) -> String {
        starter == "tunnel-worker" ? "nexusctl tunnel" : "nexusctl why \(starter)"
    }

    private var recycleWords: String? {
        guard let recycle else { return nil }
        let why = recycle.above.map { "grown above \($0 >> 20) MiB" } ?? "a fresh run is asked for"
        let least = recycle.notBefore > .zero && recycle.isWhenIdle ? "not before \(recycle.notBefore.spoken), " : ""
        return "\(why): replaced \(recycle.isWhenIdle ? "when idle, " : "")\(least)in \(recycle.within.spoken)"
            + (recycle.isWhenIdle ? " at the latest" : "")
    }

    /// Wanted though the file does not enable it, wherever it stands. A reset of what a worker starts and stops would be a stop for that one.
    private var onWords: String? {
        choice == "on" && state != "off"
            ? "on by command; " + (startedBy.map(Self.how) ?? "nexusctl reset \(name)") : nil
    }

    private var valueWords: String? {
        let words = values.compactMap { member in
            (member.value.text ?? member.value.number.map(String.init)).map { "\(member.name) \($0)" }
        }
        return words.isEmpty ? nil : words.joined(separator: ", ")
    }

    private func joined(_ parts: [String?]) -> String {
        parts.compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: "; ")
    }
}

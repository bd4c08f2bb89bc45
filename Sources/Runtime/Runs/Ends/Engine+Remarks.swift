import Plan
import SupervisorCore
import System

extension Engine {
    /// Says of an end what its exit does not. The first word about a run stands: it is the nearest to what happened.
    func remark(_ child: ChildID, _ run: RunID, _ words: String, _ settings: [Explanation.Setting] = []) {
        guard self[child].remark?.run != run else { return }
        self[child].remark = EndRemark(run, words, settings)
        keeper?.touch(child)
    }

    /// A run is over; what can be said of it that nobody said before.
    func remarkEnd(_ end: EndRecord) {
        if end.cause == .crash { return remarkCrash(end) }
        guard end.cause == .config else { return }
        if end.exit == .code(0) {
            remark(end.child, end.run, "it ended at once with success, where it must run")
        } else if case .notExecuted(.directory, let errno) = end.exit {
            let directory = plan.traits(end.child).directory
            remark(end.child, end.run, "directory \(directory): \(Errno(rawValue: errno))")
        }
    }

    private func remarkCrash(_ end: EndRecord) {
        switch end.exit {
        case .signal(let signal, _, _): remarkLimit(end, signal)
        // After a change of user the exec of one process too many fails (execve(2)).
        case .notExecuted(.exec, Errno.again.rawValue):
            let limit = plan.traits(end.child).limits.first { $0.resource == ResourceLimit.processes }
            guard let limit, limit.soft < .max else { break }
            remark(
                end.child, end.run,
                "not executed: its user has as many processes as `limits.nproc` (\(limit.soft)) allows, or more",
                [Explanation.Setting(key: "child.\(names[end.child]).limits.nproc", value: "\(limit.soft)")])
        case .notExecuted(.exec, Errno.timedOut.rawValue):
            remark(
                end.child, end.run,
                "not executed within \(Launch.limit.words): the kernel waits for \(plan[end.child].executable), or for its"
                    + " directory")
        case .code, .notExecuted, .unknown, nil: break
        }
    }

    /// It had said that it stops, or was asked to, and is killed as it did not. What nexusd ends for a fault of its own has its
    /// words already.
    func remarkKill(_ child: ChildID, _ run: RunID) {
        let view = core.view(of: child)
        guard view.run == run, view.phase == .stopping else { return }
        let setting = Explanation.Setting(
            key: "child.\(names[child]).stop-timeout", value: DurationText.show(plan.policy(child).stop.timeout))
        switch view.cause {
        case nil:
            remark(
                child, run,
                "it said STOPPING=1 and had not ended after \((now - view.since).words) (`stop-timeout`): nexusd killed it",
                [setting])
        case .asked, .dependency, .recycled:
            guard let living = self[child].run, let stop = living.stopSignal, shutdownLevel < 3 else { return }
            let who = living.hasExited ? "what it had started" : "it"
            let isCut = shutdownLevel == 2
            remark(
                child, run,
                "\(who) had not ended \((now - stop.at).words) after \(SignalName.show(stop.signal)) "
                    + (isCut ? "(the tree is ended at once)" : "(`stop-timeout`)") + ": nexusd killed it",
                isCut ? [] : [setting])
        case .done, .config, .crash, .oom, .watchdog, .probe, .network, .unkillable, .unknown: return
        }
    }

    /// A limit of its own that the kernel ends a process for: by SIGXCPU or SIGXFSZ, and by SIGKILL at the hard one of the
    /// processor time (setrlimit(2)).
    private func remarkLimit(_ end: EndRecord, _ signal: Signal) {
        let limits = plan.traits(end.child).limits
        let name = names[end.child]
        func limit(_ number: UInt8) -> Limit? { limits.first { $0.resource == number && $0.soft < .max } }
        if let size = limit(ResourceLimit.fileSize), signal == .fileSizeExceeded {
            let text = SizeText.show(size.soft)
            remark(
                end.child, end.run, "a file of it would have grown above \(text), its limit",
                [Explanation.Setting(key: "child.\(name).limits.fsize", value: text)])
        }
        remarkPossibleLimit(end, signal)
        guard let time = limit(ResourceLimit.cpu) else { return }
        let used = self[end.child].usage?.usage(of: end.run).cpu ?? .zero
        let isHard = signal == .kill && time.isHardUsedUp(by: used)
        guard signal == .processorTimeExceeded || isHard else { return }
        let text = DurationText.show(.seconds(Int64(clamping: isHard ? time.hard : time.soft)))
        remark(
            end.child, end.run, "it had used up \(text) of processor time, its limit",
            [Explanation.Setting(key: "child.\(name).limits.cpu", value: text)])
    }

    /// A limit of which the kernel says nothing: an access that it refuses, or no memory. Many a fault ends by the same signal.
    private func remarkPossibleLimit(_ end: EndRecord, _ signal: Signal) {
        let possible: [ResourceName] =
            switch signal {
            case .segmentationFault: [.stack, .as, .data]
            case .abort: [.as, .data]
            case _: []
            }
        let limits = plan.traits(end.child).limits
        for resource in possible {
            guard let limit = limits.first(where: { $0.resource == resource.rawValue && $0.soft < .max }) else {
                continue
            }
            let (key, text) = ("limits.\(resource.name)", SizeText.show(limit.soft))
            let setting = Explanation.Setting(key: "child.\(names[end.child]).\(key)", value: text)
            return remark(end.child, end.run, "\(EndRemark.possible) `\(key)` (\(text))", [setting])
        }
    }

    /// The core begins to end a run.
    func remarkStop(_ child: ChildID, _ run: RunID, for cause: Cause) {
        let view = core.view(of: child)
        guard view.run == run else { return }
        // Made for the few causes that say something: a thousand children may be stopped in one turn.
        lazy var explanation = self.explanation(of: child)
        switch cause {
        case .watchdog:
            let time = view.watchdog?.words ?? "long"
            let isOwn = view.watchdog != plan.policy(child).watchdog
            remark(
                child, run, "no WATCHDOG=1 came for \(time)\(isOwn ? EndRemark.ownWatchdog : "")",
                isOwn ? [] : explanation.settings(of: .watchdog))
        case .probe where self[child].run?.launch != nil:
            let time = (now - (view.started ?? now)).words
            remark(
                child, run,
                "not executed within \(time): the kernel waits for \(plan[child].executable), or for its directory",
                explanation.startSettings)
        case .probe where view.ready == nil:
            let wait = explanation.readyWords.map { ": it waited for \($0)" } ?? ""
            let last = self[child].health.map { "; the last probe: \($0)" } ?? ""
            let time = (now - (view.started ?? now)).words
            remark(child, run, "not ready within \(time)\(wait)\(last)", explanation.startSettings)
        case .probe:
            let misses = plan.policy(child).liveness?.misses ?? LivenessRule.defaultMisses
            let last = self[child].health.map { ", the last: \($0)" } ?? ""
            remark(child, run, "\(misses) misses in a row\(last)", explanation.healthSettings)
        case .recycled:
            let above = plan.traits(child).bounds.recycle?.above
            guard self[child].run?.grownSince != nil, let above else { return }
            remark(child, run, "it had grown above \(byteWords(above))", explanation.settings(of: .recycled))
        case .done, .config, .crash, .oom, .network, .dependency, .asked, .unkillable, .unknown: break
        }
    }
}

extension Signal {
    /// SIGSEGV.
    fileprivate static let segmentationFault = Signal(rawValue: 11)
}

extension Limit {
    /// The kernel counts whole ticks, of which what is measured may have an eighth less after a second on a busy machine.
    private static let tickTolerance = Duration.milliseconds(250)

    /// Of processor time: a process that used as much may have been ended at its hard limit.
    func isHardUsedUp(by used: Duration) -> Bool {
        hard < .max && used + Self.tickTolerance >= .seconds(Int64(clamping: hard))
    }
}

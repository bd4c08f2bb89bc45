import Plan
import SupervisorCore
import System
import Wire

extension Engine {
    /// Looks at the memory of every run that has a bound nobody else keeps.
    func lookAtMemory() {
        guard let due = memory.deadline, due <= now else { return }
        memory.deadline = nil
        for child in memory.children {
            guard let run = self[child].run else { continue }
            memory.deadline = now + MemoryWatch.interval
            guard !run.hasExited, !run.isOverMemory, let bytes = run.scope.memory() else { continue }
            judge(bytes, of: run, child, plan.traits(child).bounds)
        }
    }

    private func judge(_ bytes: UInt64, of run: LivingRun, _ child: ChildID, _ bounds: RunBounds) {
        if let max = bounds.memoryMax, bytes > max, !surroundings.containment.enforces(.memory) {
            return endForMemory(bytes, max, run, child)
        }
        guard let rule = bounds.recycle else { return }
        guard bytes > rule.above else { return run.grownSince = nil }
        if run.grownSince == nil {
            run.grownSince = now
            let above = "above its \(byteWords(rule.above)) (`memory.recycle`)"
            let stable = plan.policy(child).delay.stableAfter
            let words = recycling(of: child)?.words(at: now, stableAfter: stable, name: names[child])
            say(
                LogEvent(
                    .memory, 5, "\(names[child]) has \(byteWords(bytes)) of memory; \(words ?? "it is \(above)").",
                    names[child], run.id, [LogEvent.Field(name: "BYTES", value: String(bytes))]))
        }
        let busy = now - (run.grownSince ?? now)
        if plan.isWorker(child) {
            // It says itself when it is idle; the core has the patience.
            feed(.recycle(child, run.id, within: max(.zero, rule.patience - busy)))
        } else if busy >= rule.patience {
            feed(.recycle(child, run.id, within: .zero))
        } else if run.suggestedAt.map({ now - $0 >= MemoryWatch.suggestionInterval }) ?? true {
            run.suggestedAt = now
            suggestRecycling(child)
        }
    }

    /// To every worker that may restart it: who knows when it is idle asks for it then.
    private func suggestRecycling(_ child: ChildID) {
        for worker in plan.keepers(of: child) { router.suggestRecycling(names[child], to: PeerID(worker)) }
    }

    /// An owner asks. A worker is told to drain by the core; of another child one of its keepers knows when it is idle. With
    /// nobody who knows it is stopped at once.
    func wishRecycling(_ child: ChildID, _ run: RunID) {
        let patience = plan.traits(child).bounds.recycle?.patience
        guard !plan.isWorker(child), plan.keepers(of: child).contains(where: { self[$0].run != nil }) else {
            return feed(.recycle(child, run, within: patience ?? .zero))
        }
        wishes.add(child, run, until: now + (patience ?? RecycleWishes.patience), at: now)
        suggestRecycling(child)
    }

    func settleWishes() {
        guard let due = wishes.deadline, due <= now else { return }
        let (over, again) = wishes.take(at: now) { self[$0].run?.id == $1 }
        for (child, run) in over { feed(.recycle(child, run, within: .zero)) }
        again.forEach(suggestRecycling)
    }

    /// What the kernel's OOM killer would do, for the whole run.
    private func endForMemory(_ bytes: UInt64, _ max: UInt64, _ run: LivingRun, _ child: ChildID) {
        run.isOverMemory = true
        remark(
            child, run.id,
            "it had \(byteWords(bytes)), above its memory.max of \(byteWords(max)), and nexusd killed it",
            explanation(of: child).settings(of: .oom))
        say(
            LogEvent(
                .memory, 4,
                "\(names[child]) has \(byteWords(bytes)) of memory, above its limit of \(byteWords(max)); it is killed.",
                names[child], run.id, [LogEvent.Field(name: "BYTES", value: String(bytes))]))
        send(.kill, .all, to: child, run.id)
    }
}

/// For people: `512 KiB`, `1.5 GiB`.
func byteWords(_ bytes: UInt64) -> String {
    let units = [("GiB", UInt64(1) << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
    guard let (name, size) = units.first(where: { bytes >= $0.1 }) else { return "\(bytes) bytes" }
    let tenths = bytes / (size / 10)
    return tenths < 100 && tenths % 10 != 0 ? "\(tenths / 10).\(tenths % 10) \(name)" : "\(tenths / 10) \(name)"
}

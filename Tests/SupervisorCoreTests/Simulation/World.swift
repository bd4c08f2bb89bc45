import SupervisorCore

/// The kernel and the processes as far as the core can tell: what it asked for, and what has become of it.
struct World {
    /// A run from `Action.spawn` until nothing of it is left.
    struct Process {
        let child: ChildID
        let run: RunID
        /// It is there.
        var isCloned = false
        /// Its program is executed.
        var isSpawned = false
        /// It was heard of before the spawn was answered: so that has not failed.
        var hasSpoken = false
        var isMainAlive = true
        var hasOthers = false
        var isReady = false
        var probes = 0
        var isDrained = false
        var hasInterval = false
        var isAskedToStop = false
        var isKilled = false
        /// SIGKILL does not end it until the world is calm.
        var isImmortal: Bool { run.rawValue % 29 == 0 }
    }

    /// By child; there is never more than one, else the referee has complained.
    private(set) var processes: [Process?]

    /// Children whose output waits for the log-writer.
    private(set) var crowded: Set<ChildID> = []

    init(tree: Tree) { processes = Array(repeating: nil, count: tree.children.count + 1) }

    /// Room for children that a reload adds.
    mutating func extend(to count: Int) {
        while processes.count < count + 1 { processes.append(nil) }
    }

    subscript(child: ChildID) -> Process? {
        get { Int(child.rawValue) < processes.count ? processes[Int(child.rawValue)] : nil }
        set { if Int(child.rawValue) < processes.count { processes[Int(child.rawValue)] = newValue } }
    }

    mutating func carryOut(_ action: Action) {
        switch action {
        case .spawn(let child, let run): self[child] = Process(child: child, run: run)
        case .drain(let child, let run): change(child, run) { $0.isDrained = true }
        case .signal(let child, let run, .kill, _): change(child, run) { $0.isKilled = true }
        case .signal(let child, let run, _, _): change(child, run) { $0.isAskedToStop = true }
        case .probe(let child, let run): change(child, run) { $0.probes += 1 }
        case .record(.ended(let end)): if self[end.child]?.run == end.run { self[end.child] = nil }
        case .record, .answer, .end, .finished: break
        }
    }

    private mutating func change(_ child: ChildID, _ run: RunID, _ change: (inout Process) -> Void) {
        guard var process = self[child], process.run == run else { return }
        change(&process)
        self[child] = process
    }

    /// What the core hears of a deed; nothing where it does not fit.
    mutating func events(of deed: Step.Deed) -> [Event] {
        let events = consequences(of: deed)
        // Even a run that is not known to be there has spoken then.
        if case .stale = deed { return events }
        for event in events {
            guard let child = event.speaker else { continue }
            self[child]?.isCloned = true
            self[child]?.hasSpoken = true
        }
        return events
    }

    private mutating func consequences(of deed: Step.Deed) -> [Event] {
        switch deed {
        case .nothing, .command, .reload, .setClock, .shutDown, .adopt, .beLate: return []
        case .ready(let child):
            self[child]?.isReady = true
            return living(child).map { [.ready(child, $0)] } ?? []
        case .clone(let child):
            guard let process = self[child], !process.isCloned, process.isMainAlive else { return [] }
            self[child]?.isCloned = true
            return [.cloned(child, process.run)]
        case .answerSpawn(let child, let errno): return answerSpawn(child, errno)
        case .barSpawn(let child, let holder):
            guard let process = self[child], !process.isCloned, !process.hasSpoken, process.isMainAlive else {
                return []
            }
            self[child] = nil
            return [.barred(child, process.run, .prepare, errno: 11, by: holder)]
        case .mainEnds(let child, let exit, let leavesOthers): return endMain(child, exit, leavesOthers)
        case .othersEnd(let child):
            guard let process = self[child], !process.isMainAlive, process.hasOthers else { return [] }
            self[child] = nil
            return [.emptied(child, process.run)]
        case .answerProbe(let child, let healthy):
            guard let run = living(child), self[child]?.probes ?? 0 > 0 else { return [] }
            self[child]?.probes -= 1
            return [.probed(child, run, healthy: healthy)]
        case .tellHealth(let child, let healthy):
            return living(child).map { [.judged(child, $0, healthy: healthy)] } ?? []
        case .drained(let child):
            guard self[child]?.isDrained == true else { return [] }
            return living(child).map { [.drained(child, $0)] } ?? []
        case .failProbe(let child):
            guard let run = living(child), self[child]?.probes ?? 0 > 0 else { return [] }
            self[child]?.probes -= 1
            return [.unprobed(child, run)]
        case .trigger(let child): return living(child).map { [.watchdogTrigger(child, $0)] } ?? []
        case .setInterval(let child, let time):
            guard let run = living(child) else { return [] }
            self[child]?.hasInterval = time > .zero
            return [.watchdogInterval(child, run, time)]
        case .ping(let child): return living(child).map { [.watchdogPing(child, $0)] } ?? []
        case .leave(let child): return living(child).map { [.stopping(child, $0)] } ?? []
        case .extend(let child, let time): return living(child).map { [.extendTimeout(child, $0, time)] } ?? []
        case .breakLink(let child, let cause): return living(child).map { [.linkBroken(child, $0, cause)] } ?? []
        case .recycle(let child, let time): return living(child).map { [.recycle(child, $0, within: time)] } ?? []
        case .restartItself(let child): return living(child).map { [.restartItself(child, $0)] } ?? []
        case .crowd(let child, let isCrowded):
            if isCrowded { crowded.insert(child) } else { crowded.remove(child) }
            return [.crowded(child, isCrowded)]
        case .stale(let child, let run, let index):
            if self[child]?.run == run { return [] }
            let all = StateEventTable.runEvents(child, run)
            return [all[index % all.count]]
        }
    }

    private func living(_ child: ChildID) -> RunID? {
        guard let process = self[child], process.isMainAlive else { return nil }
        return process.run
    }

    private mutating func answerSpawn(_ child: ChildID, _ errno: Int32?) -> [Event] {
        guard let process = self[child], !process.isSpawned else { return [] }
        // It may have failed before it could be stopped.
        if let errno, !process.hasSpoken, process.isMainAlive {
            self[child] = nil
            return [.spawnFailed(child, process.run, errno == 2 ? .exec : .clone, errno: errno)]
        }
        self[child]?.isCloned = true
        self[child]?.isSpawned = true
        return (process.isCloned ? [] : [.cloned(child, process.run)]) + [.spawned(child, process.run)]
    }

    private mutating func endMain(_ child: ChildID, _ exit: Exit, _ leavesOthers: Bool) -> [Event] {
        guard let run = living(child) else { return [] }
        if leavesOthers {
            self[child]?.isMainAlive = false
            self[child]?.hasOthers = true
            return [.exited(child, run, exit)]
        }
        self[child] = nil
        return [.exited(child, run, exit), .emptied(child, run)]
    }
}

extension Event {
    /// The child whose run says it.
    fileprivate var speaker: ChildID? {
        switch self {
        case .ready(let child, _), .stopping(let child, _), .extendTimeout(let child, _, _),
            .watchdogPing(let child, _),
            .watchdogTrigger(let child, _), .watchdogInterval(let child, _, _), .probed(let child, _, _),
            .judged(let child, _, _), .linkBroken(let child, _, _), .recycle(let child, _, _),
            .restartItself(let child, _), .exited(let child, _, _):
            child
        case .cloned, .spawned, .spawnFailed, .barred, .unprobed, .drained, .emptied, .timetable, .crowded, .tick,
            .late,
            .shutdown,
            .command:
            nil
        }
    }
}

import SupervisorCore

/// The reference model: what must hold whatever happens, said without knowing how the core does it. It believes nothing
/// but the events that went in and the actions that came out; of `view` it takes only who is off, parked or done.
struct Referee {
    /// What is known of a living run.
    struct Life {
        let run: RunID
        let started: Instant
        var isReady = false
        var isLeaving = false
        var stop: Cause?
        var isExited = false
        var isEmpty = false
        var isUnkillable = false

        var serves: Bool { isReady && !isLeaving && !isExited && (stop == nil) }
    }

    let tree: Tree
    let isTame: Bool
    let began: Instant
    /// Broken promises, in words.
    private(set) var problems: [String] = []
    private(set) var spawns = 0
    private(set) var isFinished = false
    var lives: [ChildID: Life] = [:]
    var level: UInt8 = 0
    private var lastRun = RunID(rawValue: 0)
    private var announced: RunID?
    private var ends = 0
    private var open: Set<CommandID> = []
    private var hasCommands = false
    private var logWriterWasReady = false
    /// As shown after the last event.
    private var unstableRuns: [ChildID: UInt16] = [:]
    /// A child may not start before this, unless an owner says so.
    private var earliest: [ChildID: Instant] = [:]
    /// Runs that have to be over before anything of their group starts.
    private var swept: [Int: Set<RunID>] = [:]

    init(tree: Tree, isTame: Bool, at now: Instant) {
        self.tree = tree
        self.isTame = isTame
        began = now
    }

    mutating func complain(_ words: String) { problems.append(words) }

    /// Before the core sees it.
    mutating func note(_ event: Event) {
        switch event {
        case .exited(let child, let run, _): change(child, run) { $0.isExited = true }
        case .emptied(let child, let run): change(child, run) { $0.isEmpty = true }
        case .spawnFailed(let child, let run, _, _):
            change(child, run) {
                $0.isExited = true
                $0.isEmpty = true
            }
        case .stopping(let child, let run): change(child, run) { $0.isLeaving = true }
        case .shutdown(let new): level = max(level, min(new, 3))
        case .command(_, let id):
            open.insert(id)
            hasCommands = true
            earliest = [:]
        case .tick, .spawned, .ready, .extendTimeout, .watchdogPing, .watchdogTrigger, .watchdogInterval, .probed,
            .unprobed, .drained, .linkBroken, .recycle, .late:
            break
        }
    }

    private mutating func change(_ child: ChildID, _ run: RunID, _ change: (inout Life) -> Void) {
        if lives[child]?.run == run {
            lives[child].map {
                var life = $0; change(&life); lives[child] = life
            }
        }
    }

    /// After the core has answered.
    mutating func judge(_ actions: [Action], at now: Instant, _ after: Supervisor) {
        let livesBefore = lives
        for action in actions {
            if isFinished, case .answer = action {} else if isFinished { complain("after the end: \(action)") }
            switch action {
            case .spawn(let child, let run): judgeSpawn(child, run, at: now, after)
            case .drain(let child, let run), .signal(let child, let run, _, _), .probe(let child, let run):
                if lives[child]?.run != run { complain("\(action) for a run that is over") }
            case .record(let record): judge(record, at: now, after, livesBefore)
            case .answer(let id, _):
                if open.remove(id) == nil { complain("answered twice or never asked: \(id)") }
            case .finished(let isClean): judgeFinish(isClean)
            }
        }
        checkPhases(after)
    }

    private mutating func judge(
        _ record: Record, at now: Instant, _ after: Supervisor, _ livesBefore: [ChildID: Life]
    ) {
        switch record {
        case .starting(_, let run): announced = run
        case .ready(let child, let run):
            if lives[child]?.run != run || lives[child]?.isReady == true { complain("ready twice or dead: \(child)") }
            change(child, run) { $0.isReady = true }
            if child == tree.logWriter { logWriterWasReady = true }
        case .stopping(let child, let run, let cause):
            if lives[child]?.stop != nil { complain("stopped twice: \(child)") }
            judgeStop(child, cause, after)
            change(child, run) { $0.stop = cause }
        case .killing: break
        case .ended(let end): judgeEnd(end, at: now, after)
        case .delayed(let child, let until, let cause):
            judgeDelay(child, until, cause, at: now, after)
            noteSweep(child, cause, livesBefore, after)
        case .parked(let child, _, _): if child == tree.logWriter { complain("the log-writer parked") }
        case .groupParked: break
        case .unkillable(let child, let run): change(child, run) { $0.isUnkillable = true }
        }
    }

    // MARK: One life, one end

    private mutating func judgeSpawn(_ child: ChildID, _ run: RunID, at now: Instant, _ after: Supervisor) {
        if lives[child] != nil { complain("two live runs of \(child)") }
        if announced != run { complain("spawn without its record: \(run)") }
        if run <= lastRun { complain("run ids go backwards") }
        // The farewell of a log-writer does not wait: see `startsFarewell`.
        let isFarewell = child == tree.logWriter && level > 0
        if let instant = earliest[child], now < instant, !isFarewell { complain("\(child) came back too early") }
        if level > 2 || (level > 0 && child != tree.logWriter) { complain("\(child) started while the tree ends") }
        if let logWriter = tree.logWriter, child != logWriter, !logWriterWasReady,
            tree.children[Int(logWriter.rawValue) - 1].enabled, now - began < Tree.logWriterPatience
        {
            complain("\(child) did not wait for the log-writer")
        }
        judgeGates(of: child, after)
        lastRun = run
        spawns += 1
        earliest[child] = nil
        lives[child] = Life(run: run, started: now)
    }

    private mutating func judgeEnd(_ end: EndRecord, at now: Instant, _ after: Supervisor) {
        guard let life = lives.removeValue(forKey: end.child), life.run == end.run else {
            complain("an end of nothing: \(end)")
            return
        }
        ends += 1
        let isGivenUp = end.cause == .unkillable && level > 0 && life.isUnkillable
        if !(life.isEmpty && (life.isExited || life.isUnkillable)) && !isGivenUp { complain("not over: \(end)") }
        if end.started != life.started || end.ended != now { complain("wrong times: \(end)") }
        if let stop = life.stop, end.cause != stop, !isGivenUp {
            complain("stopped for \(stop), ended as \(end.cause)")
        }
        let policy = tree.children[Int(end.child.rawValue) - 1]
        let counted = after.view(of: end.child).unstableRuns
        if counted > unstableRuns[end.child, default: 0], end.child != tree.logWriter {
            earliest[end.child] = life.started + policy.delay.first
            if counted >= policy.delay.parkAfter, after.view(of: end.child).phase != .parked {
                complain("\(end.child) had \(counted) unstable runs and is not parked")
            }
        }
    }

    private mutating func judgeFinish(_ isClean: Bool) {
        if isFinished { complain("finished twice") }
        if !lives.isEmpty { complain("finished with living runs: \(lives.keys)") }
        if !open.isEmpty { complain("finished with open commands") }
        if ends != spawns { complain("\(spawns) spawns and \(ends) ends") }
        isFinished = true
    }

    private mutating func checkPhases(_ after: Supervisor) {
        for index in tree.children.indices {
            let child = ChildID(rawValue: UInt16(index + 1))
            let view = after.view(of: child)
            unstableRuns[child] = view.unstableRuns
            if view.run != lives[child]?.run {
                complain("\(child) is \(view), known is \(String(describing: lives[child]))")
            }
        }
    }

    // MARK: Delays and sweeps

    private mutating func judgeDelay(
        _ child: ChildID, _ until: Instant, _ cause: Cause, at now: Instant, _ after: Supervisor
    ) {
        let cap = child == tree.logWriter ? .seconds(1) : tree.children[Int(child.rawValue) - 1].delay.cap
        if until <= now { complain("\(child) is delayed into the past") }
        if until - now > cap + cap / 10 { complain("\(child) is delayed beyond its cap") }
        earliest[child] = until
    }

    /// The restart of an ordered group: these runs have to be over before anything of it starts.
    private mutating func noteSweep(_ child: ChildID, _ cause: Cause, _ lives: [ChildID: Life], _ after: Supervisor) {
        guard isTame, cause != .network, level == 0 else { return }
        let isReasonable = tree.children[Int(child.rawValue) - 1].requires.allSatisfy {
            lives[$0]?.serves == true || after.view(of: $0).phase == .done
        }
        guard isReasonable, let index = tree.groups.firstIndex(where: { $0.children.contains(child) }) else { return }
        let members = tree.groups[index].children
        let siblings: [ChildID]
        switch tree.groups[index].strategy {
        case .oneForOne: siblings = []
        case .oneForAll: siblings = members.filter { $0 != child }
        case .restForOne: siblings = Array(members.drop { $0 != child }.dropFirst())
        }
        for sibling in siblings {
            guard let life = lives[sibling], !life.isUnkillable else { continue }
            swept[index, default: []].insert(life.run)
        }
    }

    // MARK: Gates and orders

    private mutating func judgeGates(of child: ChildID, _ after: Supervisor) {
        guard isTame else { return }
        let policy = tree.children[Int(child.rawValue) - 1]
        for required in policy.requires where !(lives[required]?.serves ?? (after.view(of: required).phase == .done)) {
            complain("\(child) started without \(required)")
        }
        for other in policy.after where !isSettled(other, after) { complain("\(child) started before \(other)") }
        guard let index = tree.groups.firstIndex(where: { $0.children.contains(child) }) else { return }
        let group = tree.groups[index]
        if group.strategy == .oneForOne { return }
        for other in group.children.prefix(while: { $0 != child }) {
            // A member that is going down for good holds up nobody, even before it is down.
            let isGoing = lives[other]?.stop?.isPlanned ?? false || hasCommands || isHeld(other, after)
            if !isGoing, !isSettled(other, after) { complain("\(child) started before \(other) of its group") }
        }
        for life in lives.values where swept[index]?.contains(life.run) == true && !life.isUnkillable {
            complain("\(child) started while its group was still going down")
        }
        swept[index] = nil
    }

    private func isSettled(_ child: ChildID, _ after: Supervisor) -> Bool {
        if let life = lives[child] { return life.serves || life.isUnkillable }
        switch after.view(of: child).phase {
        case .off, .parked, .done: return true
        case .waiting, .delayed: return isHeld(child, after)
        case .starting, .ready, .stopping, .unkillable: return false
        }
    }

    /// Something it requires, or that requires, is given up or on its way down.
    private func isHeld(_ child: ChildID, _ after: Supervisor) -> Bool {
        if let group = tree.groups.firstIndex(where: { $0.children.contains(child) }),
            after.parked(GroupID(rawValue: UInt16(group))) != nil
        {
            return true
        }
        return tree.children[Int(child.rawValue) - 1].requires.contains { required in
            switch after.view(of: required).phase {
            case .off, .parked, .unkillable: true
            case .stopping: lives[required]?.stop?.isPlanned ?? true || isHeld(required, after)
            case .starting, .ready: hasCommands || isHeld(required, after)
            case .waiting, .delayed: isHeld(required, after)
            case .done: false
            }
        }
    }

    private mutating func judgeStop(_ child: ChildID, _ cause: Cause, _ after: Supervisor) {
        guard cause == .asked || cause == .dependency, isTame, level < 3 else { return }
        for (other, life) in lives where !life.isUnkillable && other != child {
            let policy = tree.children[Int(other.rawValue) - 1]
            let depends = policy.requires.contains(child) || (level > 0 && policy.after.contains(child))
            if depends, level > 0 || cause == .asked { complain("\(child) was stopped before \(other)") }
            if level > 0, child == tree.logWriter { complain("the log-writer was stopped before \(other)") }
        }
        if level > 0, let group = tree.groups.first(where: { $0.children.contains(child) }),
            group.strategy != .oneForOne
        {
            for other in group.children.drop(while: { $0 != child }).dropFirst() {
                if let life = lives[other], !life.isUnkillable {
                    complain("\(child) was stopped before \(other) after it")
                }
            }
        }
        // Without an owner's word a run is stopped for others only where one of them is given up or the group restarts.
        if cause == .dependency, !hasCommands, level == 0, !isHeld(child, after) {
            let isOrdered = tree.groups.contains { $0.strategy != .oneForOne && $0.children.contains(child) }
            if !isOrdered { complain("\(child) was stopped for nothing") }
        }
    }
}

extension Cause {
    fileprivate var isPlanned: Bool { self == .asked || self == .dependency || self == .recycled }
}

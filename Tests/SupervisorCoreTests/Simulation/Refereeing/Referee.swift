@testable import SupervisorCore

/// What must hold whatever happens, said without knowing how the core does it. It believes nothing but the events that
/// went in and the actions that came out; of `view` it takes only who is done, where that can be, after it has compared
/// the runs, and it compares where each child stands with what it knows itself. Problems carry the number of the promise (DESIGN's list in docs/testing.md) that is broken.
struct Referee {
    /// A promise that was not kept.
    struct Problem: Hashable {
        let promise: Int
        let words: String
    }

    /// Another rule for this referee, for tests of the shrinker.
    typealias Inspector = (Action) -> String?

    /// What is known of a living run.
    struct Life {
        let run: RunID
        let started: Instant
        var ready: Instant?
        var isCloned = false
        var isSpawned = false
        var isLeaving = false
        /// It asked for a new run in its place.
        var hasWished = false
        var stop: Cause?
        /// When it began to end.
        var ending: Instant?
        var isExited = false
        var isEmpty = false
        var isKilled = false
        var isUnkillable = false
        /// An owner's word or a reload came that may concern it: its end need not be counted.
        var isDisturbed = false
        /// One of its ordered group has failed since: it may go down for that.
        var isSweepable = false
        /// The stop rule it was started under, where a reload has brought another one.
        var oldStop: StopRule?
        /// Something has to have happened by then.
        var due: Instant?

        var serves: Bool { ready != nil && !isLeaving && !isExited && stop == nil }
    }

    private(set) var tree: Tree
    /// By child number less one, and the group of each child number.
    private(set) var policies: [ChildPolicy]
    private(set) var groupIndex: [Int?]
    let isTame: Bool
    let began: Instant
    private let inspector: Inspector?
    private(set) var problems: [Problem] = []
    private(set) var spawns = 0
    private(set) var isFinished = false
    /// By child number.
    var lives: [Life?]
    var level: UInt8 = 0
    /// Runs that have to be over before anything of their group starts.
    var swept: Set<RunID> = []
    var restarts: [RestartBook]
    var standings: [Standing]
    var parkedGroups: [Int: ParkedGroup] = [:]
    /// Restarts of a group's members that surely count, for its intensity.
    var groupWindows: [Int: [Instant]] = [:]
    /// Commands that were not answered, and the last one of all.
    var open: [CommandID: Order] = [:]
    var lastCommand: UInt64 = 0
    /// Times of calendars.
    var times: [ChildID: Calendar] = [:]
    private var lastRun = RunID(rawValue: 0)
    private var announced: RunID?
    private var ends = 0
    private(set) var logWriterWasReady = false
    private(set) var crowded: Set<ChildID> = []

    init(tree: Tree, isTame: Bool, at now: Instant, inspector: Inspector?) {
        self.tree = tree
        self.isTame = isTame
        self.inspector = inspector
        began = now
        lives = Array(repeating: nil, count: tree.children.count + 1)
        restarts = Array(repeating: RestartBook(), count: tree.children.count + 1)
        policies = Array(tree.children)
        groupIndex = []
        standings = [Standing(isWanted: false)] + policies.map { Standing(isWanted: $0.enabled) }
        put(tree)
    }

    /// Another tree, and room for its children.
    mutating func put(_ tree: Tree) {
        self.tree = tree
        policies = Array(tree.children)
        while lives.count < policies.count + 1 {
            standings.append(Standing(isWanted: policies[lives.count - 1].enabled))
            lives.append(nil)
            restarts.append(RestartBook())
        }
        groupIndex = Array(repeating: nil, count: policies.count + 1)
        for (index, group) in tree.groups.enumerated() {
            for child in group.children where child != tree.logWriter && groupIndex[Int(child.rawValue)] == nil {
                groupIndex[Int(child.rawValue)] = index
            }
        }
    }

    mutating func complain(_ promise: Int, _ words: String) {
        problems.append(Problem(promise: promise, words: words))
    }

    subscript(child: ChildID) -> Life? {
        get { Int(child.rawValue) < lives.count ? lives[Int(child.rawValue)] : nil }
        set { if Int(child.rawValue) < lives.count { lives[Int(child.rawValue)] = newValue } }
    }

    /// Nobody is there any more to be answered.
    mutating func forgetCommands() { open = [:] }

    func policy(_ child: ChildID) -> ChildPolicy { policies[Int(child.rawValue) - 1] }

    /// How its living run is stopped.
    func stopRule(_ child: ChildID) -> StopRule { self[child]?.oldStop ?? policies[Int(child.rawValue) - 1].stop }

    func group(of child: ChildID) -> GroupPolicy? { groupIndex[Int(child.rawValue)].map { tree.groups[$0] } }

    /// Before the core sees it.
    mutating func note(_ event: Event, at now: Instant) {
        switch event {
        case .exited(let child, let run, _):
            change(child, run) {
                $0.isExited = true
                if $0.ending == nil { $0.ending = now }
            }
        case .emptied(let child, let run): change(child, run) { $0.isEmpty = true }
        case .barred(let child, let run, _, _, let holder):
            noteBarrier(of: child, run, holder)
            change(child, run) {
                $0.isExited = true
                $0.isEmpty = true
                $0.ending = $0.ending ?? now
            }
        case .spawnFailed(let child, let run, _, _):
            change(child, run) {
                $0.isExited = true
                $0.isEmpty = true
                $0.ending = $0.ending ?? now
            }
        case .stopping(let child, let run): noteLeaving(child, run, at: now)
        case .extendTimeout(let child, let run, let time): noteExtension(child, run, time, at: now)
        case .shutdown(let new): noteShutdown(new, at: now)
        case .command(let command, let id):
            lastCommand = id.rawValue
            loosenBarriers()
            noteCommand(command, id)
        case .cloned(let child, let run): change(child, run) { $0.isCloned = true }
        case .spawned(let child, let run), .ready(let child, let run), .linkBroken(let child, let run, _):
            change(child, run) { $0.isSpawned = true }
        case .restartItself(let child, let run):
            change(child, run) {
                $0.isSpawned = true
                $0.hasWished = true
            }
        case .tick: noteTick(at: now)
        case .timetable(let child, let moments, _): noteTimes(child, moments, at: now)
        case .crowded(let child, let isCrowded):
            if isCrowded { crowded.insert(child) } else { crowded.remove(child) }
        case .watchdogPing, .watchdogTrigger, .watchdogInterval, .probed, .judged, .unprobed, .drained, .recycle, .late:
            break
        }
    }

    mutating func change(_ child: ChildID, _ run: RunID, _ change: (inout Life) -> Void) {
        guard var life = self[child], life.run == run else { return }
        change(&life)
        self[child] = life
    }

    /// After the core has answered.
    mutating func judge(_ actions: [Action], after event: Event?, at now: Instant, _ after: Supervisor) {
        let livesBefore = actions.isEmpty ? [] : lives
        for action in actions {
            if isFinished, case .answer = action {} else if isFinished { complain(5, "after the end: \(action)") }
            if let inspector, let words = inspector(action) { complain(0, words) }
            switch action {
            case .spawn(let child, let run): judgeSpawn(child, run, at: now, after)
            case .drain(let child, let run), .probe(let child, let run):
                if self[child]?.run != run || self[child]?.isExited == true {
                    complain(3, "\(action) for a run that is over")
                }
                noteDrain(action, at: now)
            case .signal(let child, let run, let signal, let scope):
                judgeSignal(child, run, signal, scope, at: now)
            case .record(let record): judge(record, in: actions, at: now, after, livesBefore)
            case .answer(let id, let outcome): judgeAnswer(id, outcome, after)
            case .end(let child, _): judgeEndOfTree(because: child)
            case .finished(let isClean): judgeFinish(isClean)
            }
        }
        if event == .tick { checkDues(at: now) }
        checkRuns(after)
        if isTame, !actions.isEmpty || event?.mayMoveOthers ?? true { checkStandings(at: now, after) }
    }

    private mutating func judge(
        _ record: Record, in actions: [Action], at now: Instant, _ after: Supervisor, _ livesBefore: [Life?]
    ) {
        switch record {
        case .starting(_, let run): announced = run
        case .ready(let child, let run):
            if self[child]?.run != run || self[child]?.ready != nil { complain(4, "ready twice or dead: \(child)") }
            change(child, run) { $0.ready = now }
            fulfil(child)
            if child == tree.logWriter { logWriterWasReady = true }
        case .stopping(let child, let run, let cause):
            if self[child]?.run != run || self[child]?.stop != nil { complain(4, "stopped twice or dead: \(child)") }
            judgeStop(child, cause, after)
            change(child, run) {
                $0.stop = cause
                $0.ending = now
            }
        case .killing: break
        case .ended(let end):
            if end.cause == .done { fulfil(end.child) }
            judgeEnd(end, in: actions, at: now, after, livesBefore)
            noteDown(end.child)
            if isScheduled(end.child) { fulfil(end.child) }
        case .delayed(let child, let until, let cause):
            judgeDelay(child, until, at: now)
            noteSweep(child, cause, livesBefore, after)
        case .parked(let child, _, let sequel):
            if child == tree.logWriter { complain(6, "the log-writer parked") }
            judgeSequel(sequel, of: child, in: actions)
            noteParked(child, retry: sequel.retry)
        case .groupParked(let group, let because, let sequel):
            judgeSequel(sequel, of: because, in: actions)
            parkedGroups[Int(group.rawValue)] = ParkedGroup(because: because, retry: sequel.retry)
        case .skipped(let child, _):
            if policy(child).schedule == nil { complain(7, "\(child) skipped a time and has none") }
        case .unkillable(let child, let run):
            change(child, run) { $0.isUnkillable = true }
            // Its group goes on without it.
            swept.remove(run)
        }
    }

    private mutating func judgeSpawn(_ child: ChildID, _ run: RunID, at now: Instant, _ after: Supervisor) {
        if self[child] != nil { complain(1, "two live runs of \(child)") }
        if announced != run { complain(4, "spawn without its record: \(run)") }
        if crowded.contains(child) { complain(9, "\(child) started although its output waits") }
        judgeBarrier(of: child)
        if run <= lastRun { complain(4, "run ids go backwards") }
        if level > 2 || (level > 0 && child != tree.logWriter) { complain(7, "\(child) started while the tree ends") }
        if let logWriter = tree.logWriter, child != logWriter, !logWriterWasReady, policy(logWriter).enabled,
            now - began < Tree.logWriterPatience
        {
            complain(7, "\(child) did not wait for the log-writer")
        }
        if isTame, let why = hindrance(of: child, after) { complain(7, "\(child) started in spite of: \(why)") }
        judgeRestart(child, at: now)
        lastRun = run
        spawns += 1
        standings[Int(child.rawValue)].runs += 1
        self[child] = Life(run: run, started: now)
        standings[Int(child.rawValue)].mayBeDone = false
        standings[Int(child.rawValue)].parked = nil
    }

    private mutating func judgeEnd(
        _ end: EndRecord, in actions: [Action], at now: Instant, _ after: Supervisor, _ livesBefore: [Life?]
    ) {
        guard let life = self[end.child], life.run == end.run else {
            complain(4, "an end of nothing: \(end)")
            return
        }
        let wasGoingDown = isTame && isGoingDown(end.child, after)
        self[end.child] = nil
        ends += 1
        swept.remove(end.run)
        let index = Int(end.child.rawValue)
        standings[index].isBouncing = false
        standings[index].lastCause = end.cause
        standings[index].wasDone = false
        standings[index].mayBeDone =
            end.cause == .done && policy(end.child).restart != .always && !isScheduled(end.child)
            && end.child != tree.logWriter && !wasGoingDown
        let isGivenUp = end.cause == .unkillable && level > 0 && life.isUnkillable
        if !(life.isEmpty && (life.isExited || life.isUnkillable)) && !isGivenUp { complain(2, "not over: \(end)") }
        if end.started != life.started || end.ready != life.ready || end.ended != now {
            complain(4, "wrong times: \(end)")
        }
        if let stop = life.stop, end.cause != stop, !isGivenUp {
            complain(4, "stopped for \(stop), ended as \(end.cause)")
        }
        if countEnd(end, of: life, in: actions, after) { noteSweep(end.child, end.cause, livesBefore, after) }
    }

    private mutating func judgeSequel(_ sequel: Sequel, of child: ChildID, in actions: [Action]) {
        let isEnd = actions.contains { if case .end(child, _) = $0 { true } else { false } }
        if isEnd != (sequel == .endOfTree) {
            complain(7, "\(child) is given up, \(sequel), and the tree goes its own way")
        }
    }

    private mutating func judgeEndOfTree(because child: ChildID) {
        if !policy(child).significant { complain(7, "the tree ends because of \(child)") }
        if level > 0 { complain(7, "the tree ends twice") }
        if self[child] != nil { complain(7, "the tree ends because of \(child), which lives") }
        noteShutdown(1, at: began)
    }

    private mutating func judgeFinish(_ isClean: Bool) {
        if isFinished { complain(5, "finished twice") }
        if level == 0 { complain(7, "the root ended, which nobody asked for and no significant child brought about") }
        if lives.contains(where: { $0 != nil }) { complain(2, "finished with living runs") }
        if !open.isEmpty { complain(5, "finished with open commands") }
        if ends != spawns { complain(4, "\(spawns) spawns and \(ends) ends") }
        isFinished = true
    }

    private mutating func checkRuns(_ after: Supervisor) {
        for index in policies.indices {
            // What `view` says as well, but for a hundredth of its time: it is asked at every event.
            let run = after.children[index].state.run?.id
            if run != lives[index + 1]?.run {
                let child = ChildID(rawValue: UInt16(index + 1))
                complain(
                    1, "\(child) has the run \(String(describing: run)), known is \(String(describing: self[child]))")
            }
        }
    }
}

extension Event {
    /// Something may have to follow at other children although the core says nothing.
    fileprivate var mayMoveOthers: Bool {
        switch self {
        case .command, .crowded, .shutdown, .cloned: true
        case .tick, .spawned, .spawnFailed, .barred, .ready, .stopping, .extendTimeout, .watchdogPing, .watchdogTrigger,
            .watchdogInterval, .probed, .judged, .unprobed, .drained, .linkBroken, .recycle, .restartItself, .timetable,
            .exited, .emptied, .late:
            false
        }
    }
}

extension Cause {
    /// Somebody wanted it.
    var isWanted: Bool { self == .asked || self == .dependency || self == .recycled }
}

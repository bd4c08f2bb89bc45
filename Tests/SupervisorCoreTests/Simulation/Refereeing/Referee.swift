import SupervisorCore

/// What must hold whatever happens, said without knowing how the core does it. It believes nothing but the events that
/// went in and the actions that came out; of `view` it takes only who is off, parked or done, after it has compared the
/// runs. Problems carry the number of the promise (DESIGN's list in docs/testing.md) that is broken.
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
        var isLeaving = false
        var stop: Cause?
        /// When it began to end.
        var ending: Instant?
        var isExited = false
        var isEmpty = false
        var isKilled = false
        var isUnkillable = false
        /// An owner's word came while it lived: its end need not be counted.
        var isDisturbed = false
        /// Something has to have happened by then.
        var due: Instant?

        var serves: Bool { ready != nil && !isLeaving && !isExited && stop == nil }
    }

    private(set) var tree: Tree
    let isTame: Bool
    let began: Instant
    private let inspector: Inspector?
    private(set) var problems: [Problem] = []
    private(set) var spawns = 0
    private(set) var isFinished = false
    /// By child number.
    var lives: [Life?]
    var level: UInt8 = 0
    var hasCommands = false
    /// Runs that have to be over before anything of their group starts.
    var swept: [Int: Set<RunID>] = [:]
    var restarts: [RestartBook]
    /// Times of calendars, as they were last said.
    var times: [ChildID: [Moment]] = [:]
    private var lastRun = RunID(rawValue: 0)
    private var announced: RunID?
    private var ends = 0
    private var open: [CommandID: Command] = [:]
    /// Commands whose child has served since they were given; a start waits for what it requires too, and in that time the
    /// child may fall again.
    private var fulfilled: Set<CommandID> = []
    private var logWriterWasReady = false
    private var crowded: Set<ChildID> = []

    init(tree: Tree, isTame: Bool, at now: Instant, inspector: Inspector?) {
        self.tree = tree
        self.isTame = isTame
        self.inspector = inspector
        began = now
        lives = Array(repeating: nil, count: tree.children.count + 1)
        restarts = Array(repeating: RestartBook(), count: tree.children.count + 1)
    }

    mutating func complain(_ promise: Int, _ words: String) {
        problems.append(Problem(promise: promise, words: words))
    }

    subscript(child: ChildID) -> Life? {
        get { Int(child.rawValue) < lives.count ? lives[Int(child.rawValue)] : nil }
        set { if Int(child.rawValue) < lives.count { lives[Int(child.rawValue)] = newValue } }
    }

    func policy(_ child: ChildID) -> ChildPolicy { tree.children[Int(child.rawValue) - 1] }

    /// Before the core sees it.
    mutating func note(_ event: Event, at now: Instant) {
        switch event {
        case .exited(let child, let run, _):
            change(child, run) {
                $0.isExited = true
                if $0.ending == nil { $0.ending = now }
            }
        case .emptied(let child, let run): change(child, run) { $0.isEmpty = true }
        case .spawnFailed(let child, let run, _, _):
            change(child, run) {
                $0.isExited = true
                $0.isEmpty = true
                $0.ending = now
            }
        case .stopping(let child, let run): noteLeaving(child, run, at: now)
        case .extendTimeout(let child, let run, let time): noteExtension(child, run, time, at: now)
        case .shutdown(let new): noteShutdown(new, at: now)
        case .command(let command, let id):
            open[id] = command
            if case .start(.child(let child)) = command, self[child]?.serves == true { fulfilled.insert(id) }
            hasCommands = true
            forgetRestarts()
        case .timetable(let child, let moments, _): noteTimes(child, moments, at: now)
        case .crowded(let child, let isCrowded):
            if isCrowded { crowded.insert(child) } else { crowded.remove(child) }
        case .tick, .spawned, .ready, .watchdogPing, .watchdogTrigger, .watchdogInterval, .probed, .unprobed, .drained,
            .linkBroken, .recycle, .late:
            break
        }
    }

    /// Promise 8. A reload that is not taken changes nothing; one that is taken leaves alone what it does not touch.
    mutating func noteReload(
        _ random: RandomChange, _ id: CommandID, isTaken: Bool, before: [ChildView], actions: [Action],
        _ after: Supervisor
    ) {
        open[id] = .reset(.all)
        guard isTaken else {
            let views = before.indices.map { after.view(of: ChildID(rawValue: UInt16($0 + 1))) }
            if views != before { complain(8, "a reload was refused and changed something") }
            return
        }
        for action in actions {
            guard case .record(.stopping(let child, _, let cause)) = action, random.untouched.contains(child) else {
                continue
            }
            // A group that goes on, or a child that was on its way down already, is not the reload's doing.
            if cause == .asked, open.count <= 1 { complain(8, "a reload stopped \(child), which it did not touch") }
        }
        for child in random.untouched {
            let index = Int(child.rawValue) - 1
            guard let run = before[index].run, before[index].phase == .ready || before[index].phase == .starting else {
                continue
            }
            if after.view(of: child).run != run {
                complain(8, "a reload took the run of \(child), which it did not touch")
            }
        }
        tree = random.change.tree
        hasCommands = true
        forgetRestarts()
        while lives.count < tree.children.count + 1 {
            lives.append(nil)
            restarts.append(RestartBook())
        }
        times = [:]
        swept = [:]
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
        case .delayed(let child, let until, let cause):
            judgeDelay(child, until, at: now)
            noteSweep(child, cause, livesBefore, after)
        case .parked(let child, _, let retry):
            if child == tree.logWriter { complain(6, "the log-writer parked") }
            noteParked(child, retry: retry)
        case .groupParked: break
        case .skipped(let child, _):
            if policy(child).schedule == nil { complain(7, "\(child) skipped a time and has none") }
        case .unkillable(let child, let run): change(child, run) { $0.isUnkillable = true }
        }
    }

    private mutating func fulfil(_ child: ChildID) {
        for (id, command) in open where command == .start(.child(child)) || command == .restart(.child(child)) {
            fulfilled.insert(id)
        }
    }

    private mutating func judgeSpawn(_ child: ChildID, _ run: RunID, at now: Instant, _ after: Supervisor) {
        if self[child] != nil { complain(1, "two live runs of \(child)") }
        if announced != run { complain(4, "spawn without its record: \(run)") }
        if crowded.contains(child) { complain(9, "\(child) started although its output waits") }
        if run <= lastRun { complain(4, "run ids go backwards") }
        if level > 2 || (level > 0 && child != tree.logWriter) { complain(7, "\(child) started while the tree ends") }
        if let logWriter = tree.logWriter, child != logWriter, !logWriterWasReady, policy(logWriter).enabled,
            now - began < Tree.logWriterPatience
        {
            complain(7, "\(child) did not wait for the log-writer")
        }
        judgeRestart(child, at: now)
        judgeGates(of: child, after)
        lastRun = run
        spawns += 1
        self[child] = Life(run: run, started: now)
    }

    private mutating func judgeEnd(
        _ end: EndRecord, in actions: [Action], at now: Instant, _ after: Supervisor, _ livesBefore: [Life?]
    ) {
        guard let life = self[end.child], life.run == end.run else {
            complain(4, "an end of nothing: \(end)")
            return
        }
        self[end.child] = nil
        ends += 1
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

    /// "Stopped" is said of what is empty, "started" of what serves.
    private mutating func judgeAnswer(_ id: CommandID, _ outcome: CommandOutcome, _ after: Supervisor) {
        guard let command = open.removeValue(forKey: id) else {
            complain(5, "answered twice or never asked: \(id)")
            return
        }
        guard outcome == .done || outcome == .unchanged else { return }
        switch command {
        case .stop(.child(let child)):
            if self[child] != nil { complain(2, "\(child) counts as stopped and has a run") }
        case .start(.child(let child)), .restart(.child(let child)):
            guard child.rawValue > 0, Int(child.rawValue) < lives.count else { return }
            if self[child]?.serves != true, fulfilled.remove(id) == nil, after.view(of: child).phase != .done,
                after.view(of: child).phase != .scheduled
            {
                complain(7, "\(child) counts as started and does not serve")
            }
        case .start, .stop, .restart, .reset: break
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
        if lives.contains(where: { $0 != nil }) { complain(2, "finished with living runs") }
        if !open.isEmpty { complain(5, "finished with open commands") }
        if ends != spawns { complain(4, "\(spawns) spawns and \(ends) ends") }
        isFinished = true
    }

    private mutating func checkRuns(_ after: Supervisor) {
        for index in tree.children.indices {
            let child = ChildID(rawValue: UInt16(index + 1))
            let run = after.view(of: child).run
            if run != self[child]?.run {
                complain(
                    1, "\(child) has the run \(String(describing: run)), known is \(String(describing: self[child]))")
            }
        }
    }
}

extension Cause {
    /// Somebody wanted it.
    var isWanted: Bool { self == .asked || self == .dependency || self == .recycled }
}

import SupervisorCore

/// What nexusd's shell and the processes below it would do, by chance: it carries out the core's actions on processes
/// that crash, hang, ignore signals, leave others behind, or cannot be killed for a while.
struct SimulatedShell {
    /// Something that is going to happen.
    enum Happening {
        case spawnAnswer(RunID)
        case word(Event, RunID)
        case ping(RunID)
        case mainDies(RunID, Exit, isOwnWill: Bool)
        case restDies(RunID)
    }

    /// A process and what it leaves behind.
    struct Process {
        let child: ChildID
        var isSpawned = false
        var isMainAlive = true
        var isRestAlive: Bool
        let isDeaf: Bool
        let isRestDeaf: Bool
        let isImmortal: Bool
        let isHealthy: Bool
    }

    private(set) var agenda: [(at: Instant, happening: Happening)] = []
    private(set) var processes: [RunID: Process] = [:]
    /// From now on everything goes well.
    var isCalm = false
    private let tree: Tree

    init(tree: Tree) { self.tree = tree }

    var next: Instant? { agenda.last?.at }

    /// The next thing that happens.
    mutating func take() -> Happening? { agenda.popLast()?.happening }

    /// Nobody dies of its own will any more.
    mutating func calmDown() {
        isCalm = true
        agenda.removeAll {
            if case .mainDies(_, _, let isOwnWill) = $0.happening { isOwnWill } else { false }
        }
    }

    private mutating func plan(_ happening: Happening, at instant: Instant) {
        let place = agenda.firstIndex { $0.at <= instant } ?? agenda.endIndex
        agenda.insert((instant, happening), at: place)
    }

    mutating func carryOut(_ action: Action, at now: Instant, _ random: inout SplitMix) {
        switch action {
        case .spawn(let child, let run): spawn(child, run, at: now, &random)
        case .drain(let child, let run):
            if isCalm || random.chance(70) {
                plan(.word(.drained(child, run), run), at: now + random.milliseconds(200))
            }
        case .signal(_, let run, let signal, let scope): self.signal(run, signal, scope, at: now, &random)
        case .probe(let child, let run):
            let isHealthy = isCalm || (processes[run]?.isHealthy ?? false) || random.chance(30)
            if isCalm || random.chance(95) {
                plan(.word(.probed(child, run, healthy: isHealthy), run), at: now + random.milliseconds(30))
            }
        case .record, .answer, .finished: break
        }
    }

    private mutating func spawn(_ child: ChildID, _ run: RunID, at now: Instant, _ random: inout SplitMix) {
        processes[run] = Process(
            child: child, isRestAlive: random.chance(25), isDeaf: random.chance(15), isRestDeaf: random.chance(30),
            isImmortal: !isCalm && random.chance(4), isHealthy: random.chance(85))
        let answer = now + random.milliseconds(10)
        plan(.spawnAnswer(run), at: answer)
        if isCalm || random.chance(93) {
            plan(.word(.ready(child, run), run), at: answer + random.milliseconds(150))
        }
        if isCalm || random.chance(80) { plan(.ping(run), at: answer) }
        guard !isCalm, random.chance(65) else { return }
        let exits: [Exit] = [
            .code(0), .code(1), .code(1), .killed, .killed, .code(69), .code(78), .unknown,
            .signal(.kill, coreDumped: false, oom: true),
        ]
        let life = random.milliseconds(random.pick([5, 100, 1_000, 5_000]))
        plan(.mainDies(run, random.pick(exits), isOwnWill: true), at: answer + life)
        if random.chance(10) { plan(.word(.stopping(child, run), run), at: answer + random.milliseconds(500)) }
        if random.chance(3) { plan(.word(.linkBroken(child, run, .crash), run), at: answer + random.milliseconds(500)) }
        if random.chance(20) {
            let word = Event.recycle(child, run, within: random.milliseconds(2_000))
            plan(.word(word, run), at: answer + random.milliseconds(5_000))
        }
        if random.chance(10) {
            let time = random.milliseconds(2_000)
            plan(.word(.extendTimeout(child, run, time), run), at: answer + random.milliseconds(500))
        }
    }

    private mutating func signal(
        _ run: RunID, _ signal: Signal, _ scope: SignalScope, at now: Instant, _ random: inout SplitMix
    ) {
        guard let process = processes[run] else { return }
        if signal == .kill {
            let moment = now + random.milliseconds(process.isImmortal && !isCalm ? 3_000 : 5)
            plan(.mainDies(run, .killed, isOwnWill: false), at: moment)
            plan(.restDies(run), at: moment + random.milliseconds(5))
        } else {
            let moment = now + random.milliseconds(100)
            let exit: Exit = random.chance(50) ? .code(0) : .signal(signal, coreDumped: false, oom: false)
            if !process.isDeaf { plan(.mainDies(run, exit, isOwnWill: false), at: moment) }
            if scope == .all, !process.isRestDeaf { plan(.restDies(run), at: moment + random.milliseconds(100)) }
        }
    }

    /// What the core hears of it; nothing where it concerns a process that is gone.
    mutating func events(of happening: Happening, at now: Instant, _ random: inout SplitMix) -> [Event] {
        switch happening {
        case .spawnAnswer(let run):
            guard let child = processes[run]?.child else { return [] }
            if !isCalm, random.chance(4) {
                processes[run] = nil
                return [.spawnFailed(child, run, .exec, errno: random.pick([2, 11, 12, 26]))]
            }
            processes[run]?.isSpawned = true
            return [.spawned(child, run)]
        case .word(let event, let run):
            guard let process = processes[run], process.isSpawned, process.isMainAlive else { return [] }
            return [event]
        case .ping(let run):
            guard let process = processes[run], process.isMainAlive else { return [] }
            plan(.ping(run), at: now + (tree.children[Int(process.child.rawValue) - 1].watchdog ?? .seconds(60)) / 2)
            return [.watchdogPing(process.child, run)]
        case .mainDies(let run, let exit, _):
            guard let process = processes[run], process.isSpawned, process.isMainAlive else { return [] }
            processes[run]?.isMainAlive = false
            if process.isRestAlive { return [.exited(process.child, run, exit)] }
            processes[run] = nil
            return [.exited(process.child, run, exit), .emptied(process.child, run)]
        case .restDies(let run):
            guard let process = processes[run], process.isRestAlive else { return [] }
            processes[run]?.isRestAlive = false
            if process.isMainAlive { return [] }
            processes[run] = nil
            return [.emptied(process.child, run)]
        }
    }
}

import Chance
import SupervisorCore

/// All that a simulation depends on.
struct Script {
    var tree: RandomTree
    var steps: [Step]
    var jitter: UInt16
    /// Whether everything goes well for a while before the end.
    var isCalmed: Bool
    var lastLevel: UInt8

    /// What it came to.
    struct Verdict {
        var problems: [Referee.Problem]
        var events: Int
        var runs: Int
        var digest: Int
        var trace: [String]
        var coverage: Coverage?
    }

    /// Plays it from the beginning.
    func play(isTraced: Bool = false, inspector: Referee.Inspector? = nil) -> Verdict {
        var simulation = Simulation(self, isTraced: isTraced, inspector: inspector)
        simulation.begin()
        for step in steps where simulation.referee.problems.isEmpty { simulation.perform(step) }
        return finish(&simulation)
    }

    /// Makes one by chance and plays it at the same time: what happens next depends on what is there.
    static func improvise(
        seed: UInt64, steps: Int, inspector: Referee.Inspector? = nil, coverage: Coverage? = nil
    ) -> (script: Script, verdict: Verdict) {
        var random = SplitMix(seed: seed)
        let tree = RandomTree(&random)
        var script = Script(
            tree: tree, steps: [], jitter: UInt16(random.below(65_536)), isCalmed: random.chance(50),
            lastLevel: random.pick([1, 1, 1, 2, 3]))
        let chance = Chance(tree: tree.tree, &random)
        var simulation = Simulation(script, inspector: inspector, coverage: coverage)
        simulation.begin()
        script.steps.reserveCapacity(steps)
        while script.steps.count < steps, simulation.referee.problems.isEmpty, !simulation.referee.isFinished {
            let step = chance.next(simulation.world, &random)
            script.steps.append(step)
            simulation.perform(step)
        }
        return (script, script.finish(&simulation))
    }

    private func finish(_ simulation: inout Simulation) -> Verdict {
        if isCalmed, simulation.referee.problems.isEmpty { simulation.calmDown() }
        if simulation.referee.problems.isEmpty { simulation.end(level: lastLevel) }
        return Verdict(
            problems: simulation.referee.problems, events: simulation.eventCount, runs: simulation.referee.spawns,
            digest: simulation.digest, trace: simulation.trace, coverage: simulation.coverage)
    }
}

/// What happens next, by chance but of the likely.
struct Chance {
    private let children: [ChildID]
    private let logWriter: ChildID?
    private let hasOwner: Bool
    private let mayEnd: Bool

    init(tree: Tree, _ random: inout SplitMix) {
        children = tree.children.indices.map { ChildID(rawValue: UInt16($0 + 1)) }
        logWriter = tree.logWriter
        hasOwner = random.chance(60)
        mayEnd = random.chance(15)
    }

    func next(_ world: World, _ random: inout SplitMix) -> Step {
        Step(wait: wait(&random), deed: deed(world, &random))
    }

    private func wait(_ random: inout SplitMix) -> Duration {
        switch random.below(100) {
        case ..<50: .zero
        case ..<80: random.milliseconds(50)
        case ..<92: random.milliseconds(500)
        case ..<98: random.milliseconds(3_000)
        case _: random.milliseconds(10_000)
        }
    }

    private func deed(_ world: World, _ random: inout SplitMix) -> Step.Deed {
        switch random.below(1_000) {
        case ..<12:
            let run = RunID(second: 7, count: UInt32(random.below(40)))
            return .stale(ChildID(rawValue: UInt16(random.below(12))), run, event: Int(random.below(40)))
        case ..<18: return .beLate(.seconds(5) + random.milliseconds(2_000))
        case ..<20: return .reload(seed: random.next())
        case ..<24: return .setClock(by: .milliseconds(-3_000) + random.milliseconds(12_000))
        case ..<52:
            if hasOwner { return .command(command(&random)) }
        case ..<53:
            if mayEnd { return .shutDown(level: UInt8(random.below(4))) }
        case ..<55: return .adopt
        case ..<64:
            let child = children[Int(random.below(UInt64(children.count)))]
            if child != logWriter { return .crowd(child, random.chance(40)) }
        case _: break
        }
        // One that has something to do: the first from a child picked by chance.
        let first = Int(random.below(UInt64(children.count)))
        for index in children.indices {
            guard let process = world[children[(first + index) % children.count]] else { continue }
            if let deed = deed(of: process, in: world, &random) { return deed }
        }
        return .nothing
    }

    private func command(_ random: inout SplitMix) -> Command {
        let target: Command.Target
        switch random.below(10) {
        case 0: target = .all
        case 1, 2: target = .group(GroupID(rawValue: UInt16(random.below(4))))
        case _: target = .child(ChildID(rawValue: UInt16(random.below(UInt64(children.count) + 2))))
        }
        return random.pick([Command.start, Command.stop, Command.restart, Command.reset])(target)
    }

    private static let exits: [Exit] = [
        .code(0), .code(0), .code(1), .code(1), .code(1), .killed, .killed, .code(69), .code(78), .unknown,
        .signal(.kill, coreDumped: false, oom: true), .signal(.terminate, coreDumped: false, oom: false),
    ]

    private func deed(of process: World.Process, in world: World, _ random: inout SplitMix) -> Step.Deed? {
        let child = process.child
        if !process.isSpawned {
            if !process.isCloned, random.chance(10), let holder = holder(beside: child, world, &random) {
                return .barSpawn(child, by: holder)
            }
            if !process.isCloned, random.chance(40) { return .clone(child) }
            if process.isAskedToStop, random.chance(40) { return .mainEnds(child, .killed, leavesOthers: false) }
            // A word, or the end, may be heard before the spawn is answered.
            if random.chance(6) { return random.chance(30) ? .ready(child) : whim(child, &random) }
            guard random.chance(70) else { return nil }
            return .answerSpawn(child, errno: random.chance(6) ? random.pick([2, 11, 12, 26]) : nil)
        }
        if !process.isMainAlive {
            return random.chance(process.isImmortal ? 5 : 50) ? .othersEnd(child) : nil
        }
        if process.isKilled {
            // What has its last signal may still have said something.
            if random.chance(10) { return lastWord(process, &random) }
            guard random.chance(process.isImmortal ? 3 : 60) else { return nil }
            return .mainEnds(child, .killed, leavesOthers: random.chance(10))
        }
        if process.isDrained, random.chance(process.isAskedToStop ? 3 : 40) { return .drained(child) }
        if process.isAskedToStop, random.chance(40) {
            return .mainEnds(
                child, random.pick([.code(0), .code(1), .signal(.terminate, coreDumped: false, oom: false)]),
                leavesOthers: random.chance(20))
        }
        if process.probes > 0, random.chance(50) { return .answerProbe(child, healthy: random.chance(75)) }
        if process.probes > 0, random.chance(5) { return .failProbe(child) }
        if !process.isReady, random.chance(50) { return .ready(child) }
        return whim(child, &random)
    }

    /// One that is asked to end, if there is one, or any other.
    private func holder(beside child: ChildID, _ world: World, _ random: inout SplitMix) -> ChildID? {
        let others = children.filter { $0 != child }
        let ending = others.filter { world[$0]?.isAskedToStop ?? false }
        let likely = ending.isEmpty && random.chance(10) ? others : ending
        return likely.isEmpty ? nil : random.pick(likely)
    }

    private func lastWord(_ process: World.Process, _ random: inout SplitMix) -> Step.Deed? {
        if process.probes > 0, random.chance(30) { return .failProbe(process.child) }
        if process.isDrained, random.chance(30) { return .drained(process.child) }
        return random.chance(20) ? .ready(process.child) : whim(process.child, &random)
    }

    /// What a process does that nobody asked for.
    private func whim(_ child: ChildID, _ random: inout SplitMix) -> Step.Deed? {
        switch random.below(100) {
        case ..<10: .mainEnds(child, random.pick(Self.exits), leavesOthers: random.chance(20))
        case ..<30: .ping(child)
        case ..<33: .tellHealth(child, healthy: random.chance(50))
        case ..<35: .leave(child)
        case ..<38: .extend(child, random.milliseconds(3_000))
        case ..<39: .breakLink(child, random.pick([.crash, .probe, .recycled]))
        case ..<43: .recycle(child, within: random.milliseconds(2_000))
        case ..<44: .trigger(child)
        case ..<46: .setInterval(child, random.chance(20) ? .zero : .milliseconds(50) + random.milliseconds(2_000))
        case ..<48: .restartItself(child)
        case _: nil
        }
    }
}

import Plan
import SupervisorCore

/// A core under a simulated clock and kernel, with a referee that looks at every event and every action.
struct Simulation {
    private(set) var tree: RandomTree
    private(set) var supervisor: Supervisor
    private(set) var world: World
    private(set) var referee: Referee
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    private(set) var eventCount = 0
    /// All actions as a number; equal for equal scripts within a process.
    private(set) var digest = 0
    /// What happened, in words, where somebody wants to read it.
    private(set) var trace: [String] = []
    /// Nil where nobody counts.
    private(set) var coverage: Coverage?
    private let isTraced: Bool
    private let jitter: UInt16
    private var commandCount: UInt64 = 0
    private var adoptions: UInt32 = 0
    /// The wall clock, in advance of the other.
    private var wall = Duration.zero
    private var actions: [Action] = []

    init(
        _ script: Script, isTraced: Bool = false, inspector: Referee.Inspector? = nil, coverage: Coverage? = nil
    ) {
        self.coverage = coverage
        tree = script.tree
        jitter = script.jitter
        self.isTraced = isTraced
        supervisor = Supervisor(tree: tree.tree, second: 7, at: now)
        world = World(tree: tree.tree)
        referee = Referee(tree: tree.tree, isTame: tree.isTame, at: now, inspector: inspector)
    }

    mutating func begin() {
        tellTimes()
        supervisor.start(at: now, jitter: nextJitter(), into: &actions)
        conclude(nil)
    }

    /// Calendars have a time every few seconds, so many that a script seldom uses them up.
    private mutating func tellTimes() {
        for (index, policy) in tree.tree.children.enumerated() where policy.schedule == .calendar {
            let child = ChildID(rawValue: UInt16(index + 1))
            let moments = (1...40).map { number in
                let second = Int64(number * (2 + index))
                return Moment(
                    second: second, instant: now + (.seconds(second) - (now - Instant(nanoseconds: 0)) - wall))
            }
            let second = (now - Instant(nanoseconds: 0) + wall).nanoseconds / 1_000_000_000
            send(.timetable(child, moments, second: second))
        }
    }

    private func nextJitter() -> UInt16 { jitter &+ UInt16(truncatingIfNeeded: eventCount &* 40_503) }

    mutating func perform(_ step: Step) {
        pass(step.wait)
        switch step.deed {
        case .command(let command):
            commandCount += 1
            send(.command(command, CommandID(rawValue: commandCount)))
        case .reload(let seed): reload(RandomChange(from: tree.tree, isTame: tree.isTame, seed: seed))
        case .adopt: adopt()
        case .shutDown(let level): send(.shutdown(level: level))
        case .setClock(let time):
            wall = wall + time
            tellTimes()
        case .beLate(let time):
            now = now + time
            send(.late(time))
            send(.tick)
        case .nothing, .clone, .answerSpawn, .barSpawn, .ready, .mainEnds, .othersEnd, .answerProbe, .tellHealth,
            .failProbe,
            .drained,
            .ping, .trigger, .setInterval, .leave,
            .extend, .breakLink, .recycle, .restartItself, .crowd, .stale:
            for event in world.events(of: step.deed) { send(event) }
        }
    }

    /// Time passes; what is armed goes off exactly when it is due.
    private mutating func pass(_ time: Duration) {
        let end = now + time
        var ticks = 0
        while let deadline = supervisor.nextDeadline, deadline <= end, referee.problems.isEmpty {
            now = max(now, deadline)
            send(.tick)
            ticks += 1
            if ticks > 5_000 { referee.complain(6, "something is due again and again") }
        }
        now = max(now, end)
    }

    private mutating func reload(_ random: RandomChange) {
        commandCount += 1
        let id = CommandID(rawValue: commandCount)
        let before = tree.tree.children.indices.map { supervisor.view(of: ChildID(rawValue: UInt16($0 + 1))) }
        if isTraced { trace.append("\(now.nanoseconds / 1_000) us: reload \(random.change)") }
        coverage?.noteReload(supervisor)
        supervisor.reload(random.change, id, at: now, jitter: nextJitter(), into: &actions)
        eventCount += 1
        let isTaken = !actions.contains(.answer(id, .overtaken)) || actions.count > 1
        referee.noteReload(random, id, isTaken: isTaken, before: before, supervisor)
        if isTaken {
            tree = RandomTree(tree: random.change.tree, isTame: tree.isTame)
            world.extend(to: tree.tree.children.count)
        }
        conclude(nil)
        if isTaken { tellTimes() }
    }

    /// The core goes to bytes and comes back: what is made of them is the same core, and nothing comes of that alone.
    private mutating func adopt() {
        let state = supervisor.state
        var restored: Supervisor
        do {
            let decoded = try SupervisorState(encoded: state.encoded())
            if decoded != state { referee.complain(5, "a state is another one when it was read") }
            if referee.isFinished { return }
            adoptions += 1
            restored = try Supervisor(
                restoring: decoded, tree: tree.tree, second: 7 + adoptions, at: now)
        } catch {
            return referee.complain(5, "a state is refused: \(error)")
        }
        if isTraced { trace.append("\(now.nanoseconds / 1_000) us: adopted") }
        var deeds: [Action] = []
        restored.resume(at: now, jitter: nextJitter(), into: &deeds)
        if !deeds.isEmpty { referee.complain(5, "going on brings \(deeds.map(\.words))") }
        if restored.state != state { referee.complain(5, "a core that goes on is another one") }
        if restored.nextDeadline != supervisor.nextDeadline { referee.complain(5, "another deadline is the next") }
        for problem in restored.audit() { referee.complain(5, "of a core that goes on: \(problem)") }
        supervisor = restored
        referee.forgetCommands()
        eventCount += 1
        tellTimes()
    }

    private mutating func send(_ event: Event) {
        referee.note(event, at: now)
        coverage?.note(event, at: now, supervisor)
        if isTraced { trace.append("\(now.nanoseconds / 1_000) us: \(event)") }
        supervisor.handle(event, at: now, jitter: nextJitter(), into: &actions)
        eventCount += 1
        conclude(event)
        if eventCount % 32 == 0 { for problem in supervisor.audit() { referee.complain(5, problem) } }
    }

    private mutating func conclude(_ event: Event?) {
        if !actions.isEmpty {
            var hasher = Hasher()
            hasher.combine(digest)
            for action in actions {
                hasher.combine(action)
                if isTraced { trace.append("    \(action.words)") }
            }
            digest = hasher.finalize()
        }
        referee.judge(actions, after: event, at: now, supervisor)
        for action in actions { world.carryOut(action) }
        actions.removeAll(keepingCapacity: true)
    }
}

// MARK: What every script ends with

extension Simulation {
    /// From now on everything goes well: whatever is wanted has to come up and stay.
    mutating func calmDown() {
        for _ in 0..<3 where referee.level == 0 && referee.problems.isEmpty {
            perform(Step(wait: .zero, deed: .command(.start(.all))))
            goWell(for: .seconds(7)) { _ in false }
        }
        guard referee.level == 0 else { return }
        for index in tree.tree.children.indices {
            let child = ChildID(rawValue: UInt16(index + 1))
            let view = supervisor.view(of: child)
            let isUp = view.phase == .ready || view.phase == .done || view.phase == .scheduled
            let isWanted = tree.isTame ? referee.isWanted(child) : tree.tree.children[index].enabled
            if isWanted, !isUp, !isImpossible(child) { referee.complain(7, "in calm \(child) is \(view)") }
            if tree.isTame, !isWanted, view.phase != .off { referee.complain(7, "in calm \(child) is \(view)") }
        }
    }

    /// It requires, or is, what nobody wants; in wild trees it may require what only the clock starts, or be the
    /// log-writer, which no command for everything starts.
    private func isImpossible(_ child: ChildID) -> Bool {
        if tree.isTame { return referee.isHopeless(child, supervisor) }
        if tree.tree.children.contains(where: { $0.schedule != nil }) { return true }
        return child == tree.tree.logWriter && supervisor.view(of: child).phase == .off
    }

    /// The end of the tree has to come within what the stop rules allow.
    mutating func end(level: UInt8) {
        perform(Step(wait: .zero, deed: .shutDown(level: level)))
        goWell(for: .seconds(60)) { $0.referee.isFinished }
        if !referee.isFinished { referee.complain(2, "the end does not come") }
        send(.tick)
        perform(Step(wait: .zero, deed: .command(.start(.all))))
        perform(Step(wait: .zero, deed: .shutDown(level: 3)))
    }

    private mutating func ping(_ child: ChildID) {
        guard let process = world[child], process.hasInterval || referee.policy(child).watchdog != nil else { return }
        for event in world.events(of: .ping(child)) { send(event) }
    }

    private mutating func goWell(for time: Duration, until isOver: (Simulation) -> Bool) {
        let end = now + time
        while referee.problems.isEmpty {
            while let deed = world.nextGoodDeed, referee.problems.isEmpty { perform(Step(wait: .zero, deed: deed)) }
            if isOver(self) { return }
            guard let deadline = supervisor.nextDeadline, deadline <= end else { break }
            now = max(now, deadline)
            // Words are heard before anything that is due is looked at.
            for child in world.processes.indices { ping(ChildID(rawValue: UInt16(child))) }
            send(.tick)
        }
        now = max(now, end)
    }
}

extension World {
    /// The next thing that a well-behaved process does.
    fileprivate var nextGoodDeed: Step.Deed? {
        if let child = crowded.min() { return .crowd(child, false) }
        for case let process? in processes {
            let child = process.child
            if !process.isSpawned { return .answerSpawn(child, errno: nil) }
            if !process.isMainAlive { return .othersEnd(child) }
            if process.isKilled { return .mainEnds(child, .killed, leavesOthers: false) }
            if process.isAskedToStop { return .mainEnds(child, .code(0), leavesOthers: false) }
            if process.isDrained, !process.isAskedToStop { return .mainEnds(child, .code(0), leavesOthers: false) }
            if process.probes > 0 { return .answerProbe(child, healthy: true) }
            if !process.isReady { return .ready(child) }
        }
        return nil
    }
}

import SupervisorCore

/// One random script: a tree, a shell full of faults, an owner who changes their mind, then calm, then the end.
struct Script {
    private var random: SplitMix
    private let tree: RandomTree
    private(set) var supervisor: Supervisor
    private var shell: SimulatedShell
    private(set) var referee: Referee
    private var now = Instant(nanoseconds: 1_000_000_000)
    private let isTraced: Bool
    private let hasOwner: Bool
    private var commandCount: UInt64 = 0
    /// All actions, as a number; equal for equal scripts.
    private(set) var digest: UInt64 = 0
    private(set) var eventCount = 0

    init(seed: UInt64, isTraced: Bool = false) {
        random = SplitMix(seed: seed)
        tree = RandomTree(&random)
        supervisor = Supervisor(tree: tree.tree, second: 7, at: now)
        shell = SimulatedShell(tree: tree.tree)
        referee = Referee(tree: tree.tree, isTame: tree.isTame, at: now)
        hasOwner = random.chance(60)
        self.isTraced = isTraced
    }

    /// Runs it; the referee has the verdict.
    mutating func run(events: Int) {
        if isTraced { print(tree.tree) }
        var actions: [Action] = []
        supervisor.start(at: now, jitter: jitter(), into: &actions)
        conclude(actions)
        while eventCount < events, referee.problems.isEmpty { happenNext() }
        if random.chance(60) { calmDown() }
        end()
    }

    private mutating func jitter() -> UInt16 { UInt16(random.below(65_536)) }

    private mutating func send(_ event: Event) {
        var actions: [Action] = []
        referee.note(event)
        if isTraced { print(now.nanoseconds / 1_000, event) }
        supervisor.handle(event, at: now, jitter: jitter(), into: &actions)
        eventCount += 1
        conclude(actions)
        if eventCount % 16 == 0 || isTraced { supervisor.audit().forEach { referee.complain($0) } }
    }

    private mutating func conclude(_ actions: [Action]) {
        for action in actions {
            if isTraced { print("   ", action.words) }
            for byte in action.words.utf8 { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
        referee.judge(actions, at: now, supervisor)
        for action in actions { shell.carryOut(action, at: now, &random) }
    }

    /// Whatever is next: a deadline of the core, something in the world, or an idea of the owner.
    private mutating func happenNext() {
        if !shell.isCalm, random.chance(4) { interfere() }
        switch (supervisor.nextDeadline, shell.next) {
        case (nil, nil):
            interfere()
        case (let deadline?, let next) where next.map({ deadline <= $0 }) ?? true:
            now = max(now, deadline)
            if !shell.isCalm, random.chance(1) {
                now = now + .seconds(6)
                send(.late(.seconds(6)))
            }
            send(.tick)
        case (_, let next):
            now = max(now, next ?? now)
            guard let happening = shell.take() else { return }
            for event in shell.events(of: happening, at: now, &random) { send(event) }
        }
    }

    private mutating func interfere() {
        now = now + random.milliseconds(50)
        if random.chance(20) {
            let child = ChildID(rawValue: UInt16(random.below(12)))
            let run = RunID(second: 7, count: UInt32(random.below(30)))
            // Words of nobody: never one of a run that lives, for those are the shell's to say.
            if referee.lives[child]?.run != run { send(random.pick(StateEventTable.runEvents(child, run))) }
        } else if hasOwner {
            command(random.pick([Command.start, Command.stop, Command.restart, Command.reset])(target()))
        } else {
            now = now + random.milliseconds(1_000)
        }
    }

    private mutating func target() -> Command.Target {
        switch random.below(10) {
        case 0: .all
        case 1, 2: .group(GroupID(rawValue: UInt16(random.below(4))))
        default: .child(ChildID(rawValue: UInt16(random.below(11))))
        }
    }

    private mutating func command(_ command: Command) {
        commandCount += 1
        send(.command(command, CommandID(rawValue: commandCount)))
    }

    /// Everything goes well from now on: whatever is wanted has to come up and stay.
    private mutating func calmDown() {
        shell.calmDown()
        for _ in 0..<3 {
            command(.start(.all))
            let end = now + .seconds(7)
            while now < end, referee.problems.isEmpty {
                let next = min(supervisor.nextDeadline ?? end, shell.next ?? end)
                if next >= end { break }
                happenNext()
            }
            now = end
        }
        for (index, policy) in tree.tree.children.enumerated() where policy.enabled {
            let child = ChildID(rawValue: UInt16(index + 1))
            let phase = supervisor.view(of: child).phase
            let isStoppedLogWriter = child == tree.tree.logWriter && phase == .off
            if phase != .ready, phase != .done, !isStoppedLogWriter {
                referee.complain("in calm \(child) is \(supervisor.view(of: child))")
            }
        }
    }

    /// The end of the tree; it has to come within what the stop rules allow.
    private mutating func end() {
        send(.shutdown(level: UInt8(random.pick([1, 1, 1, 2, 3]))))
        let patience = now + .seconds(60)
        while !referee.isFinished, referee.problems.isEmpty {
            if random.chance(2) { send(.shutdown(level: UInt8(1 + random.below(3)))) }
            if supervisor.nextDeadline != nil || shell.next != nil {
                happenNext()
            } else {
                now = patience + .seconds(1)
            }
            if now > patience { referee.complain("the end does not come: \(supervisor.nextDeadline as Any)") }
        }
        send(.tick)
        command(.start(.all))
        send(.shutdown(level: 3))
    }
}

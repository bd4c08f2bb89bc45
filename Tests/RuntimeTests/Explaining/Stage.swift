import Plan
import SupervisorCore

@testable import Runtime

/// A plan, the core and a clock, and no processes: what `why` says in every place a child can get to. Children are
/// numbered as the plan has them.
struct Stage {
    private let plan: PlanBook
    private var core: Supervisor
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    var remark: EndRemark?
    var choice: Choice?
    var executionEnd: Instant?
    var treeEndsSince: Instant?
    var kernelKeepsMemory = true
    var recycling: Recycling?

    init(_ children: [ChildPlan], groups: [GroupPlan] = [], choices: [ChildID: Choice] = [:]) {
        let plan = Plan(groups: groups, children: children)
        self.plan = PlanBook(plan)
        var tree = plan.tree
        tree.choices = choices
        core = Supervisor(tree: tree, second: 1, at: now)
        var actions: [Action] = []
        core.start(at: now, jitter: 0, into: &actions)
    }

    mutating func send(_ event: Event) {
        var actions: [Action] = []
        core.handle(event, at: now, jitter: 0, into: &actions)
    }

    /// Deadlines are kept as they come.
    mutating func pass(_ duration: Duration) {
        let end = now + duration
        while let due = core.nextDeadline, due <= end {
            now = max(now, due)
            send(.tick)
        }
        now = end
    }

    func view(_ child: ChildID) -> ChildView { core.view(of: child) }

    private func run(_ child: ChildID) -> RunID { view(child).run ?? RunID(rawValue: 0) }

    mutating func spawned(_ child: ChildID) { send(.spawned(child, run(child))) }

    mutating func ready(_ child: ChildID) {
        spawned(child)
        send(.ready(child, run(child)))
    }

    mutating func probed(_ child: ChildID, healthy: Bool) { send(.probed(child, run(child), healthy: healthy)) }

    mutating func judged(_ child: ChildID, healthy: Bool) { send(.judged(child, run(child), healthy: healthy)) }

    mutating func recycle(_ child: ChildID, within time: Duration = .zero) {
        send(.recycle(child, run(child), within: time))
    }

    /// It has just grown above the bound of its policy.
    mutating func grows(_ child: ChildID, isWatched: Bool = true) {
        recycling = Recycling(
            growth: now, wish: nil, rule: plan.traits(child).bounds.recycle, ready: view(child).ready,
            stableAfter: plan.policy(child).delay.stableAfter, isWatched: isWatched)
    }

    mutating func fails(_ child: ChildID, _ stage: SpawnStage, _ errno: Int32) {
        send(.spawnFailed(child, run(child), stage, errno: errno))
    }

    /// It ends and nothing of it is left.
    mutating func ends(_ child: ChildID, _ exit: Exit = .code(1)) {
        let run = run(child)
        send(.exited(child, run, exit))
        send(.emptied(child, run))
    }

    /// Up, a second later over, so many times; started again as often as its delay lets it.
    mutating func crashes(_ child: ChildID, times: Int, _ exit: Exit = .code(1)) {
        for _ in 0..<times {
            pass(.seconds(40))
            ready(child)
            pass(.seconds(1))
            ends(child, exit)
        }
    }

    func explanation(_ child: ChildID) -> Explanation {
        Explanation(
            child: child, view: view(child), plan: plan, now: now, choice: choice, remark: remark,
            hasProcess: view(child).run != nil, executionEnd: executionEnd, treeEndsSince: treeEndsSince,
            kernelKeepsMemory: kernelKeepsMemory,
            recycling: recycling,
            phase: { core.view(of: $0).phase })
    }
}

extension ChildID {
    static let a = ChildID(rawValue: 1)
    static let b = ChildID(rawValue: 2)
    static let c = ChildID(rawValue: 3)
}

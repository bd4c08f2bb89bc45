import Plan
import SupervisorCore
import System
import Wire

/// What this nexusd takes over of one that was killed, or of the program that it was before: its plan, the core's state and the
/// runs that are still there. All that can be refused is refused while it is made; what comes of it is only carried out.
struct Adoption {
    let plan: Plan
    let content: StateImage.Content
    /// Goes on from that state, and was not told of anything yet.
    let core: Supervisor
    /// What it is from; nil for what another program has handed over.
    let memory: StateMemory?
    /// What that has handed over; nil after a kill.
    let handover: Handover?
    /// The bus as that had it.
    let router: Router?
    /// Of runs that the state has living, and of earlier ones whose output is not read to its end.
    let runs: [Inheritance.Run]
    /// Listening sockets, by inode.
    let sockets: [UInt64: KeptDescriptor]
    /// What contains those that are taken over.
    private(set) var scopes: [ChildID: any RunScope] = [:]
    /// Why somebody who is there is not: he is ended as left over.
    private(set) var obstacles: [ChildID: Errno] = [:]

    /// Why nothing is taken over, in words that go on a sentence.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
        /// It was to be expected.
        let isUsual: Bool

        init(_ words: String, isUsual: Bool = false) {
            description = words
            self.isUsual = isUsual
        }
    }

    /// The third restore in a row without that much life is none: whatever it is that ends nexusd may be in what it restores.
    static let proof: Duration = .seconds(10)
    static let restoreLimit: UInt32 = 2
    /// Counts that are left out: the killed one may have spawned runs after it had written its state, and their numbers may
    /// still be on the link to log-writer.
    static let runMargin: UInt32 = 8192

    /// `lives`: those of which processes may still be there.
    init(
        _ inheritance: Inheritance, lives: [LifeID], second: UInt32, _ kernel: any Kernel
    ) throws(Refusal) {
        guard let kept = inheritance.state?.take() else { throw Refusal("the store has no state") }
        let memory = StateMemory(kernel, taking: kept)
        self.memory = memory
        handover = nil
        router = nil
        guard memory.restores < Self.restoreLimit else {
            throw Refusal(
                "it was restored \(memory.restores) times in a row, and nexusd lived for less than \(Self.proof.words) each time"
            )
        }
        // First of all: should what follows end nexusd, it is counted.
        do throws(Errno) { try memory.setRestores(memory.restores + 1) } catch {
            throw Refusal("its state cannot be written: \(error)")
        }
        let content = try Self.content(of: memory)
        self.content = content
        guard lives.contains(where: { $0.description == content.head.life }) else {
            throw Refusal("its processes have been ended since", isUsual: true)
        }
        guard let fd = inheritance.plans[content.head.plan]?.take() else { throw Refusal("the store has no plan") }
        let plan = try Self.plan(in: fd, kernel)
        self.plan = plan
        try Self.check(content, plan)
        var state = content.state
        state.tree.runCount &+= Self.runMargin
        do throws(StateMisfit) {
            core = try Supervisor(
                restoring: state, tree: plan.tree, second: second, at: kernel.monotonic())
        } catch {
            throw Refusal("its state cannot be true: \(error)")
        }
        let count = plan.children.count
        runs = inheritance.runs.filter { (1...count).contains(Int($0.child.rawValue)) }
        sockets = inheritance.sockets
    }

    /// Of the program that this process was before.
    init(_ handover: Handover, second: UInt32, _ kernel: any Kernel) throws(Refusal) {
        let restored = try Restored(handover, second: second, at: kernel.monotonic())
        memory = nil
        self.handover = handover
        plan = restored.plan
        content = restored.content
        core = restored.core
        router = restored.router
        let inheritance = Inheritance(handover.descriptors)
        runs = inheritance.runs
        sockets = inheritance.sockets
    }

    /// What is in a hand-over, as far as it can be told without its descriptors.
    struct Restored {
        let plan: Plan
        let content: StateImage.Content
        let core: Supervisor
        let router: Router

        init(_ handover: Handover, second: UInt32, at now: Instant) throws(Refusal) {
            do { plan = try Plan(encoded: handover.plan) } catch { throw Refusal("the plan cannot be used: \(error)") }
            do throws(ByteError) { content = try StateImage.Content(handover.state) } catch {
                throw Refusal("the state cannot be read: \(error.problem) at byte \(error.offset)")
            }
            try Adoption.check(content, plan)
            do throws(StateMisfit) {
                core = try Supervisor(restoring: content.state, tree: plan.tree, second: second, at: now)
            } catch {
                throw Refusal("the state cannot be true: \(error)")
            }
            do throws(ByteError) {
                router = try Router(
                    workers: PlanBook(plan, content.head.arrangement).workers, encoded: handover.router)
            } catch {
                throw Refusal("the bus cannot be read: \(error.problem) at byte \(error.offset)")
            }
            guard handover.cells.count == plan.children.count else { throw Refusal("it is of another plan") }
            for index in plan.children.indices {
                let child = ChildID(rawValue: UInt16(index + 1))
                guard let run = core.view(of: child).run else { continue }
                guard handover.cells[index].run != nil,
                    handover.descriptors.runs.contains(where: {
                        $0.child == child && $0.run == run && $0.pidfd >= 0 && $0.others.count == StoredName.inodeCount
                    })
                else { throw Refusal("it has no process of \(plan.children[index].name)") }
            }
        }
    }

    private static func content(of memory: StateMemory) throws(Refusal) -> StateImage.Content {
        guard let bytes = memory.newest() else { throw Refusal("its state is damaged, or of another version") }
        do throws(ByteError) { return try StateImage.Content(bytes) } catch {
            throw Refusal("its state cannot be read: \(error.problem) at byte \(error.offset)")
        }
    }

    private static func plan(in fd: borrowing OwnedFD, _ kernel: any Kernel) throws(Refusal) -> Plan {
        do { return try PlanMemory.read(fd, kernel) } catch { throw Refusal("its plan cannot be used: \(error)") }
    }

    /// Numbers that are used as places.
    fileprivate static func check(_ content: StateImage.Content, _ plan: Plan) throws(Refusal) {
        let arrangement = content.head.arrangement
        guard content.cells.count == plan.children.count,
            Set(arrangement.children).count == arrangement.children.count,
            Set(arrangement.groups).count == arrangement.groups.count,
            arrangement.children.allSatisfy({ (1...plan.children.count).contains(Int($0.rawValue)) }),
            arrangement.groups.allSatisfy({ Int($0.rawValue) < plan.groups.count })
        else { throw Refusal("its state is of another plan") }
    }

    /// To be called before what is left over is ended: who cannot be contained is that.
    mutating func openScopes(_ containment: Containment) {
        for (index, plan) in plan.children.enumerated() {
            let child = ChildID(rawValue: UInt16(index + 1))
            guard let run = stored(child) else { continue }
            do throws(Errno) {
                scopes[child] = try containment.adopt(
                    child: plan.name, run: run.id, user: plan.identity?.uid, bounds: plan.bounds)
            } catch {
                obstacles[child] = error
            }
        }
    }

    /// The stored run that a child has living by the state, with its pidfd.
    private func stored(_ child: ChildID) -> Inheritance.Run? {
        guard let run = core.view(of: child).run else { return nil }
        return runs.first { $0.child == child && $0.id == run && $0.pidfd != nil }
    }

    /// The same, of one that is taken over.
    func living(_ child: ChildID) -> Inheritance.Run? { scopes[child].flatMap { _ in stored(child) } }

    /// Children that have one.
    var living: [ChildID] { scopes.keys.sorted() }
}

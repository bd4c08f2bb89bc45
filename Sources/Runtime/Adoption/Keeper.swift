import Plan
import SupervisorCore
import System

/// Keeps for the next nexusd what it needs to go on, should this one be killed: descriptors in systemd's store, the state in
/// memory that is in it too.
final class Keeper {
    let store: DescriptorStore
    let memory: StateMemory
    var image = StateImage()
    /// Which life this is, for the one after it.
    let life: LifeID
    /// The plan that is in the store, by the number it has there; nil: none yet.
    private(set) var plan: UInt32?
    /// The plan in force, as long as the store does not have it. The state waits for it: it is one of this plan.
    private var owedPlan: [UInt8]?
    private let kernel: any Kernel
    /// Whether the memory is in the store.
    private var isMemoryKept: Bool
    /// What is in the store, by child.
    private var runs: [ChildID: [(run: RunID, name: StoredName, count: Int)]] = [:]
    private var sockets: [ChildID: Set<UInt64>] = [:]
    private var keptSockets: Set<UInt64>
    /// The last ones that systemd was told to let go of; it may not have heard it yet.
    private var releasedSockets: [UInt64] = []
    private static let releasedLimit = 64
    /// Children of which something is to be kept that was not, for want of room in the socket.
    private(set) var behind: Set<ChildID> = []
    /// Of children and of the tree, what the core does not know of has changed.
    private var touched: Set<ChildID> = []
    var isHeadTouched = true
    /// When this nexusd has lived for long enough that its restore counts as one that went well.
    private(set) var proofDue: Instant?
    /// Why the state is not kept as it is now.
    private(set) var trouble: String?
    /// Something did not fit into the store.
    private(set) var isFull = false

    /// A first one.
    init(_ kernel: any Kernel, _ store: DescriptorStore, life: LifeID) throws(Errno) {
        self.kernel = kernel
        self.store = store
        self.life = life
        memory = try StateMemory(kernel)
        isMemoryKept = false
        keptSockets = []
    }

    /// Goes on with what was adopted, whose names are in the store already.
    init(
        _ kernel: any Kernel, _ store: DescriptorStore, life: LifeID, _ adoption: Adoption, _ memory: StateMemory,
        at now: Instant
    ) {
        self.kernel = kernel
        self.store = store
        self.life = life
        self.memory = memory
        isMemoryKept = true
        plan = adoption.content.head.plan
        for run in adoption.runs {
            runs[run.child, default: []].append((run.id, run.name, run.count))
        }
        keptSockets = Set(adoption.sockets.keys)
        proofDue = now + Adoption.proof
    }

    /// Goes on where the program before this one was in the same process. A state that this one cannot read is begun anew.
    init(
        _ kernel: any Kernel, _ store: DescriptorStore, life: LifeID, _ book: KeeperBook, plan current: Plan,
        at now: Instant
    ) throws(Errno) {
        self.kernel = kernel
        self.store = store
        self.life = life
        let taken = StateMemory(kernel, taking: try book.duplicate(kernel))
        let isReadable = taken.newest() != nil
        memory = isReadable ? taken : try StateMemory(kernel)
        isMemoryKept = isReadable && book.isMemoryKept
        plan = book.plan
        keptSockets = Set(book.sockets)
        store.recall(book.count)
        for entry in book.runs {
            guard case .run(let child, let run, _)? = StoredName(entry.name), let name = StoredName(entry.name) else {
                continue
            }
            runs[child, default: []].append((run, name, Int(entry.count)))
        }
        leaving = book.leaving.map { ($0.name, Int($0.count)) }
        if book.isMemoryKept, !isReadable { store.drop(StoredName.state.text, of: 1) }
        if book.owesPlan { owedPlan = current.encoded() }
        if memory.restores > 0 { proofDue = now + Adoption.proof }
    }

    /// What the store has, for the program that goes on with it.
    var book: KeeperBook {
        let kept = runs.values.flatMap { $0 }.map { KeeperBook.Entry(name: $0.name.text, count: UInt32($0.count)) }
        let untold = leaving.map { KeeperBook.Entry(name: $0.name, count: UInt32($0.count)) }
        return KeeperBook(
            memory: memory.fd.raw, isMemoryKept: isMemoryKept, plan: plan, owesPlan: owedPlan != nil, runs: kept,
            sockets: ownSockets.sorted(), leaving: untold + store.untold.map { KeeperBook.Entry(name: $0, count: 0) })
    }

    /// Another plan is in force: it is kept before the state names it, and the one before goes behind that.
    func keep(_ new: Plan) {
        owedPlan = new.encoded()
        isHeadTouched = true
        keepPlan()
    }

    /// False as long as the store does not have it.
    @discardableResult private func keepPlan() -> Bool {
        guard let encoded = owedPlan else { return true }
        let number = (plan ?? 0) &+ 1
        do throws(Errno) {
            guard hasRoom(for: 1) else { return false }
            let fd = try PlanMemory.make(encoded, kernel)
            guard store.keep(.plan(number), [fd.raw]) else { return fail("systemd does not take the plan") }
        } catch {
            return fail("the plan: \(error)")
        }
        if let plan { leaving.append((StoredName.plan(plan).text, 1)) }
        plan = number
        owedPlan = nil
        isHeadTouched = true
        return true
    }

    private func keepMemory() -> Bool {
        guard !isMemoryKept else { return true }
        guard hasRoom(for: 1) else { return false }
        isMemoryKept = store.keep(.state, [memory.fd.raw])
        return isMemoryKept || fail("systemd does not take the state")
    }

    private func hasRoom(for descriptors: Int) -> Bool {
        guard !store.hasRoom(for: descriptors) else { return true }
        isFull = true
        return false
    }

    /// Names that go once a state is written that does not need them.
    private var leaving: [(name: String, count: Int)] = []

    /// Something of this child has changed that the core does not know of.
    func touch(_ child: ChildID) { touched.insert(child) }

    func takeTouched() -> Set<ChildID> {
        defer { touched = [] }
        return touched
    }

    func hasStored(_ run: RunID, of child: ChildID) -> Bool { runs[child]?.contains { $0.run == run } ?? false }

    /// A run with its descriptors; tried again when there was no room to say it.
    func keep(_ run: RunID, of child: ChildID, as inodes: [UInt64], _ descriptors: [Int32]) {
        guard hasRoom(for: descriptors.count) else { return }
        let name = StoredName.run(child, run, inodes: inodes)
        guard store.keep(name, descriptors) else {
            behind.insert(child)
            _ = fail("systemd does not take the descriptors of a run")
            return
        }
        runs[child, default: []].append((run, name, descriptors.count))
    }

    /// Runs of a child that are over and read to their ends go; `isNeeded` says which are not.
    func release(_ child: ChildID, unless isNeeded: (RunID) -> Bool) {
        guard let entries = runs[child] else { return }
        for entry in entries where !isNeeded(entry.run) { leaving.append((entry.name.text, entry.count)) }
        let kept = entries.filter { isNeeded($0.run) }
        runs[child] = kept.isEmpty ? nil : kept
    }

    /// The listening sockets a child has now.
    func keepSockets(of child: ChildID, _ open: [(descriptor: Int32, inode: UInt64)]) {
        if open.isEmpty, sockets[child] == nil { return }
        for socket in open where socket.inode != 0 && !keptSockets.contains(socket.inode) {
            guard hasRoom(for: 1) else { break }
            if store.keep(.socket(inode: socket.inode), [socket.descriptor]) {
                keptSockets.insert(socket.inode)
            } else {
                behind.insert(child)
            }
        }
        sockets[child] = open.isEmpty ? nil : Set(open.map(\.inode))
    }

    /// Nobody has these any more.
    private func releaseSockets() {
        guard !keptSockets.isEmpty else { return }
        let open = sockets.values.reduce(into: Set()) { $0.formUnion($1) }
        for inode in keptSockets.subtracting(open) {
            store.drop(StoredName.socket(inode: inode).text, of: 1)
            keptSockets.remove(inode)
            releasedSockets.append(inode)
        }
        releasedSockets.removeFirst(max(0, releasedSockets.count - Self.releasedLimit))
    }

    /// Listening sockets of ours that systemd has, or may have still.
    var ownSockets: Set<UInt64> { keptSockets.union(releasedSockets) }

    func takeBehind() -> Set<ChildID> {
        defer { behind = [] }
        return behind
    }

    /// What was not said or kept before. False as long as the state cannot be.
    func goOn() -> Bool {
        trouble = nil
        store.goOn()
        return keepPlan() && keepMemory()
    }

    /// The state as it is now; then what it does not need any more goes from the store.
    func write() {
        do throws(Errno) { try memory.write(&image) } catch {
            _ = fail("the state: \(error)")
            return
        }
        for name in leaving { store.drop(name.name, of: name.count) }
        leaving = []
        releaseSockets()
    }

    private func fail(_ words: String) -> Bool {
        trouble = words
        return false
    }

    /// Whether something is to be said or written again that could not be, and may be now.
    var isBehind: Bool {
        if owedPlan != nil || !isMemoryKept, !store.hasRoom(for: 1) { return store.isBehind }
        return owedPlan != nil || !isMemoryKept || !behind.isEmpty || store.isBehind || !image.news.isEmpty
    }

    /// Long enough.
    func prove(at now: Instant) {
        guard let due = proofDue, due <= now else { return }
        proofDue = nil
        try? memory.setRestores(0)
    }

    /// The tree has ended: nothing of it is there to be adopted.
    func end() {
        store.drop(StoredName.state.text, of: 1)
        if let plan { store.drop(StoredName.plan(plan).text, of: 1) }
        for entries in runs.values { for entry in entries { store.drop(entry.name.text, of: entry.count) } }
        for inode in keptSockets { store.drop(StoredName.socket(inode: inode).text, of: 1) }
    }
}

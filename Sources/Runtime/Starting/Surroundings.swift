import SupervisorCore
import System
import Wire

/// What nexusd has before it has a plan, and keeps for its life.
final class Surroundings {
    let kernel: any Kernel
    let directories: Directories
    /// What `status` calls the configuration: Supervisor.toml, or the file given with `--plan`.
    let config: String
    let places: RuntimeDirectory
    let poller: Poller
    let signals: SignalSource
    let containment: Containment
    let life: LifeID
    let spawner: Spawner
    let reaper: Reaper
    let stderr: StandardError
    /// Whether it was started at a terminal whose end it is to follow. Looked at now: the kernel takes a terminal that hangs
    /// up away before it sends SIGHUP.
    let hasTerminal: Bool
    /// Of the start, the upper half of every run id; later than that of every start before.
    let second: UInt32
    /// nexusd's own environment.
    let variable: (String) -> String?
    /// One buffer for everything that is read.
    let scratch: UnsafeMutableRawBufferPointer
    /// Descriptors for the stop: it has to look into /proc and to open pidfds also when children used all others up.
    private var reserve: [OwnedBox] = []
    /// Runs of nexusd's own programs so far.
    private var ownRuns: UInt32 = 0
    /// Kept, for the locks go with them.
    let lock: InstanceLock
    let state: StateDirectory
    /// What nexusd was started with, and children get.
    let openFiles: ResourceLimit
    /// Where nexusd is installed: by what it is replaced in an upgrade.
    private(set) var program: String
    /// The file that it was executed from, which an upgrade of the package takes away; nil where it cannot be opened.
    private let programFile: OwnedFD?
    /// Why another program has not taken over, when this one was executed again for that.
    private(set) var refusedUpgrade: String?
    /// The one in which the nexusd before this one ended.
    private(set) var interruptedUpgrade: BegunUpgrade?
    /// How that one ended, as far as it is known.
    var predecessorsEnd: String { interruptedUpgrade == nil ? "was killed" : "ended in an upgrade" }
    private let lives: LifeBook
    /// What an earlier nexusd had left behind.
    private(set) var leftovers = Leftovers.Outcome()
    private var hasEarlierLeftovers = false
    private var haveLeftoversEnded = false
    /// systemd's store of descriptors, if there is one.
    let store: DescriptorStore?
    /// What of an earlier nexusd goes on.
    private(set) var adoption: Adoption?
    /// Why nothing does, where that is worth a word: a sentence without its end.
    private(set) var adoptionRefusal: String?
    /// Why the next nexusd will not be able to adopt anybody, where it was meant to; the same.
    private(set) var keepingRefusal: String?
    /// What cannot be told of them, or what the next nexusd will not be able to tell; for `status`.
    var lifeNote: String? { lives.note(life) ?? lifeTrouble }
    private var lifeTrouble: String?
    private let pidFile: PIDFile?
    private let stage: StageFile
    /// What there was not before, by directory.
    var footprints: [Footprint] = []

    /// The largest packet of the log link, and the most that is taken from a link in a turn.
    static let scratchBytes = 65_536 + 4096
    static let reserveCount = 4

    /// A descriptor in a list.
    private final class OwnedBox {
        let fd: OwnedFD

        init(_ fd: consuming OwnedFD) { self.fd = fd }
    }

    init(
        _ kernel: any Kernel, _ directories: Directories, config: String, _ places: RuntimeDirectory,
        _ lock: InstanceLock, _ state: StateDirectory, _ stderr: StandardError, _ containment: Containment,
        openFiles: ResourceLimit, life known: LifeID? = nil,
        variable: @escaping (String) -> String?
    ) throws(Errno) {
        self.kernel = kernel
        self.directories = directories
        self.config = config
        self.places = places
        self.lock = lock
        self.state = state
        self.stderr = stderr
        self.containment = containment
        self.variable = variable
        hasTerminal = kernel.hasTerminal && !kernel.ignoresHangUps
        lives = LifeBook(kernel, path: places.life)
        do throws(Errno) { store = try DescriptorStore(kernel, variable: variable) } catch {
            store = nil
            keepingRefusal = Self.keepingRefusal(error)
        }
        if let known { life = known } else { life = try LifeID(kernel) }
        self.openFiles = openFiles
        program = Self.program(kernel)
        programFile = try? kernel.open("/proc/self/exe", .path, mode: 0)
        poller = try Poller(kernel)
        signals = try SignalSource(kernel, [.terminate, .interrupt, .quit, .power, .halt, .hangUp, .child])
        spawner = try Spawner(kernel, openFiles: openFiles, life: life)
        reaper = Reaper(kernel)
        second = state.second
        scratch = .allocate(byteCount: Self.scratchBytes, alignment: 16)
        stage = StageFile(kernel, path: places.stage)
        pidFile = try? PIDFile(kernel, path: places.pids + "/nexusd.pid", process: kernel.processID())
        try poller.addAtOnce(signals.fd, token: EventSource.signals.token)
        for _ in 0..<Self.reserveCount { reserve.append(OwnedBox(try kernel.duplicate(signals.fd))) }
    }

    /// This life is written down, before anything is started, beside those of which something may be left. One that cannot be written
    /// down is only not found again.
    func beginLife() {
        interruptedUpgrade = stage.interruptedUpgrade()
        inherit()
        write(lives.earlier)
    }

    /// Ends what an earlier nexusd left behind; to be called when there is a plan, and before the first child of it. A configuration
    /// that is refused touches nothing that runs.
    func endLeftovers() {
        leftovers = containment.endLeftovers(of: lives.earlier, sparing: adoptedScopes) { [stage] found in
            let names = found.prefix(4).map { "\($0.name) (pid \($0.process))" }.joined(separator: ", ")
            let all = "\(found.count) process\(found.count == 1 ? "" : "es") that an earlier nexusd left behind"
            let more = found.count > 4 ? ", …" : ""
            stage.tell(.starting("it ends \(all), within \(Leftovers.limit.words): \(names)\(more)"))
        }
        haveLeftoversEnded = true
        // Those that are adopted carry the mark of the life they began in.
        if !lives.earlier.isEmpty, leftovers.remaining.isEmpty, adoption == nil { write([]) }
    }

    private func write(_ unfinished: [LifeID]) {
        do { try lives.begin(life, beside: unfinished) } catch {
            guard lifeTrouble == nil else { return }
            let words =
                "\(kernel.displaced(places.life) ?? places.life): \(error); \(error.remedy), then restart nexusd; should it be"
                + " killed before, the next one cannot tell what it left behind"
            lifeTrouble = words
            stderr.write(LogEvent(.supervisorTrouble, 4, words + "."))
        }
    }

    /// What the program before this one has handed over. Nothing of it is left over, and its life is still the same.
    func resume(_ handover: Handover, refused: String?) throws(Adoption.Refusal) {
        var adoption = try Adoption(handover, second: second, kernel)
        adoption.openScopes(containment)
        if let (child, error) = adoption.obstacles.first {
            throw Adoption.Refusal("the cgroup of \(adoption.plan[child].name) cannot be opened: \(error)")
        }
        refusedUpgrade = refused
        // Its own file may be one that an upgrade has taken away.
        program = handover.head.program
        hasEarlierLeftovers = handover.head.hasLeftovers
        haveLeftoversEnded = true
        self.adoption = adoption
    }

    /// The number of `programFile`; -1 without one.
    var programDescriptor: Int32 {
        switch programFile {
        case .some(let file): file.raw
        case .none: -1
        }
    }

    /// As it was called, where that says it: a link may lead to another program after an upgrade.
    private static func program(_ kernel: any Kernel) -> String {
        let own = (try? kernel.readLink("/proc/self/exe")) ?? ""
        guard let called = CommandLine.arguments.first, called.hasPrefix("/"),
            let status = try? kernel.status(called, followingLinks: true),
            let running = try? kernel.status(own, followingLinks: true),
            (status.device, status.inode) == (running.device, running.inode)
        else { return own }
        return called
    }

    /// What came back from the store, and whether it is something to go on from.
    private func inherit() {
        guard let inheritance = Inheritance(kernel, variable: variable) else { return }
        store?.recall(inheritance.count)
        do throws(Adoption.Refusal) {
            guard let store else { throw Adoption.Refusal("there is no store") }
            guard containment.guarantee == .exact else {
                throw Adoption.Refusal("children have no cgroups: \(containment.note ?? "")")
            }
            var adoption = try Adoption(inheritance, lives: lives.earlier, second: second, kernel)
            adoption.openScopes(containment)
            for name in inheritance.unknown { store.drop(name, of: inheritance.names[name] ?? 0) }
            for number in inheritance.plans.keys where number != adoption.content.head.plan {
                store.drop(StoredName.plan(number).text, of: 1)
            }
            self.adoption = adoption
        } catch {
            for (name, count) in inheritance.names { store?.drop(name, of: count) }
            kernel.freeAddresses(of: inheritance.sockets)
            guard !error.isUsual else { return }
            adoptionRefusal =
                "Nothing of the nexusd that was killed goes on, and what it had left is ended: \(error)"
        }
    }

    /// Their processes are not left over.
    private var adoptedScopes: Set<String> {
        guard let adoption else { return [] }
        return Set(
            adoption.living.compactMap { child in
                adoption.living(child).flatMap {
                    containment.path(child: adoption.plan[child].name, run: $0.id)
                }
            })
    }

    /// To be carried out, once.
    func takeAdoption() -> Adoption? { adoption.take() }

    /// Keeps for the next nexusd what it needs, where there is a store and children can be told by their cgroups.
    func makeKeeper(at now: Instant) -> Keeper? {
        guard let store, containment.guarantee == .exact else { return nil }
        if let adoption, let memory = adoption.memory {
            return Keeper(kernel, store, life: life, adoption, memory, at: now)
        }
        do throws(Errno) {
            guard let adoption, let book = adoption.handover?.stored else {
                return try Keeper(kernel, store, life: life)
            }
            return try Keeper(kernel, store, life: life, book, plan: adoption.plan, at: now)
        } catch {
            keepingRefusal = Self.keepingRefusal(error)
            return nil
        }
    }

    private static func keepingRefusal(_ error: Errno) -> String {
        "the next nexusd could not adopt the children of this one, should it be killed, and would end them: \(error)"
    }

    /// Something of an earlier nexusd could not be ended.
    var hasLeftovers: Bool { !leftovers.remaining.isEmpty || hasEarlierLeftovers }

    /// What nexusd is at, for whoever finds it not listening.
    func tell(_ stage: StageFile.Stage) { self.stage.tell(stage) }

    /// The same before another program takes over, which is not to begin without it.
    func tellHandingOver(_ upgrade: BegunUpgrade) throws(Errno) { try stage.write(.handingOver(upgrade)) }

    /// Nothing of this life or of an earlier one is left; what was to be adopted, or to be ended, is there still, for the next nexusd.
    func endLife() {
        guard haveLeftoversEnded else { return lives.goBack() }
        if !hasLeftovers, adoption == nil { lives.finish() }
    }

    deinit { scratch.deallocate() }

    /// An id for a run that is no child's. Those of children count up from 1, these down from the end.
    func nextOwnRun() -> RunID {
        ownRuns += 1
        return RunID(second: second, count: .max - ownRuns)
    }

    /// The stop begins: the reserve is for this.
    func releaseReserve() { reserve = [] }

    /// nexusd ends: what it wrote for people goes.
    func leave() {
        pidFile?.remove(kernel)
        stage.remove()
    }

    /// nexusd is refused before anything of the tree was started: what it made goes, and so does the word of its life.
    func withdraw() {
        endLife()
        for footprint in footprints { footprint.erase() }
    }
}

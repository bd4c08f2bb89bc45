import Plan
import SupervisorCore
import System
import Wire

/// nexusd at work: one thread that waits, collects what happened, asks the core, and carries out what it says.
///
/// A turn is: wait · collect · feed the core · carry out its actions in order · bus and control · arm one timer. The
/// core decides about children, the router about the bus; this decides nothing but how.
final class Engine {
    let surroundings: Surroundings
    let kernel: any Kernel
    var plan: PlanBook
    /// Whether there is a Supervisor.toml that nexus-config can read again, or record choices beside.
    let readsFile: Bool
    /// Things worth a word in `status`, the most important first.
    var notes: [String]
    /// Why a choice made by command is not on disk.
    var unrecorded: String?
    /// When and why the last reload was refused; nil once one was taken.
    var refusedReload: String?
    let listener: ControlListener
    let journal: Journal
    var access: ControlAccess

    var core: Supervisor
    var router: Router
    var notify: NotifySchedule
    var vault: SecretVault
    var answers = OpenAnswers()
    var serving = ServingMeter()
    var clients: [PeerID: ControlClient] = [:]
    var refusals = RefusalMeter()
    /// Of what was asked on links that are there.
    var refusedAskers = RefusalMeters()
    /// Who came to the control socket of late.
    var knocks = KnockMeter()
    var partings: Partings
    let disposal: Disposal
    /// By `ChildID.rawValue - 1`.
    var cells: [ChildCell]
    /// What owners chose by command, as far as the file says otherwise.
    var choices: [ChildID: Choice]
    /// Removed by a reload, and not empty yet.
    var leaving: [ChildID] = []
    var config = ConfigDesk()
    /// Whose process is whose: main processes and exec probes.
    var processes: [ProcessID: ChildID] = [:]
    /// Children whose program is not executed yet.
    var launching: [ChildID] = []
    /// Children whose main process ended while something of the run is left.
    var lingering: [ChildID] = []
    /// Children with a signal that has not reached everybody.
    var signalling: [ChildID] = []
    /// Children whose PID file names a process that is gone.
    var endedPIDFiles: [ChildID] = []
    /// Tells of a wall clock that was set; only where a child has a calendar.
    var clockAlarm: OwnedFD?
    /// When to look for ended processes without a signal.
    var reapAgainAt: Instant?
    /// Children with a probe under way.
    var probing: [ChildID] = []
    /// Workers that closed their links, the oldest first.
    var severed: [Severed] = []
    var outputGuard = OutputGuard()
    var pulse = LogWriterPulse()
    /// Nil without log-writer, and where the kernel gives none: then only its link tells whether it lives.
    let pipeWatch: PipeWatch?
    var isWatchingPipes = false
    /// Runs of a nexusd before this one that it took over, alive or not: it tells their ends as it does those of its own.
    var inherited: Set<RunID> = []
    /// What log-writer cannot file.
    var unfiled = UnfiledLines()
    /// What is wrong with its book of runs; empty: nothing.
    var bookTrouble = ""
    var crowded = CrowdedChildren()
    var board: ReadinessBoard
    var memory: MemoryWatch
    var wishes = RecycleWishes()
    var random: UInt64

    var upgrade = UpgradeDesk()
    /// Keeps what the next nexusd needs to adopt the children; nil where there is no store for it, or no cgroup.
    var keeper: Keeper?
    /// When what could not be kept is tried again.
    var keepAgainAt: Instant?
    /// How long after that, should it fail again.
    var keepPause = Engine.keepPause
    /// When everything was kept last; what `status` says of what is not.
    var keptUntil: Instant
    var keepingNote: String?
    var hasToldKeeping = false
    /// log-writer's link, between its run was taken over and everybody's was.
    var adoptedLink: LogLink?

    /// The clock's last reading; every event is fed with it.
    var now: Instant
    /// When this turn began.
    var turnBegan: Instant
    /// What the core said and is not carried out yet.
    var actions: [Action] = []
    var nextAction = 0
    /// A long answer can go on at once.
    var hasMoreStatus = false
    /// When the loop meant to wake, to see whether it was late.
    var plannedWake: Instant?
    var loopClock = LoopClock()
    var shutdownLevel: UInt8 = 0
    /// When the first wish to stop came.
    var shutdownBegan: Instant?
    /// Set by `Action.finished`.
    var finished: Bool?
    /// The plan in force is the last good one, since the file was refused at the start.
    var runsLastGood = false
    /// The exit status of the significant child that ended the tree.
    var significantStatus: Int32?
    var commandCount: UInt64 = 0
    var lastTag: UInt32 = 0
    let started: Instant

    init(
        _ surroundings: Surroundings, _ plan: PlanBook, _ choices: [ChildID: Choice], listener: ControlListener,
        readsFile: Bool, notes: [String]
    ) {
        self.surroundings = surroundings
        self.choices = choices
        self.readsFile = readsFile
        kernel = surroundings.kernel
        self.plan = plan
        self.listener = listener
        disposal = Disposal(surroundings.kernel)
        partings = Partings(listener.refusesDescriptors ? nil : disposal)
        self.notes = notes
        now = kernel.monotonic()
        started = now
        turnBegan = now
        keptUntil = now
        var tree = plan.tree
        tree.choices = choices
        core = surroundings.adoption?.core ?? Supervisor(tree: tree, second: surroundings.second, at: now)
        router = Router(workers: plan.workers)
        notify = NotifySchedule(kernel, at: now, variable: surroundings.variable)
        vault = SecretVault(kernel, plan.secrets, credentials: surroundings.variable("CREDENTIALS_DIRECTORY"))
        cells = plan.names.ids.map(ChildCell.init)
        access = ControlAccess(own: kernel.userID(), plan: plan)
        board = ReadinessBoard(count: plan.count)
        memory = MemoryWatch(plan, kernelKeepsMaximum: surroundings.containment.enforces(.memory))
        random = UInt64(bitPattern: kernel.wallClock()) | 1
        pipeWatch = plan.tree.logWriter == nil ? nil : try? PipeWatch(kernel)
        keeper = surroundings.makeKeeper(at: now)
        journal = Journal(kernel, stderr: surroundings.stderr, keepsForLogWriter: plan.tree.logWriter != nil)
    }

    var names: TreeNames { plan.names }

    subscript(child: ChildID) -> ChildCell { cells[Int(child.rawValue) - 1] }

    var logWriter: ChildID? { core.tree.logWriter }

    /// The run with this generation, when it is still the child's.
    func run(_ child: ChildID, _ generation: EventSource.Generation) -> LivingRun? {
        guard child.rawValue > 0, Int(child.rawValue) <= cells.count, let run = self[child].run,
            run.generation == generation
        else { return nil }
        return run
    }

    /// A fresh number for the core's delays. xorshift: spreading starts needs no secrecy, and no syscall.
    func jitter() -> UInt16 {
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        return UInt16(truncatingIfNeeded: random >> 32)
    }

    /// Tells the core; what it answers is carried out in order, behind what it said before.
    func feed(_ event: Event) { core.handle(event, at: now, jitter: jitter(), into: &actions) }

    /// One of nexusd's own words.
    func say(_ event: LogEvent) {
        journal.say(event)
        if answers.hasSubscribers { publish(event) }
    }
}

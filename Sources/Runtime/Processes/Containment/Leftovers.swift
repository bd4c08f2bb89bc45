import SupervisorCore
import System

/// What an earlier nexusd left behind when it was killed. It is ended before anything is started: two lives of one child
/// would fight over its files and ports.
///
/// Nothing is guessed. Left over is what sits in a cgroup of a run below ours, what has the mark of an earlier life of
/// this runtime directory in its environment, or, while it waits in its execve(2), as its name, what shares a session with such
/// a process that leads it (nexusd gives each run a session), and what descends from any of these. A process that emptied its environment and left its parents and
/// its session is not told from a stranger without a cgroup, and left alone.
///
/// log-writer goes last: once nexusd is dead nobody but it holds the reading ends of the children's pipes, and what is in a
/// pipe is lost with its last reader.
struct Leftovers {
    /// For them to end by SIGTERM, and for SIGKILL to reach the last of them.
    static let patience: Duration = .seconds(2)
    static let limit: Duration = .seconds(7)
    /// The same for log-writer, which empties the pipes for up to 3 s and gives the journal one more.
    static let logWriterPatience: Duration = .seconds(5)
    /// Processes that are named in words.
    static let nameLimit = 16

    /// What came of it.
    struct Outcome {
        /// How many there were.
        var count = 0
        /// The first of them.
        var named: [ProcessEntry] = []
        /// Those that are still there.
        var remaining: [ProcessEntry] = []
    }

    private let kernel: any Kernel
    private let root: CgroupRoot?
    private let lives: [LifeID]
    /// nexusd and whoever started it.
    private let spared: Set<ProcessID>
    /// Cgroups of runs that are adopted.
    private let adopted: Set<String>

    init(_ kernel: any Kernel, root: CgroupRoot?, lives: [LifeID], sparing adopted: Set<String> = []) {
        self.kernel = kernel
        self.root = root
        self.lives = lives
        self.adopted = adopted
        var spared: Set<ProcessID> = []
        var next: ProcessID? = kernel.processID()
        while let process = next, process.rawValue > 0, spared.insert(process).inserted {
            next = ProcessTable.entry(process, kernel)?.parent
        }
        self.spared = spared
    }

    /// Who is ended at a time.
    private enum Stage: CaseIterable {
        case writers
        case logWriter

        var patience: Duration {
            switch self {
            case .writers: Leftovers.patience
            case .logWriter: Leftovers.logWriterPatience
            }
        }
    }

    /// SIGTERM, time, SIGKILL, and waiting for the last of them, a stage after the other; `waiting` hears for whom.
    func end(_ waiting: ([ProcessEntry]) -> Void) -> Outcome {
        var outcome = Outcome()
        for stage in Stage.allCases { end(stage, &outcome, waiting) }
        for run in runs { run.remove() }
        return outcome
    }

    private func end(_ stage: Stage, _ outcome: inout Outcome, _ waiting: ([ProcessEntry]) -> Void) {
        let unkillable = outcome.remaining
        // By number and start time: a parent changes when the one before it ends.
        var signalled: [ProcessID: UInt64] = [:]
        let begun = kernel.monotonic()
        while true {
            let found = find(stage).filter { entry in
                !unkillable.contains { $0.process == entry.process && $0.started == entry.started }
            }
            if signalled.isEmpty, !found.isEmpty { waiting(found) }
            for entry in found where signalled.updateValue(entry.started, forKey: entry.process) != entry.started {
                outcome.count += 1
                if outcome.named.count < Self.nameLimit { outcome.named.append(entry) }
                _ = kernel.signal(entry, .terminate) { _ in true }
            }
            let elapsed = kernel.monotonic() - begun
            if found.isEmpty || elapsed >= Self.limit {
                outcome.remaining += found
                break
            }
            let isOver = elapsed >= stage.patience
            if isOver { kill(found, stage) }
            wait(for: found, atMost: isOver ? .milliseconds(50) : .milliseconds(200))
        }
    }

    private func kill(_ found: [ProcessEntry], _ stage: Stage) {
        let spared = stage == .writers ? Set((root?.runs(kernel, of: Self.logWriter) ?? []).map(\.path)) : []
        for run in runs where !spared.contains(run.path) { _ = run.kill() }
        for entry in found { _ = kernel.signal(entry, .kill) { _ in true } }
    }

    /// The name that nexus-config gives it, and lets no other child have.
    private static let logWriter = "log-writer"

    /// Until all of them have ended. They are no children of ours, so their pidfds tell; who was missed is found by the
    /// next look.
    private func wait(for found: [ProcessEntry], atMost limit: Duration) {
        guard let poller = try? Poller(kernel, capacity: Self.waitLimit) else { return }
        var waiting: [UInt64: Pidfd] = [:]
        for entry in found.prefix(Self.waitLimit) {
            guard let pidfd = try? Pidfd(kernel, entry.process) else { continue }
            let token = UInt64(entry.process.rawValue)
            guard (try? poller.add(pidfd.fd, token: token)) != nil else { continue }
            waiting[token] = pidfd
        }
        let end = kernel.monotonic() + limit
        while !waiting.isEmpty, case let left = end - kernel.monotonic(), left > .zero {
            guard (try? poller.wait(atMost: left)) != nil else { return }
            for index in 0..<poller.batch.count {
                if let pidfd = waiting.removeValue(forKey: poller.batch[index].token) { poller.remove(pidfd.fd) }
            }
        }
    }

    private static let waitLimit = 64

    /// A descriptor in a table.
    private final class Pidfd {
        let fd: OwnedFD

        init(_ kernel: any Kernel, _ process: ProcessID) throws(Errno) { fd = try kernel.openProcess(process) }
    }

    /// log-writer is told by its cgroup or by what its environment says.
    private func find(_ stage: Stage) -> [ProcessEntry] {
        let all = find()
        guard stage == .writers, !all.isEmpty else { return all }
        let own = Set((root?.runs(kernel, of: Self.logWriter) ?? []).flatMap { $0.members() })
        return all.filter { entry in
            let child = ProcessTable.variable("NEXUS_CHILD", of: entry.process, kernel)
            return !own.contains(entry.process) && !(child?.elementsEqual(Self.logWriter.utf8) ?? false)
        }
    }

    /// Those of runs that nobody adopts.
    private var runs: [CgroupTree] { (root?.runs(kernel) ?? []).filter { !adopted.contains($0.path) } }

    private func find() -> [ProcessEntry] {
        var found: [ProcessID: ProcessEntry] = [:]
        func add(_ entry: ProcessEntry) { found[entry.process] = entry }
        for run in runs {
            run.members().compactMap { ProcessTable.entry($0, kernel) }.forEach(add)
        }
        if !lives.isEmpty { marked().forEach(add) }
        let adopted = Set(self.adopted.flatMap { CgroupTree(kernel, path: $0).members() })
        return found.values.filter { !spared.contains($0.process) && !adopted.contains($0.process) }
            .sorted { $0.process < $1.process }
    }

    /// By the mark, by session, by parentage. Who waits in its exec has neither descendants nor others in its session, and its
    /// name, unlike an environment, can be read by everybody: it stands for that one process.
    private func marked() -> [ProcessEntry] {
        let marks = Set(lives.map { Array($0.description.utf8)[...] })
        let table = ProcessTable(kernel)
        let marked = table.entries.values.filter { entry in
            ProcessTable.variable(LifeID.variable, of: entry.process, kernel).map(marks.contains) ?? false
        }
        let names = Set(lives.map(\.waitingName))
        let waiting = table.entries.values.filter { names.contains($0.name) && !$0.isZombie }
        guard !marked.isEmpty else { return waiting }
        let sessions = Set(marked.filter { $0.process == $0.session }.map(\.process)).subtracting(spared)
        let members = table.entries.values.filter { sessions.contains($0.session) }
        return waiting + table.subtree(of: (marked + members).map(\.process).filter { !spared.contains($0) })
    }
}

import SupervisorCore
import System

/// A sweep of a run without a cgroup. First everything is seen, then the signal goes out: a signal may break the links by
/// which the others are found.
///
/// Before SIGKILL each process is stopped when it is seen, and its children are read after that: what stands still can
/// neither fork nor lose its parent meanwhile, so a fork bomb is followed from the top down and then ended whole. What was
/// orphaned before is found by another round, until one finds nobody new and
/// misses nobody.
final class SessionSweep: Sweep {
    private enum Phase {
        case beginning
        case looking
        /// At this one of those that were seen.
        case signalling(Int)
        case done
    }

    private let kernel: any Kernel
    private let descendants: Descendants
    private let run: RunID
    private let signal: Signal?
    private var phase = Phase.beginning
    private var pending: [ProcessID] = []
    private var visited: Set<ProcessID> = []
    private var found: [ProcessEntry] = []
    /// Met in an earlier round, by start time.
    private var met: [ProcessID: UInt64] = [:]
    /// Somebody of this round could not be looked at.
    private var isTrailing = false
    private var rounds = 0
    private var hesitations = 0
    private(set) var reached = 0
    /// Whom the signal has met already by the run's cgroup.
    private let isCared: ((ProcessEntry) -> Bool)?
    private(set) var leavers: [ProcessEntry] = []

    /// A bomb that is still ahead after so many rounds is met again when one of its processes comes to light as an orphan.
    private static let roundLimit = 100

    /// Turns that a round waits for orphans to be judged.
    private static let hesitationLimit = 8

    init(
        _ descendants: Descendants, run: RunID, signal: Signal?, except isCared: ((ProcessEntry) -> Bool)? = nil
    ) {
        self.isCared = isCared
        kernel = descendants.kernel
        self.descendants = descendants
        self.run = run
        self.signal = signal
        if signal != nil { descendants.expectOrphans(of: run) }
    }

    func proceed() -> Bool {
        while true {
            switch phase {
            case .beginning:
                // Somebody who makes orphans without end does not hold this up: the rest comes to light as newcomers.
                if signal != nil, !descendants.judge(), hesitations < Self.hesitationLimit {
                    hesitations += 1
                    return false
                }
                // A look before a signal is for those whom the signal may orphan.
                begin(signal == nil ? descendants.started(for: run) : descendants.roots(of: run))
            case .looking:
                guard look() else { return false }
                phase = signal == nil || found.isEmpty && !isTrailing ? .done : .signalling(0)
            case .signalling(let next):
                guard next < found.count else {
                    endRound()
                    continue
                }
                guard descendants.takeLook() else { return false }
                phase = .signalling(next + 1)
                send(to: found[next])
            case .done: return true
            }
        }
    }

    func finish() { while !proceed() { descendants.renewLooks() } }

    private func begin(_ roots: [ProcessID]) {
        pending = roots
        visited = Set(roots)
        found = []
        isTrailing = false
        rounds += 1
        phase = .looking
    }

    /// True when everything below the roots was seen.
    private func look() -> Bool {
        while !pending.isEmpty {
            guard descendants.takeLook(), let process = pending.popLast() else { return false }
            guard let entry = see(process) else { continue }
            if met.updateValue(entry.started, forKey: process) != entry.started {
                found.append(entry)
                descendants.sight(entry, in: run)
            }
            guard let children = ProcessTable.children(of: entry, kernel) else {
                lookAtTable()
                continue
            }
            for child in children where visited.insert(child).inserted { pending.append(child) }
        }
        return true
    }

    /// One process; stopped, when it is to be killed. The pidfd is there before the look: if the number has passed on in
    /// between, the signal goes to one that is gone.
    private func see(_ process: ProcessID) -> ProcessEntry? {
        guard signal == .kill, met[process] == nil else { return ProcessTable.entry(process, kernel) }
        do {
            let pidfd = try kernel.openProcess(process)
            guard let entry = ProcessTable.entry(process, kernel), isBelow(entry) else { return nil }
            try? kernel.signal(pidfd, .stop)
            return entry
        } catch {
            // It was gone and may have forked before, or there was no descriptor to look at it: another round finds out.
            isTrailing = true
            return nil
        }
    }

    /// Whether it is a child of one that was visited: a number from a list may be another's by now.
    private func isBelow(_ entry: ProcessEntry) -> Bool {
        entry.parent == descendants.supervisor || visited.contains(entry.parent)
    }

    /// Where the kernel has no lists of children: the whole table, once a round.
    private func lookAtTable() {
        let table = ProcessTable(kernel)
        for entry in table.subtree(of: visited) where met.updateValue(entry.started, forKey: entry.process) == nil {
            found.append(entry)
            descendants.sight(entry, in: run)
        }
        pending = []
    }

    private func send(to entry: ProcessEntry) {
        guard let signal else { return }
        if let isCared {
            // Whoever comes back in between is killed twice rather than not at all.
            if isCared(entry) {
                if signal != .kill { return }
            } else if leavers.count < Self.namedLimit {
                leavers.append(entry)
            }
        }
        if signal == .kill { descendants.killed(entry) }
        if kernel.signal(entry, signal, ifStill: { _ in true }) {
            reached += 1
        } else {
            // Should it be there still, the next round meets it as if for the first time.
            met[entry.process] = nil
        }
    }

    private func endRound() {
        guard signal == .kill, rounds < Self.roundLimit else { return phase = .done }
        descendants.expectOrphans(of: run)
        hesitations = 0
        phase = .beginning
    }
}

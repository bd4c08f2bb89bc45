import SupervisorCore
import System

/// Who below nexusd belongs to which run, told by parentage, session, an earlier look and the run id in the
/// environment. As a subreaper nexusd becomes the parent of every orphan below it, so its own children that it did not
/// start are the roots of everything whose leader is gone.
///
/// What this cannot tell: an orphan that was never seen, in a session of its own, with an emptied environment. It is a
/// stray: listed, and ended with the tree.
final class Descendants {
    private let kernel: any Kernel
    private let supervisor: ProcessID
    private var accounts: [RunID: Account] = [:]
    /// Processes nexusd started and has not reaped.
    private var runOf: [ProcessID: RunID] = [:]
    /// Every process nexusd starts leads a session; its number is not used again while the session has a member.
    private var sessions: [ProcessID: RunID] = [:]
    /// Processes seen below a run's own before they were orphaned.
    private var seen: [ProcessID: Sighting] = [:]
    private var orphanCache: [ProcessID]?

    /// What is kept of a run, so that closing it costs what it holds and not what all hold.
    private struct Account {
        /// Its first process.
        var main: ProcessID?
        /// Started and not reaped, the main process among them.
        var living: [ProcessID] = []
        var sighted: [ProcessID] = []
    }

    private struct Sighting {
        let started: UInt64
        let run: RunID
    }

    init(_ kernel: any Kernel) {
        self.kernel = kernel
        supervisor = kernel.processID()
    }

    func open(_ run: RunID) { accounts[run] = Account() }

    func began(_ process: ProcessID, in run: RunID) {
        var account = accounts[run] ?? Account()
        if account.main == nil { account.main = process }
        account.living.append(process)
        accounts[run] = account
        runOf[process] = run
        sessions[process] = run
        seen[process] = nil
        orphanCache = nil
    }

    /// Any child was reaped, started by nexusd or adopted. Its own orphans are nexusd's children from now on.
    func ended(_ process: ProcessID) {
        orphanCache = nil
        seen[process] = nil
        guard let run = runOf.removeValue(forKey: process) else { return }
        accounts[run]?.living.removeAll { $0 == process }
        // What a probe leaves is known by its run id; only the main process's session is kept until the run is over.
        if accounts[run]?.main != process { sessions[process] = nil }
    }

    func close(_ run: RunID) {
        guard let account = accounts.removeValue(forKey: run) else { return }
        for process in account.living where runOf[process] == run {
            runOf[process] = nil
            sessions[process] = nil
        }
        if let main = account.main, sessions[main] == run { sessions[main] = nil }
        for process in account.sighted where seen[process]?.run == run { seen[process] = nil }
    }

    /// Looks at everything below the run's own processes and remembers it.
    func snapshot(_ run: RunID) {
        guard let living = accounts[run]?.living else { return }
        for entry in subtree(of: living) where runOf[entry.process] == nil {
            seen[entry.process] = Sighting(started: entry.started, run: run)
            accounts[run]?.sighted.append(entry.process)
        }
    }

    /// The usual case costs one read for all runs that ended together: as many children as nexusd started and did not
    /// reap, so none of them is an orphan.
    func isEmpty(_ run: RunID) -> Bool {
        if accounts[run]?.living.isEmpty == false { return false }
        if orphanCache == nil, ProcessTable.childCount(of: supervisor, kernel) == runOf.count { orphanCache = [] }
        return !orphans().contains { owner(of: $0) == run }
    }

    /// Everything of a run: what nexusd started, what hangs below it, and orphans that are told to be of this run.
    func members(_ run: RunID) -> [ProcessEntry] {
        orphanCache = nil
        return subtree(of: (accounts[run]?.living ?? []) + orphans().filter { owner(of: $0) == run })
    }

    /// Orphans of no living run, and everything below them.
    func strays() -> [ProcessEntry] {
        orphanCache = nil
        return subtree(of: orphans().filter { owner(of: $0) == nil })
    }

    private func orphans() -> [ProcessID] {
        if let orphanCache { return orphanCache }
        let children =
            ProcessTable.children(of: supervisor, kernel)
            ?? ProcessTable(kernel).entries.values.filter { $0.parent == supervisor }.map(\.process)
        let orphans = children.filter { runOf[$0] == nil }
        orphanCache = orphans
        return orphans
    }

    /// The run a process belongs to; one that never was (0) for a process that hangs below nothing nexusd started. nil
    /// when that cannot be told: it is gone, or an orphan that says nothing of itself.
    func run(of process: ProcessID) -> RunID? {
        var current = process
        for _ in 0..<Self.ancestors {
            if let run = runOf[current] { return run }
            guard let entry = ProcessTable.entry(current, kernel) else { return nil }
            if let run = sessions[entry.session] { return run }
            if entry.parent == supervisor { return owner(of: current) }
            if entry.parent.rawValue <= 1 { return RunID(rawValue: 0) }
            current = entry.parent
        }
        return nil
    }

    /// Generations between a run's main process and one that speaks for it.
    private static let ancestors = 64

    private func owner(of orphan: ProcessID) -> RunID? {
        guard let entry = ProcessTable.entry(orphan, kernel) else { return nil }
        if let run = sessions[entry.session] { return run }
        if let sighting = seen[orphan], sighting.started == entry.started { return sighting.run }
        return ProcessTable.runID(of: orphan, kernel).flatMap { accounts[$0] == nil ? nil : $0 }
    }

    /// These processes and everything below them, by each one's own list of children; by the whole process table only
    /// where the kernel has no such lists.
    private func subtree(of roots: [ProcessID]) -> [ProcessEntry] {
        var found: [ProcessEntry] = []
        var pending = roots
        var visited = Set(roots)
        while let process = pending.popLast() {
            guard let entry = ProcessTable.entry(process, kernel) else { continue }
            found.append(entry)
            guard let children = ProcessTable.children(of: process, kernel) else {
                if ProcessTable.entry(process, kernel) == nil { continue }
                return ProcessTable(kernel).subtree(of: roots)
            }
            for child in children where visited.insert(child).inserted { pending.append(child) }
        }
        return found
    }
}

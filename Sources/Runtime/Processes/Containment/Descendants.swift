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
    /// Processes nexusd started and has not reaped, by run.
    private var started: [RunID: Set<ProcessID>] = [:]
    private var runOf: [ProcessID: RunID] = [:]
    /// Every process nexusd starts leads a session; its number is not used again while the session has a member.
    private var sessions: [ProcessID: RunID] = [:]
    /// Processes seen below a run's own before they were orphaned.
    private var seen: [ProcessID: Sighting] = [:]
    private var orphanCache: [ProcessID]?

    private struct Sighting {
        let started: UInt64
        let run: RunID
    }

    init(_ kernel: any Kernel) {
        self.kernel = kernel
        supervisor = kernel.processID()
    }

    func open(_ run: RunID) { started[run] = [] }

    func began(_ process: ProcessID, in run: RunID) {
        started[run, default: []].insert(process)
        runOf[process] = run
        sessions[process] = run
        seen[process] = nil
        orphanCache = nil
    }

    /// Any child was reaped, started by nexusd or adopted. Its own orphans are nexusd's children from now on.
    func ended(_ process: ProcessID) {
        if let run = runOf.removeValue(forKey: process) { started[run]?.remove(process) }
        seen[process] = nil
        orphanCache = nil
    }

    func close(_ run: RunID) {
        started[run] = nil
        runOf = runOf.filter { $0.value != run }
        sessions = sessions.filter { $0.value != run }
        seen = seen.filter { $0.value.run != run }
    }

    /// Looks at everything below the run's own processes and remembers it.
    func snapshot(_ run: RunID) {
        for process in below(started[run] ?? []) {
            seen[process.process] = Sighting(started: process.started, run: run)
        }
    }

    /// The usual case costs one read for all runs that ended together: as many children as nexusd started and did not
    /// reap, so none of them is an orphan.
    func isEmpty(_ run: RunID) -> Bool {
        if started[run]?.isEmpty == false { return false }
        if orphanCache == nil, ProcessTable.childCount(of: supervisor, kernel) == runOf.count { orphanCache = [] }
        return !orphans().contains { owner(of: $0) == run }
    }

    /// Everything of a run: what nexusd started, what hangs below it, and orphans that are told to be of this run.
    func members(_ run: RunID) -> [ProcessEntry] {
        orphanCache = nil
        let table = ProcessTable(kernel)
        let roots = (started[run] ?? []).union(orphans().filter { owner(of: $0) == run })
        return table.subtree(of: roots)
    }

    /// Orphans of no living run, and everything below them.
    func strays() -> [ProcessEntry] {
        orphanCache = nil
        let roots = orphans().filter { owner(of: $0) == nil }
        return roots.isEmpty ? [] : ProcessTable(kernel).subtree(of: roots)
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

    private func owner(of orphan: ProcessID) -> RunID? {
        guard let entry = ProcessTable.entry(orphan, kernel) else { return nil }
        if let run = sessions[entry.session] { return run }
        if let sighting = seen[orphan], sighting.started == entry.started { return sighting.run }
        return ProcessTable.runID(of: orphan, kernel).flatMap { started[$0] == nil ? nil : $0 }
    }

    private func below(_ roots: Set<ProcessID>) -> [ProcessEntry] {
        var found: [ProcessEntry] = []
        var pending = Array(roots)
        var visited = roots
        while let process = pending.popLast() {
            guard let children = ProcessTable.children(of: process, kernel) else {
                return ProcessTable(kernel).subtree(of: roots)
            }
            for child in children where visited.insert(child).inserted {
                if let entry = ProcessTable.entry(child, kernel) { found.append(entry) }
                pending.append(child)
            }
        }
        return found
    }
}

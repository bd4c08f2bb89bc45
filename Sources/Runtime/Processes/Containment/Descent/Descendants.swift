import SupervisorCore
import System

/// Who below nexusd belongs to which run, told by parentage, session, an earlier look and the run id in the
/// environment. As a subreaper nexusd becomes the parent of every orphan below it, so its own children that it did not
/// start are the roots of everything whose leader is gone.
///
/// What this cannot tell: an orphan that was never seen, in a session of its own, with an emptied environment. It is a
/// stray: listed, and ended with the tree.
final class Descendants {
    /// Processes that are looked at before everybody else has a turn of the loop: some 50 µs each, 100 with a kill.
    static let looksPerTurn = 96

    let kernel: any Kernel
    let supervisor: ProcessID
    /// Looks left in this turn.
    private(set) var looks = looksPerTurn
    private var accounts: [RunID: Account] = [:]
    /// Processes nexusd started and has not reaped.
    private var runOf: [ProcessID: RunID] = [:]
    /// Every process nexusd starts leads a session; its number is not used again while the session has a member.
    private var sessions: [ProcessID: RunID] = [:]
    /// Processes seen below a run's own before they were orphaned.
    private var seen: [ProcessID: Sighting] = [:]
    private var orphans = Orphans()
    /// The most that nexusd had when it was looked at; a child may have been cloned at any time.
    private var ownMemory: UInt64 = 0
    private var isOwnMemoryKnown = false

    /// What is kept of a run, so that closing it costs what it holds and not what all hold.
    private struct Account {
        /// Its first process.
        var main: ProcessID?
        /// Started and not reaped, the main process among them.
        var living: [ProcessID] = []
        var sighted: [ProcessID] = []
        /// An orphan was found to be its, and no sweep has met it.
        var hasNewcomers = false
    }

    private struct Sighting {
        let started: UInt64
        let run: RunID
        /// SIGKILL was sent.
        var isKilled = false
    }

    init(_ kernel: any Kernel) {
        self.kernel = kernel
        supervisor = kernel.processID()
    }

    /// A turn begins.
    func renewLooks() {
        looks = Self.looksPerTurn
        isOwnMemoryKnown = false
    }

    /// The peak that the kernel may say of a process for what it copied from nexusd at its clone: a peak goes over an
    /// exec (getrusage(2)). A higher one is the program's own; of a lower one nothing is known. What a child touches
    /// itself before its exec has `launchBytes`.
    func inheritedPeakBytes() -> UInt64 {
        if !isOwnMemoryKnown {
            isOwnMemoryKnown = true
            ownMemory = max(ownMemory, ProcessTable.residentBytes(of: supervisor, kernel) ?? .max - Self.launchBytes)
        }
        return ownMemory + Self.launchBytes
    }

    /// The code and the stack of CNexus/spawn.c, mapped in pieces of 64 KiB as they are touched, and libc's.
    static let launchBytes: UInt64 = 1 << 20

    /// Takes one of this turn's looks; false when none is left.
    func takeLook() -> Bool {
        guard looks > 0 else { return false }
        looks -= 1
        return true
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
    }

    /// Any child was reaped, started by nexusd or adopted.
    func ended(_ process: ProcessID) {
        seen[process] = nil
        orphans.ended(process)
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
            // It is there still, and nobody's from now on.
            orphans.expectNews()
        }
        if let main = account.main, sessions[main] == run { sessions[main] = nil }
        for process in account.sighted where seen[process]?.run == run { seen[process] = nil }
    }

    /// Whether something has to be looked at before it can be told who is empty: the next turn goes on with it.
    var isBehind: Bool { !orphans.unjudged.isEmpty }

    /// Looks at orphans as far as this turn's looks go; true when all are known.
    @discardableResult
    func judge() -> Bool {
        orphans.list(of: supervisor, beside: runOf, kernel)
        while isBehind, takeLook() {
            if let orphan = orphans.next() { judge(orphan) }
        }
        return !isBehind
    }

    /// False as long as it cannot be told.
    func isEmpty(_ run: RunID) -> Bool {
        guard accounts[run]?.living.isEmpty != false, judge() else { return false }
        return !orphans.owners.values.contains(.run(run))
    }

    /// An orphan of this run came to light and no sweep has met it.
    func hasNewcomers(_ run: RunID) -> Bool { accounts[run]?.hasNewcomers ?? false }

    /// Orphans come without a word while somebody of the run lives. Who has nobody started any more is known from the last
    /// death on.
    func expectOrphans(of run: RunID) { if !started(for: run).isEmpty { orphans.expectNews() } }

    /// Where a look at a whole run begins: what nexusd started, and orphans that are told to be of this run.
    func roots(of run: RunID) -> [ProcessID] {
        accounts[run]?.hasNewcomers = false
        return started(for: run) + orphans.of(run)
    }

    /// Those nexusd started for the run and did not reap.
    func started(for run: RunID) -> [ProcessID] { accounts[run]?.living ?? [] }

    /// Remembers a process that was seen below the run's own.
    func sight(_ entry: ProcessEntry, in run: RunID) {
        guard runOf[entry.process] == nil, accounts[run] != nil else { return }
        if let known = seen[entry.process], known.run == run, known.started == entry.started { return }
        seen[entry.process] = Sighting(started: entry.started, run: run)
        accounts[run]?.sighted.append(entry.process)
    }

    /// SIGKILL is on its way to it: it is no newcomer when it is orphaned.
    func killed(_ entry: ProcessEntry) { seen[entry.process]?.isKilled = true }

    /// Everything of a run, at once.
    func members(_ run: RunID) -> [ProcessEntry] {
        judgeAll()
        return subtree(of: started(for: run) + orphans.of(run))
    }

    /// Orphans of no living run, and everything below them, at once.
    func strays() -> [ProcessEntry] {
        judgeAll()
        return subtree(
            of: orphans.owners.filter { _, owner in
                guard case .run(let run) = owner else { return true }
                return accounts[run] == nil
            }.map(\.key).sorted())
    }

    private func judgeAll() {
        orphans.expectNews()
        orphans.list(of: supervisor, beside: runOf, kernel)
        while let orphan = orphans.next() { judge(orphan) }
    }

    /// The run a process belongs to; one that never was (0) for a process that hangs below nothing nexusd started. nil
    /// when that cannot be told: it is gone, or an orphan that says nothing of itself.
    func run(of process: ProcessID) -> RunID? {
        var current = process
        for _ in 0..<Self.ancestors {
            if let run = runOf[current] { return run }
            guard let entry = ProcessTable.entry(current, kernel) else { return nil }
            if let run = sessions[entry.session] { return run }
            if entry.parent == supervisor { return owner(of: entry) }
            if entry.parent.rawValue <= 1 { return RunID(rawValue: 0) }
            current = entry.parent
        }
        return nil
    }

    /// Generations between a run's main process and one that speaks for it.
    private static let ancestors = 64

    private func judge(_ orphan: ProcessID) {
        // It cannot be looked at now: the next list has it again.
        guard let entry = ProcessTable.entry(orphan, kernel) else { return orphans.expectNews() }
        if let run = kinship(of: entry) { return adopt(orphan, into: run) }
        let environment = ProcessTable.environment(of: orphan, kernel) ?? []
        guard !environment.isEmpty else { return orphans.judgeUnclear(orphan, at: kernel.monotonic()) }
        guard let run = claim(environment) else { return orphans.judge(orphan, as: .nobody) }
        adopt(orphan, into: run)
    }

    private func adopt(_ orphan: ProcessID, into run: RunID) {
        orphans.judge(orphan, as: .run(run))
        if seen[orphan]?.isKilled != true { accounts[run]?.hasNewcomers = true }
    }

    private func owner(of orphan: ProcessEntry) -> RunID? {
        if let run = kinship(of: orphan) { return run }
        return ProcessTable.environment(of: orphan.process, kernel).flatMap(claim)
    }

    /// By its session, by an earlier look.
    private func kinship(of orphan: ProcessEntry) -> RunID? {
        if let run = sessions[orphan.session] { return run }
        guard let sighting = seen[orphan.process], sighting.started == orphan.started else { return nil }
        return sighting.run
    }

    /// By what its environment says, when that run is there.
    private func claim(_ environment: [UInt8]) -> RunID? {
        ProcessTable.value(of: "NEXUS_RUN_ID", in: environment).flatMap { RunID(shown: $0) }
            .flatMap { accounts[$0] == nil ? nil : $0 }
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
            guard let children = ProcessTable.children(of: entry, kernel) else {
                if ProcessTable.entry(process, kernel) == nil { continue }
                return ProcessTable(kernel).subtree(of: roots)
            }
            for child in children where visited.insert(child).inserted { pending.append(child) }
        }
        return found
    }
}

public import Plan
public import SupervisorCore
public import System

/// Keeps account of what each run has started. Chosen once, at the start of nexusd.
public final class Containment {
    /// What "stopped means empty" rests on; the words of `status`.
    public enum Guarantee: String, Hashable, Sendable {
        /// A delegated cgroup v2: nothing escapes.
        case exact
        /// The same for a run that has the right to leave: nexusd's own uid, or root's, may write to any of its cgroups.
        case exactWhileItStays = "exact while it stays"
        /// A subreaper: at shutdown nothing is left; for one child what can be told.
        case wholeTreeOnly = "whole tree only"
    }

    /// The guarantee in force.
    public let guarantee: Guarantee
    /// Why it is not exact, in words; nil when it is.
    public let note: String?

    private let kernel: any Kernel
    private let descendants: Descendants
    private let root: CgroupRoot?

    /// Makes nexusd the subreaper of everything it starts, and uses a delegated cgroup when there is one. `override` is
    /// the value of NEXUS_CGROUP. Only the subreaper is indispensable.
    public init(_ kernel: any Kernel, override: String?) throws(Errno) {
        self.kernel = kernel
        try kernel.becomeSubreaper()
        descendants = Descendants(kernel)
        do {
            let found = try CgroupRoot(kernel, override: override)
            root = found
            guarantee = .exact
            note = nil
        } catch {
            root = nil
            guarantee = .wholeTreeOnly
            note = error.why
        }
    }

    /// The containment of the program that this process was before: in the cgroup that it had, or in none. Anything else would
    /// not find its runs again.
    init(_ kernel: any Kernel, resuming path: String?, note words: String) throws(Errno) {
        self.kernel = kernel
        try kernel.becomeSubreaper()
        descendants = Descendants(kernel)
        guard let path else {
            root = nil
            guarantee = .wholeTreeOnly
            note = words
            return
        }
        do { root = try CgroupRoot(kernel, override: path) } catch { throw .noEntry }
        guarantee = .exact
        note = nil
    }

    /// Where runs have their cgroups; nil: nowhere.
    var cgroup: String? { root?.path }

    /// The scope of a run that is about to be spawned. Everything nexusd starts needs one: what it starts without one is
    /// taken for a stray. `user` is the uid it gets; nil: nexusd's own.
    public func open(
        child: String, run: RunID, user: UInt32? = nil, bounds: RunBounds = RunBounds()
    ) throws(Errno) -> any RunScope {
        guard let root else { return SessionScope(kernel, descendants, run: run) }
        return try CgroupScope(
            kernel, descendants, run: run, path: root.path(child: child, run: run.description),
            mayLeave: guarantee(user: user) != .exact,
            bounds: bounds.files.filter { root.controllers.enforced.contains($0.controller) })
    }

    /// What can be said of one child: who has nexusd's own uid, or root's, can move itself out of its cgroup.
    func guarantee(user: UInt32?) -> Guarantee {
        guard guarantee == .exact else { return guarantee }
        guard let user, user != 0, user != kernel.userID() else { return .exactWhileItStays }
        return .exact
    }

    /// Whether the kernel keeps bounds of this kind.
    func enforces(_ controller: Controller) -> Bool { root?.controllers.enforced.contains(controller) ?? false }

    /// Why it does not.
    func refusal(_ controller: Controller) -> String? {
        guard let root else { return "there is no cgroup to use: " + (note ?? "") }
        return root.controllers.refusals[controller]
    }

    /// Ends what an earlier nexusd left behind: everything in the cgroups of runs below ours, and what carries the mark of
    /// one of these lives. To be called before the first run.
    /// `waiting` hears for whom, each time that some of them have to end before others.
    /// `sparing`: cgroups of runs that are adopted.
    func endLeftovers(
        of lives: [LifeID], sparing adopted: Set<String> = [], waiting: ([ProcessEntry]) -> Void = { _ in }
    ) -> Leftovers.Outcome {
        Leftovers(kernel, root: root, lives: lives, sparing: adopted).end(waiting)
    }

    /// The cgroup of a run; nil where runs have none.
    func path(child: String, run: RunID) -> String? { root?.path(child: child, run: run.description) }

    /// The scope of a run that an earlier nexusd started. Its bounds are written again: handing controllers down anew has
    /// forgotten them. Who has left its cgroup is not known any more. Without cgroups only this process itself can have
    /// started it, as another program.
    func adopt(
        child: String, run: RunID, user: UInt32?, bounds: RunBounds
    ) throws(Errno) -> any RunScope {
        guard let root else { return SessionScope(kernel, descendants, run: run) }
        return try CgroupScope(
            kernel, descendants, run: run, path: root.path(child: child, run: run.description),
            mayLeave: guarantee(user: user) != .exact,
            bounds: bounds.files.filter { root.controllers.enforced.contains($0.controller) }, isThere: true)
    }

    /// A turn of the loop begins: what has to be looked at gets its share of it. True when it brought something to an end
    /// that an earlier turn did not.
    func goOn() -> Bool {
        descendants.renewLooks()
        return descendants.isBehind && descendants.judge()
    }

    /// Whether anything may still be looked at in this turn.
    var hasLooks: Bool { descendants.looks > 0 }

    /// There is more to look at: the next turn is to come at once.
    var isBehind: Bool { descendants.isBehind }

    /// A child that no scope named was reaped: an adopted orphan.
    public func orphanEnded(_ process: ProcessID) { descendants.ended(process) }

    /// Everything below nexusd that belongs to no living run. At shutdown, when no run is left, that is everything.
    public func strays() -> [ProcessEntry] {
        let strays = descendants.strays()
        guard root != nil else { return strays }
        // Orphans inside a run's cgroup are that run's.
        return strays.filter { entry in
            let lines = (try? kernel.readFile("/proc/\(entry.process)/cgroup", limit: 65_536)) ?? []
            return !String(decoding: lines, as: UTF8.self).split(separator: "\n").contains {
                $0.hasPrefix("0::") && CgroupRoot.isRun(String($0))
            }
        }
    }

    /// The child a process was started for, by NEXUS_CHILD in its environment; for words only.
    public func child(of stray: ProcessEntry) -> String? {
        ProcessTable.variable("NEXUS_CHILD", of: stray.process, kernel).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Sends a signal to every stray. Returns whom it reached.
    @discardableResult
    public func signalStrays(_ signal: Signal) -> [ProcessEntry] {
        strays().filter { kernel.signal($0, signal) { _ in true } }
    }
}

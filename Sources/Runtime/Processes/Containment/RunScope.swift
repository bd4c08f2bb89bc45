public import SupervisorCore
public import System

/// Everything one run has started, as far as it can be told. Made by `Containment`, one a run.
public protocol RunScope: AnyObject {
    /// The cgroup to spawn into; nil without one.
    var cgroup: Int32? { get }
    /// The cgroup's path, for asking what the run uses; nil without one.
    var cgroupPath: String? { get }
    /// A process was started in this scope: the main process first, then probes.
    func began(_ process: ProcessID)
    /// A process that `began` named was reaped.
    func ended(_ ended: EndedProcess)
    /// A signal by which every process of the run is to end, each through a pidfd that was verified, with SIGCONT behind it
    /// for those that are stopped; SIGKILL goes to what is being forked meanwhile too. Without a signal it only notes who
    /// belongs to the run now: to be done before a stop signal, for afterwards the links may be gone.
    func sweep(_ signal: Signal?) -> any Sweep
    /// Somebody of the run came to light whom no sweep has met.
    var hasNewcomers: Bool { get }
    /// Whether no process of the run is left. Reap first: what has ended but was not reaped counts as there.
    func isEmpty() -> Bool
    /// Who is left, for words.
    func members() -> [ProcessEntry]
    /// Whether a process is of this run; nil when it cannot be told, mostly because it is gone.
    func holds(_ process: ProcessID) -> Bool?
    /// OOM kills among them since the run began; nil when that cannot be known.
    func oomKills() -> UInt64?
    /// What the run has taken so far; to be asked before `close`.
    func usage() -> RunUsage
    /// Memory it has now, in bytes, without what it shares with others or the kernel takes back by itself; nil when that
    /// cannot be known.
    func memory() -> UInt64?
    /// Reports a change of `isEmpty` as `priority`, where there is something to watch. Without a cgroup there is not:
    /// then each SIGCHLD is the occasion to ask again, since orphans become nexusd's own children.
    func watch(with poller: borrowing Poller, token: UInt64) throws(Errno)
    /// Ends the watching.
    func unwatch(with poller: borrowing Poller)
    /// Gives back what the scope holds; to be called when it is empty, or will never be.
    func close()
}

extension RunScope {
    /// A sweep at once, however long it takes: for what nobody waits beside.
    func snapshot() { sweep(nil).finish() }

    /// Returns how many were reached.
    @discardableResult func signalAll(_ signal: Signal) -> Int {
        let sweep = sweep(signal)
        sweep.finish()
        return sweep.reached
    }

    func killAll() { sweep(.kill).finish() }
}

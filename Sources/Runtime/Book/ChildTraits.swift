import Plan
import SupervisorCore

/// What a child has in common with others: kept once for all that have the same.
struct ChildTraits: Hashable, Sendable {
    let role: ChildPlan.Role
    let directory: String
    let identity: Identity?
    let limits: [Limit]
    let bounds: RunBounds
    let umask: UInt16
    let nice: Int8
    let oomScoreAdjust: Int16
    let noNewPrivileges: Bool
    let capabilities: Capabilities
    let sockets: [SocketPlan]
    let secretFiles: [UInt16]
    let readiness: Readiness
    let liveness: Probe?
    let log: LogPlan
    let worker: WorkerPlan?

    init(_ child: ChildPlan) {
        role = child.role
        directory = child.directory
        identity = child.identity
        limits = child.limits
        bounds = child.bounds
        umask = child.umask
        nice = child.nice
        oomScoreAdjust = child.oomScoreAdjust
        noNewPrivileges = child.noNewPrivileges
        capabilities = child.capabilities
        sockets = child.sockets
        secretFiles = child.secretFiles
        readiness = child.readiness
        liveness = child.liveness
        log = child.log
        worker = child.worker
    }

    /// A child with these traits and words of its own.
    func child(_ name: String, _ policy: ChildPolicy, _ words: LaunchWords) -> ChildPlan {
        ChildPlan(
            name: name, role: role, policy: policy, executable: words.executable, arguments: words.arguments,
            environment: words.environment, directory: directory, identity: identity, limits: limits, bounds: bounds,
            umask: umask, nice: nice, oomScoreAdjust: oomScoreAdjust, noNewPrivileges: noNewPrivileges,
            capabilities: capabilities, sockets: sockets, secretFiles: secretFiles,
            readiness: readiness, liveness: liveness, pidFile: words.pidFile, log: log, worker: worker)
    }
}

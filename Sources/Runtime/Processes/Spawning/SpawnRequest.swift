public import Plan
public import SupervisorCore
public import System

/// One run to be started: the plan's child and what belongs to this run only.
public struct SpawnRequest {
    /// The child as planned.
    public var child: ChildPlan
    /// Its run id, in the environment of everything the run starts.
    public var run: RunID
    /// Descriptors besides stdin, which is /dev/null unless 0 is among the targets.
    public var descriptors: [DescriptorMapping]
    /// NOTIFY_SOCKET, when readiness or the watchdog needs it.
    public var notifySocket: String?
    /// CREDENTIALS_DIRECTORY, when there are secret files.
    public var credentialsDirectory: String?

    /// What a run cannot do without.
    public init(child: ChildPlan, run: RunID, descriptors: [DescriptorMapping]) {
        self.child = child
        self.run = run
        self.descriptors = descriptors
    }

    /// What a probe of the child is told: whose it is, and where its secret files are. What lets a run speak for itself, or
    /// take its sockets, is not a probe's.
    var probeEnvironment: [String] {
        ["NEXUS_CHILD=\(child.name)", "NEXUS_RUN_ID=\(run)"]
            + (credentialsDirectory.map { ["CREDENTIALS_DIRECTORY=\($0)"] } ?? [])
    }

    /// Variables whose value is the new process's own pid.
    var pidVariables: [String] {
        (child.policy.watchdog == nil ? [] : ["WATCHDOG_PID"]) + (child.sockets.isEmpty ? [] : ["LISTEN_PID"])
    }

    /// The variables nexusd adds to the planned ones, `NAME=value`; but for `pidVariables`, which the spawn itself adds.
    var addedEnvironment: [String] {
        var added = probeEnvironment
        if !child.sockets.isEmpty {
            // sd_listen_fds(3): all from 3 on are counted, so a worker's bus is among them, and named so.
            let names = (child.worker == nil ? [] : ["bus", "bus"]) + child.sockets.map(\.name)
            added.append("LISTEN_FDS=\(names.count)")
            added.append("LISTEN_FDNAMES=" + names.joined(separator: ":"))
        }
        if let notifySocket { added.append("NOTIFY_SOCKET=\(notifySocket)") }
        if let watchdog = child.policy.watchdog {
            added.append("WATCHDOG_USEC=\(watchdog.nanoseconds / 1000)")  // sd_watchdog_enabled(3)
        }
        return added
    }
}

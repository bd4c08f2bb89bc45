import Plan
import SupervisorCore

/// nexus-probe, which is in the tree when a child has an HTTP probe; always the last child.
struct ProberBuilder {
    let places: Places
    let host: any Machine
    let log: LogPlan
    let report: Report

    /// The user that it has where there is one of this name and nexusd may choose.
    static let user = "nexus-probe"

    static func isNeeded(by child: ChildPlan) -> Bool {
        if case .http = child.liveness { return true }
        if case .probe(.http) = child.readiness { return true }
        return false
    }

    func child() -> ChildPlan {
        let program = places.bin + "/nexus-probe"
        if !host.isProgram(program) {
            report.error(.start, "there is no program '\(program)', which comes with nexusd; repair the installation")
        }
        let identity = host.userID == 0 ? identity() : nil
        let uid = identity?.uid ?? host.userID
        let base = BaseEnvironment(
            child: "nexus-probe", user: host.user(id: uid), uid: uid, isOwn: identity == nil, state: places.state,
            host: host)
        let files = min(host.hardLimit(ResourceName.nofile.rawValue), 1024)
        return ChildPlan(
            name: "nexus-probe", role: .prober,
            policy: ChildPolicy(
                // Others are judged by what it says: it is tried for ever.
                delay: DelayRule(cap: .seconds(5), parkAfter: .max), ready: .reported,
                stop: StopRule(drain: .seconds(1), timeout: .seconds(5))),
            executable: program, arguments: [Text("nexus-probe")], environment: base.variables, identity: identity,
            limits: [Limit(resource: ResourceName.nofile.rawValue, soft: files, hard: files)],
            oomScoreAdjust: Int16(clamping: IdentityRule.oomScoreFloor(host)), readiness: .bus, log: log,
            worker: WorkerPlan(may: []))
    }

    private func identity() -> Identity? {
        guard let user = host.user(named: Self.user) else {
            report.noteOnce(
                "nexus-probe runs as root: there is no user '\(Self.user)'; make one: useradd --system \(Self.user)")
            return nil
        }
        return Identity(uid: user.id, gid: user.group, groups: [], user: user.name)
    }
}

import Plan
import SupervisorCore

/// `[log]`: the defaults of every child's log, and log-writer itself, which is always `children[0]`.
struct LogBuilder {
    let defaults: LogPlan
    private let identity: Identity?
    private let places: Places
    private let host: any Machine

    init(reader: SectionReader, places: Places, host: any Machine, report: Report) {
        self.places = places
        self.host = host
        let standard = LogPlan()
        defaults = LogPlan(
            fileBytes: reader(LogKeys.size) ?? standard.fileBytes,
            files: reader(LogKeys.files).map { UInt16($0) } ?? standard.files, journal: reader(LogKeys.journal))
        identity = reader(LogKeys.user).flatMap { text in
            IdentityRule(host: host, report: report).identity(
                user: Placed(value: text, position: reader.position(of: LogKeys.user)), group: nil, supplementary: nil)
        }
        if host.status(places.bin + "/log-writer").map({ $0.kind == .regular && $0.mode & 0o111 != 0 }) != true {
            report.error(
                .start,
                "there is no program '\(places.bin)/log-writer', which comes with nexusd; repair the installation")
        }
    }

    /// `childCount` decides how many fds it may have: two pipes and their copies for each run.
    func child(childCount: Int) -> ChildPlan {
        let uid = identity?.uid ?? host.userID
        let user = host.user(id: uid)
        let base = BaseEnvironment(
            child: "log-writer", user: user, uid: uid, isOwn: identity == nil, state: places.state, host: host)
        let files = min(host.hardLimit(ResourceName.nofile.rawValue), UInt64(64 + 24 * childCount))
        return ChildPlan(
            name: "log-writer", role: .logWriter,
            policy: ChildPolicy(
                // The core never parks it and caps its delay at 1 s; the plan says the same for those who read it.
                delay: DelayRule(first: .milliseconds(100), cap: .seconds(1), parkAfter: .max), ready: .reported,
                stop: StopRule(timeout: .seconds(10))),
            executable: places.bin + "/log-writer",
            arguments: [Text("log-writer"), Text("--directory"), Text(places.state + "/logs")]
                + (defaults.journal ? [] : [Text("--no-journal")]),
            environment: base.variables, identity: identity,
            limits: [Limit(resource: ResourceName.nofile.rawValue, soft: files, hard: files)],
            oomScoreAdjust: Int16(clamping: IdentityRule.oomScoreFloor(host)), pidFile: "log-writer.pid", log: defaults)
    }
}

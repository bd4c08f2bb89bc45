import Plan
import SupervisorCore

/// `[log]`: the defaults of every child's log, and log-writer itself, which is always `children[0]`.
struct LogBuilder {
    /// Bytes of all logs together, unless [log] says otherwise.
    static let standardTotal: UInt64 = 1_000_000_000
    /// Where zstd may be. Not looked for in PATH: log-writer runs it with its own rights.
    static let compressors = ["/usr/bin/zstd", "/bin/zstd", "/usr/local/bin/zstd"]

    let defaults: LogPlan
    /// What log-writer is told of old files, as its words.
    private let retention: [Text]
    private let total: UInt64
    private let report: Report
    private let identity: Identity?
    private let userPosition: Position
    private let places: Places
    private let host: any Machine

    init(reader: SectionReader, places: Places, host: any Machine, report: Report) {
        self.places = places
        self.host = host
        let standard = LogPlan()
        defaults = LogPlan(
            fileBytes: reader(LogKeys.size) ?? standard.fileBytes,
            files: reader(LogKeys.files).map { UInt16($0) } ?? standard.files, journal: reader(LogKeys.journal),
            rate: reader(LogKeys.rate).map(\.value) ?? standard.rate)
        total = reader(LogKeys.total) ?? LogBuilder.standardTotal
        self.report = report
        retention = LogBuilder.retention(reader, host, report)
        userPosition = reader(LogKeys.user) == nil ? .start : reader.position(of: LogKeys.user)
        identity = reader(LogKeys.user).flatMap { text in
            IdentityRule(host: host, report: report).identity(
                user: Placed(value: text, position: reader.position(of: LogKeys.user)), group: nil, supplementary: nil)
        }
        if !host.isProgram(places.bin + "/log-writer") {
            report.error(
                .start,
                "there is no program '\(places.bin)/log-writer', which comes with nexusd; repair the installation")
        }
    }

    private static func retention(_ reader: SectionReader, _ host: any Machine, _ report: Report) -> [Text] {
        var words = ["--total", String(reader(LogKeys.total) ?? standardTotal)]
        if let age = reader(LogKeys.maxAge) { words += ["--max-age", String(age.components.seconds)] }
        if reader(LogKeys.compress) {
            if let program = compressors.first(where: { host.isProgram($0) }) {
                words += ["--compress", program]
            } else {
                report.note("log.compress is on, and zstd is not installed: rotated logs stay plain; apt install zstd")
            }
        }
        return words.map { Text($0) }
    }

    /// Files that are written are never removed: `total` can only be kept if they fit.
    func noteTotal(_ children: [LogPlan]) {
        let current = (children + [defaults]).reduce(UInt64(0)) {
            $0.addingReportingOverflow($1.fileBytes).partialValue
        }
        guard current > total else { return }
        report.note(
            "the current log files alone may take \(SizeText.show(current)), more than log.total = \(SizeText.show(total)); lower log.size or raise log.total"
        )
    }

    /// What an earlier `log.user` left behind this one could neither write nor rotate: refused before anything is stopped for it.
    /// What is root's is given to him with its directory (`Belongings`), unless another's log-writer is at work there, which would
    /// make more of it. `children`: everybody who has a log.
    func requireFiles(of children: [String]) {
        let uid = identity?.uid ?? host.userID
        // CAP_DAC_OVERRIDE of capabilities(7).
        if uid == 0, host.has(capability: 1) { return }
        let logs = places.state + "/logs"
        let paths =
            [logs + "/lock", logs + "/runs"]
            + (["nexusd"] + children).flatMap { ["\(logs)/\($0)", "\(logs)/\($0)/current"] }
        let others = paths.compactMap { path in
            host.status(path).flatMap { $0.owner == uid ? nil : (path: path, owner: $0.owner) }
        }
        guard !others.isEmpty else { return }
        let isRoots = host.userID == 0 && host.status(logs)?.owner == 0
        let isAnothers = isRoots && isAtWork(in: logs, besides: uid)
        let left = isRoots && !isAnothers ? others.filter { $0.owner != 0 } : others
        guard let first = left.first else { return }
        let more = left.count > 1 ? " (and \(left.count - 1) more)" : ""
        let remedy =
            isAnothers
            ? "another user's log-writer is at work there: stop the tree that it belongs to (was its nexusd killed: "
                + "end all that `grep -lz ^NEXUS_LIFE= /proc/[0-9]*/environ` names), and start; or " : ""
        report.error(
            userPosition,
            "'\(first.path)'\(more) belongs to uid \(first.owner), and log-writer would be uid \(uid), which could not write it: "
                + remedy + "chown -R \(uid):\(identity?.gid ?? host.groupID) \(logs)")
    }

    private func isAtWork(in logs: String, besides uid: UInt32) -> Bool {
        switch host.lock(of: logs + "/lock") {
        case .free: false
        case .held(let holder): holder != uid
        }
    }

    /// In steps: else each child more would restart log-writer at a reload.
    private static func rounded(_ childCount: Int) -> Int { (childCount + 63) / 64 * 64 }

    /// `childCount` decides how many fds it may have: two pipes and their copies for each run.
    func child(childCount: Int) -> ChildPlan {
        let uid = identity?.uid ?? host.userID
        let user = host.user(id: uid)
        let base = BaseEnvironment(
            child: "log-writer", user: user, uid: uid, isOwn: identity == nil, state: places.state, host: host)
        let files = min(host.hardLimit(ResourceName.nofile.rawValue), UInt64(64 + 24 * Self.rounded(childCount)))
        return ChildPlan(
            name: "log-writer", role: .logWriter,
            policy: ChildPolicy(
                // The core never parks it and caps its delay at 1 s; the plan says the same for those who read it.
                delay: DelayRule(first: .milliseconds(100), cap: .seconds(1), parkAfter: .max), ready: .reported,
                // The word comes behind everything that was said on the link, which a signal would overtake; log-writer
                // gives pipes 3 s and the journal one.
                stop: StopRule(drain: .seconds(5), timeout: .seconds(10))),
            executable: places.bin + "/log-writer",
            arguments: [Text("log-writer"), Text("--directory"), Text(places.state + "/logs")]
                + (defaults.journal ? [] : [Text("--no-journal")]) + retention,
            environment: base.variables, identity: identity,
            limits: [Limit(resource: ResourceName.nofile.rawValue, soft: files, hard: files)],
            oomScoreAdjust: Int16(clamping: IdentityRule.oomScoreFloor(host)), pidFile: "log-writer.pid", log: defaults)
    }
}

import Plan
import SupervisorCore

/// Builds one child. Its parts stand in extensions: command, texts, environment, readiness, policy.
struct ChildBuilder {
    let draft: ChildDraft
    let context: ChildContext

    var reader: SectionReader { draft.reader }
    var report: Report { context.report }
    var host: any Machine { context.host }

    func build() -> BuiltChild {
        let rule = IdentityRule(host: host, report: report, treeGroups: context.names.groups)
        let identity = rule.identity(
            user: placed(ChildIdentityKeys.user), group: placed(ChildIdentityKeys.group),
            supplementary: reader(ChildIdentityKeys.supplementary).map {
                Placed(value: $0, position: reader.position(of: ChildIdentityKeys.supplementary))
            })
        let uid = identity?.uid ?? host.userID
        let base = BaseEnvironment(
            child: draft.name, user: host.user(id: uid), uid: uid, isOwn: identity == nil, state: context.places.state,
            host: host)
        let order = edges()
        var texts = TextBuilder(draft: draft, context: context, home: base.home, waitsFor: Set(order.map(\.to)))
        let environment = environment(base, &texts)
        let path = environment.last { $0.name == "PATH" }?.value.literal ?? BaseEnvironment.path
        let programs = Programs(context: context, home: base.home, path: path, identity: identity)
        let enabled = reader(ChildKeys.enabled)
        let command = command(programs, &texts, enabled: enabled)
        let readiness = readiness(programs, &texts)
        let liveness = liveness(programs, &texts)
        let worker = worker()
        let schedule = schedule()

        let plan = ChildPlan(
            name: draft.name,
            policy: policy(
                order, enabled: enabled, schedule: schedule.rule, ready: readiness.rule, liveness: liveness?.rule),
            executable: command.executable, arguments: command.arguments, environment: environment,
            directory: directory(texts, programs), identity: identity,
            limits: rule.limits(reader(ChildIdentityKeys.limits), descriptors: descriptors(worker, readiness.kind)),
            bounds: bounds(),
            umask: reader(ChildIdentityKeys.umask), nice: nice(),
            oomScoreAdjust: oomScore(), noNewPrivileges: reader(ChildIdentityKeys.noNewPrivileges),
            capabilities: capabilities(identity), sockets: sockets(texts, identity),
            secretFiles: secretFiles(&texts), readiness: readiness.kind, liveness: liveness?.probe, pidFile: pidFile(),
            log: log(), worker: worker, calendar: schedule.times)
        checkSpace(plan)
        return BuiltChild(
            plan: plan, id: draft.id, position: reader.table.position, edges: order, secrets: texts.secrets,
            health: healthGrants(worker), stateDirectory: stateDirectory(),
            owner: (uid, identity?.gid ?? host.groupID), reader: reader)
    }

    /// A text key with its place.
    func placed(_ key: Key<String?>) -> Placed<String>? {
        reader(key).map { Placed(value: $0, position: reader.position(of: key)) }
    }

    // MARK: - Small parts

    private func directory(_ texts: TextBuilder, _ programs: Programs) -> String {
        guard let text = reader(ChildKeys.directory) else { return "/" }
        let position = reader.position(of: ChildKeys.directory)
        guard let plain = texts.plain(text, position, key: "directory") else { return "/" }
        guard let path = PathText(places: context.places, host: host).absolute(plain, home: programs.home) else {
            report.error(position, PathText.refusal("directory", text))
            return "/"
        }
        // What lies in the state directory may be made later, by nexus-config itself or by a worker.
        guard !path.hasPrefix(context.places.state + "/") else { return path }
        if host.status(path)?.kind != .directory {
            report.error(position, "there is no directory '\(path)'; make it or correct the path")
        } else if let closed = programs.closedDirectory(onTheWayTo: path) {
            // No error: what the bits do not say (an ACL, a capability) may let it in.
            report.note(
                "'\(draft.name)' cannot start: '\(closed)', on the way to its directory, is closed to \(programs.whose);"
                    + " let that user in, or correct 'directory' or 'user'")
        }
        return path
    }

    /// How many descriptors a run has from nexusd before the first that is free: input, outputs, bus, sockets, and the one of
    /// `ready = { fd = N }` where it is the next.
    private func descriptors(_ worker: WorkerPlan?, _ readiness: Readiness) -> UInt64 {
        let next = (worker == nil ? 3 : 5) + (reader(SocketKeys.list)?.count ?? 0)
        guard case .descriptor(let number) = readiness, Int(number) == next else { return UInt64(next) }
        return UInt64(next) + 1
    }

    private func nice() -> Int8 {
        let nice = reader(ChildIdentityKeys.nice)
        if nice < 0, !host.may(.raisePriority) {
            report.error(
                reader.position(of: ChildIdentityKeys.nice),
                "a 'nice' below 0 needs the right to raise priorities, which uid \(host.userID) has not; take 0 to 19")
        }
        return Int8(nice)
    }

    private func oomScore() -> Int16 {
        let floor = IdentityRule.oomScoreFloor(host)
        guard let score = reader(ChildIdentityKeys.oomScore) else { return Int16(clamping: floor) }
        if score < floor, !host.may(.raiseLimits) {
            report.error(
                reader.position(of: ChildIdentityKeys.oomScore),
                "'oom-score-adjust' cannot be below nexusd's own (\(floor)) for uid \(host.userID); take \(floor) to 1000"
            )
        }
        return Int16(score)
    }

    private func pidFile() -> String? {
        guard case .named(let given) = reader(ChildKeys.pidFile) else { return nil }
        let name = given ?? draft.name + ".pid"
        let bytes = name.utf8
        if bytes.isEmpty || bytes.count > 64 || name.hasPrefix(".") || bytes.contains(UInt8(ascii: "/")) {
            report.error(
                reader.position(of: ChildKeys.pidFile),
                "'pid-file' must be a file name (it lies in the runtime directory's pid/), found \"\(name)\"")
        } else if name == "nexusd.pid" || name == "log-writer.pid" {
            report.error(reader.position(of: ChildKeys.pidFile), "'\(name)' is Nexus's own; take another name")
        }
        return name
    }

    private func stateDirectory() -> Placed<String>? {
        guard let directory = placed(ChildKeys.stateDirectory) else { return nil }
        if !Name.isValid(directory.value) {
            report.error(
                directory.position, "'state-directory' must be one name (\(Name.form)), found \"\(directory.value)\"")
        } else if Reserved.directories.contains(directory.value) {
            report.error(directory.position, "the directory '\(directory.value)' is Nexus's own; take another name")
        }
        return directory
    }

    private func log() -> LogPlan {
        var log = context.log
        guard let given = reader.below(ChildKeys.log) else { return log }
        log.fileBytes = given(ChildLogKeys.size) ?? log.fileBytes
        log.files = given(ChildLogKeys.files).map { UInt16($0) } ?? log.files
        log.journal = given(ChildLogKeys.journal) ?? log.journal
        if let rate = given(ChildLogKeys.rate) { log.rate = rate.value }
        return log
    }
}

import Plan
import SupervisorCore

/// What holds between the parts of a tree.
struct TreeRules {
    let plan: Plan
    let children: [BuiltChild]
    let groups: BuiltGroups
    let names: TreeNames
    let context: ChildContext

    var report: Report { context.report }

    func check() {
        checkHealth()
        CycleSearch(children: children, names: names).report(to: report)
        checkSchedules()
        checkSecrets()
        checkIntensities()
        checkFileNames()
        checkStateDirectories()
        checkAddresses()
        checkDescriptors()
        noteSecretsOnDisk()
    }

    /// Files of secrets lie in the runtime directory; nobody would look for them on a disk.
    private func noteSecretsOnDisk() {
        let runtime = context.places.runtime
        guard children.contains(where: { !$0.plan.secretFiles.isEmpty }), !context.host.isInMemory(runtime) else {
            return
        }
        report.note(
            "files of secrets are kept on a disk: \(runtime) is on no tmpfs; set XDG_RUNTIME_DIR to a "
                + "directory on one, or name one with --runtime")
    }

    /// Ready by the word of a worker needs a worker that may say it.
    private func checkHealth() {
        for child in children where child.plan.readiness == .health {
            guard !children.contains(where: { $0.health.contains(child.id) }) else { continue }
            report.error(
                child.reader.position(of: ChildReadyKeys.ready),
                "no worker may say that '\(child.plan.name)' is healthy; add \"health:\(child.plan.name)\" to 'may' of one"
            )
        }
    }

    /// A scheduled child is away most of the time: who required it would wait for ever.
    private func checkSchedules() {
        for child in children {
            for edge in child.edges {
                guard case .requires = edge.kind, let other = children.first(where: { $0.id == edge.to }),
                    other.plan.policy.schedule != nil
                else { continue }
                report.error(
                    edge.position,
                    "'\(other.plan.name)' is scheduled and away most of the time, so nothing can require it; take it out, or"
                        + " use 'after'")
            }
        }
    }

    /// A generated secret lives as long as its group, so it must have exactly one.
    private func checkSecrets() {
        var homes: [UInt16: ChildID] = [:]
        var used: Set<UInt16> = []
        for child in children {
            for secret in child.secrets {
                used.insert(secret.value)
                guard Int(secret.value) < plan.secrets.count, case .generated = plan.secrets[Int(secret.value)].source
                else {
                    continue
                }
                let name = plan.secrets[Int(secret.value)].name
                guard let group = groups.membership[child.id] else {
                    report.error(
                        secret.position,
                        "'\(name)' is generated anew with its group, but '\(child.plan.name)' is in none; put it into one,"
                            + " or keep the secret in a file")
                    continue
                }
                let first = homes[secret.value] ?? child.id
                homes[secret.value] = first
                guard let home = groups.membership[first], home != group else { continue }
                report.error(
                    secret.position,
                    "'\(name)' is generated anew with group '\(names.groups[Int(home.rawValue)])', so only its children may"
                        + " have it; '\(child.plan.name)' is in '\(names.groups[Int(group.rawValue)])'")
            }
        }
        for (index, secret) in plan.secrets.enumerated() where !used.contains(UInt16(index)) {
            report.note("no child uses the secret '\(secret.name)'")
        }
    }

    private func checkIntensities() {
        for child in children {
            guard let intensity = child.plan.policy.intensity, let reader = child.reader.below(ChildKeys.intensity)
            else {
                continue
            }
            let most = Reach.restarts(within: intensity.window, policy: child.plan.policy)
            let never = child.plan.policy.restart == .never
            checkReach(intensity, most, never ? "of restart = \"never\"" : "of this delay", reader)
        }
        for (group, reader) in zip(plan.groups, groups.readers) {
            guard let intensity = group.policy.intensity, let below = reader.below(GroupKeys.intensity) else {
                continue
            }
            let members = children.filter { group.policy.children.contains($0.id) }
            let most = members.map { Reach.restarts(within: intensity.window, policy: $0.plan.policy) }.reduce(0, +)
            checkReach(intensity, most, "of its children's delays", below)
        }
    }

    private func checkReach(_ intensity: Intensity, _ most: Int, _ why: String, _ reader: SectionReader) {
        // Parked when there is one restart more than allowed.
        guard most <= Int(intensity.restarts) else { return }
        let window = DurationText.show(intensity.window)
        let remedy =
            most < 2
            ? "make the window longer, or take 'intensity' out" : "take \(most - 1) or less, or a longer window"
        reader.report.error(
            reader.position(of: IntensityKeys.restarts),
            "this can never be reached: because \(why) no more than \(most) restarts fit into \(window), and more than"
                + " \(intensity.restarts) park; \(remedy)")
    }

    private func checkFileNames() {
        var owners: [String: String] = [:]
        for child in children {
            guard let file = child.plan.pidFile else { continue }
            if let other = owners.updateValue(child.plan.name, forKey: file) {
                report.error(
                    child.reader.position(of: ChildKeys.pidFile),
                    "'\(file)' is the PID file of '\(other)' already; take another name")
            }
        }
        // sun_path has 108 bytes with its NUL (unix(7)).
        for child in children where child.plan.readiness == .notify || child.plan.policy.watchdog != nil {
            let path = "\(context.places.runtime)/notify/\(child.plan.name).sock"
            if path.utf8.count > 107 {
                report.error(
                    child.position,
                    "the socket path '\(path)' has \(path.utf8.count) bytes, the kernel takes 107; take a shorter --runtime or name"
                )
            }
        }
    }

    private func checkStateDirectories() {
        var owners: [String: BuiltChild] = [:]
        for child in children {
            guard let directory = child.stateDirectory else { continue }
            guard let other = owners[directory.value] else {
                owners[directory.value] = child
                continue
            }
            if other.owner.uid != child.owner.uid {
                report.error(
                    directory.position,
                    "'\(directory.value)' belongs to '\(other.plan.name)', which has another user; take another directory"
                )
            }
        }
    }

    private func checkDescriptors() {
        let need = DescriptorNeed(plan: plan)
        let limit = context.host.hardLimit(ResourceName.nofile.rawValue)
        guard UInt64(need.sum) > limit else { return }
        report.error(
            .start,
            "nexusd needs \(need.sum) file descriptors (\(need.words)), the hard limit is \(limit); raise it (LimitNOFILE= in"
                + " the unit, ulimit -Hn in a shell) or make the tree smaller")
    }
}

/// File descriptors that nexusd needs for a plan in the worst case that it must not run into.
struct DescriptorNeed {
    /// epoll, signals, timer, lock, control socket, log link, own notify socket, standard streams, four in reserve.
    static let base = 32
    /// Connections of nexusctl.
    static let clients = 64

    let sum: Int
    let words: String

    init(plan: Plan) {
        let children = plan.children.count
        // A pidfd; a probe's, its report and its output; two pipes of the run that lives and two of the one that is drained.
        let perChild = 8
        let workers = plan.children.count { $0.worker != nil }
        let notify = plan.children.count { child in
            child.readiness == .notify || child.policy.watchdog != nil
        }
        let own = plan.children.count { child in
            if case .descriptor = child.readiness { true } else { false }
        }
        let sockets = plan.children.reduce(0) { $0 + $1.sockets.count }
        sum = DescriptorNeed.base + DescriptorNeed.clients + perChild * children + 2 * workers + notify + own + sockets
        words =
            "\(DescriptorNeed.base) its own, \(DescriptorNeed.clients) for clients, \(perChild) for each of \(children) children,"
            + " 2 for each of \(workers) workers, \(notify + own) for readiness, \(sockets) sockets"
    }
}

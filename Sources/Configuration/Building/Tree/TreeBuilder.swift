import Plan
import SupervisorCore

/// Makes a plan of a document: first the names, then each part, then what holds between the parts.
struct TreeBuilder {
    let root: Table
    let places: Places
    let host: any Machine
    let report: Report

    /// Tables at the top of the file.
    private static let tables = ["supervisor", "log", "group", "child", "secret", "agent", "chat", "word", "tunnel"]

    /// What others call a process: supervisord, systemd, circus, process-compose.
    static let likeChild = [
        "program", "eventlistener", "fcgi-program", "service", "services", "unit", "process", "processes", "watcher",
        "children",
    ]

    /// Children, groups and secrets that are taken; the size of a plan and the number of fds are bounds of their own.
    static let limit = 10_000

    /// Without a meaning when something was reported.
    func build() -> Configured {
        checkTables()
        let names = collectNames()
        let drafts = ChildDraft.all(in: tables("child"), names: names, report: report)
        var known = names
        for draft in drafts {
            known.captures[draft.id] = draft.captures
            if draft.isWorker { known.workers.insert(draft.id) }
        }
        let log = LogBuilder(reader: section("log", LogKeys.section), places: places, host: host, report: report)
        let groups = GroupBuilder(sections: tables("group"), names: known, report: report).build()
        let secrets = SecretBuilder(
            sections: tables("secret"), names: known, places: places, host: host, report: report)
        let agent = section("agent", AgentKeys.section)
        let chat = chat()
        let context = ChildContext(
            names: known, groups: groups, log: log.defaults, uids: uids(drafts),
            workspaces: Workspaces(reader: agent, places: places, host: host, report: report),
            agent: AgentSettings(reader: agent), chat: chat, word: word(), tunnel: tunnel(to: chat), places: places,
            host: host, programs: KnownPrograms(), report: report)
        let children = drafts.map { ChildBuilder(draft: $0, context: context).build() }
        requireChild()

        let prober =
            children.contains { ProberBuilder.isNeeded(by: $0.plan) }
            ? [ProberBuilder(places: places, host: host, log: log.defaults, report: report).child()] : []
        let all = children.map(\.plan) + prober

        log.noteTotal(all.map(\.log))
        log.requireFiles(of: all.map(\.name))
        let plan = Plan(
            supervisor: supervisor(all + [log.child(childCount: 0)]),
            groups: groups.plans, children: [log.child(childCount: all.count)] + all,
            secrets: secrets.build())
        TreeRules(plan: plan, children: children, groups: groups, names: known, context: context).check()
        return finish(plan, children)
    }

    private func finish(_ plan: Plan, _ children: [BuiltChild]) -> Configured {
        var plan = plan
        plan.notes = report.notes
        let directories = NeededDirectories(places: places, host: host, plan: plan, children: children, report: report)
        return Configured(plan: plan, directories: directories.list(), passing: report.passing)
    }

    /// A file that was cut off, or not written yet, must not take down everything that runs. Where more is wrong, that is
    /// what a person has to mend first.
    private func requireChild() {
        guard tables("child").isEmpty, report.isClean else { return }
        report.error(
            .start,
            "there is no [child.NAME] in it, as in a file that was cut off; put the children back, or to have none run: "
                + "enabled = false in each, or nexusctl stop all")
    }

    private func checkTables() {
        for entry in root.entries {
            guard TreeBuilder.tables.contains(entry.key) else {
                var hint = Nearest.hint(for: entry.key, among: TreeBuilder.tables)
                if TreeBuilder.likeChild.contains(entry.key.lowercased()) {
                    hint = "; a process is a table [child.NAME] with command = [\"PROGRAM\", \"ARGUMENT\"]"
                } else if hint.isEmpty {
                    hint =
                        "; known: [supervisor], [log], [group.NAME], [child.NAME], [secret.NAME], [agent], [chat], [word],"
                        + " [tunnel]"
                }
                report.error(entry.position, "unknown table '\(entry.key)'\(hint)")
                continue
            }
            guard case .table = entry.node.value else {
                report.error(
                    entry.node.position,
                    "'\(entry.key)' must be a table, found \(entry.node.kind); \(Self.form(of: entry.key))")
                continue
            }
        }
    }

    /// How a table of the file is written.
    private static func form(of table: String) -> String {
        named.contains(table) ? "write [\(table).NAME] for each" : "write [\(table)] once"
    }

    private static let named = ["child", "group", "secret"]

    /// `[name]`, empty when it is absent.
    private func section(_ name: String, _ info: SectionInfo) -> SectionReader {
        var table = Table(position: .start, entries: [])
        if case .table(let given) = root[name]?.node.value { table = given }
        return SectionReader(info, table, label: "[\(name)]", report: report)
    }

    /// The tables `[name.…]` in the order of the file.
    private func tables(_ name: String) -> [Placed<(name: String, table: Table)>] {
        guard case .table(let table) = root[name]?.node.value else { return [] }
        return table.entries.compactMap { entry in
            guard case .table(let below) = entry.node.value else {
                let isKey =
                    KeyReference.sections.first { $0.title == "[\(name).NAME]" }?.keys
                    .contains { $0.name == entry.key } ?? false
                let remedy =
                    isKey
                    ? "it is a key of a \(name): write [\(name).NAME] above it" : "write a table [\(name).\(entry.key)]"
                report.error(
                    entry.position, "'\(entry.key)' in [\(name)] must be a table, found \(entry.node.kind); \(remedy)")
                return nil
            }
            return Placed(value: (entry.key, below), position: below.position)
        }
    }

    private func collectNames() -> TreeNames {
        var names = TreeNames()
        for child in bounded("child", "children") { names.add(child: child) }
        for group in bounded("group", "groups") { names.add(group: group) }
        for secret in bounded("secret", "secrets") { names.add(secret: secret) }
        return names
    }

    /// The good names of a kind, no more than there are numbers for.
    private func bounded(_ kind: String, _ many: String) -> [String] {
        let good = tables(kind).filter { isFree($0, kind) }
        if good.count > TreeBuilder.limit {
            report.error(
                good[TreeBuilder.limit].position, "\(good.count) \(many); at most \(TreeBuilder.limit) are taken")
        }
        return good.prefix(TreeBuilder.limit).map(\.value.name)
    }

    /// A name of the right form that is not ours.
    private func isFree(_ section: Placed<(name: String, table: Table)>, _ kind: String) -> Bool {
        let name = section.value.name
        if !Name.isValid(name) {
            report.error(section.position, "'\(name)' is no name of a \(kind); take \(Name.form)")
        } else if Reserved.names.contains(name), kind != "secret" {
            let remedy = name == "log-writer" ? "it is always there, and [log] is its table" : "take another one"
            report.error(section.position, "the name '\(name)' is Nexus's own; \(remedy)")
        } else if Reserved.logNames.contains(name), kind == "child" {
            report.error(
                section.position,
                "a child named '\(name)' would have its log where log-writer keeps '\(name)' of its own; take another name"
            )
        } else if kind == "group", hasChild(name) {
            report.error(
                section.position,
                "there is a child '\(name)' too, and commands would mean one of them; give the group another name")
        } else {
            return true
        }
        return false
    }

    private func hasChild(_ name: String) -> Bool {
        guard case .table(let table) = root["child"]?.node.value else { return false }
        return table[name] != nil
    }

    // MARK: - The small sections

    private func supervisor(_ children: [ChildPlan]) -> SupervisorPlan {
        let reader = section("supervisor", SupervisorKeys.section)
        let people = People(host: host, report: report)
        return SupervisorPlan(
            readUids: people.users(reader(SupervisorKeys.readUsers), key: SupervisorKeys.readUsers.info.name),
            readGids: people.groups(reader(SupervisorKeys.readGroups), key: SupervisorKeys.readGroups.info.name),
            controlUids: people.users(reader(SupervisorKeys.controlUsers), key: SupervisorKeys.controlUsers.info.name),
            controlGids: people.groups(
                reader(SupervisorKeys.controlGroups), key: SupervisorKeys.controlGroups.info.name),
            uidWall: children.contains { $0.identity.map { $0.uid != host.userID } ?? false })
    }

    /// What is wrong with a child's user is said where the child is built.
    private func uids(_ drafts: [ChildDraft]) -> [ChildID: UInt32] {
        let people = People(host: host, report: Report(file: ""), treeGroups: [])
        return drafts.reduce(into: [:]) { uids, draft in
            let entry = draft.reader.table[ChildIdentityKeys.user.info.name]
            let user = entry.flatMap { entry in
                (try? ChildIdentityKeys.user.read(entry.node)).flatMap { $0 }.map {
                    Placed(value: $0, position: entry.node.position)
                }
            }
            // Its group is no matter here: of a number without a passwd entry only the file says it.
            uids[draft.id] = user.flatMap { people.user($0.value, $0.position, key: "user")?.id } ?? host.userID
        }
    }

    private func tunnel(to chat: ChatAddress) -> TunnelSettings {
        TunnelSettings(reader: section("tunnel", TunnelKeys.section), chat: chat, report: report, host: host)
    }

    private func chat() -> ChatAddress {
        ChatAddress(reader: section("chat", ChatKeys.section), report: report, host: host)
    }

    private func word() -> WordSettings { WordSettings(reader: section("word", WordKeys.section)) }
}

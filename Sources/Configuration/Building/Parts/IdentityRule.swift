import Plan

/// Users, groups and what else needs a right.
struct IdentityRule {
    let host: any Machine
    let report: Report
    /// Those of the file, which are no groups of users.
    var treeGroups: [String] = []

    /// nil: the child runs as nexusd does. Asking for another user without the right to change is an error, never
    /// ignored: a wall that is not there must not look as if it were.
    func identity(
        user: Placed<String>?, group: Placed<String>?, supplementary: Placed<[Placed<String>]>?
    ) -> Identity? {
        guard let asked = user?.position ?? group?.position ?? supplementary?.position else { return nil }
        let people = People(host: host, report: report, treeGroups: treeGroups)
        let person = user.map { people.user($0.value, $0.position, key: "user") } ?? own
        let gid = group.map { people.group($0.value, $0.position, key: "group") }
        let others = supplementary.map { people.groups($0.value, key: "supplementary-groups") }
        guard let person else { return nil }
        // Nothing to change: what is asked for is what there is.
        if person.id == host.userID, group == nil, supplementary == nil, !host.may(.changeUser) { return nil }
        guard host.may(.changeUser) else {
            let key = user != nil ? "user" : group != nil ? "group" : "supplementary-groups"
            report.error(
                asked,
                "'\(key)' needs the right to change users, which uid \(host.userID) has not; run nexusd as root or"
                    + " take the key out")
            return nil
        }
        // One that is unknown was reported.
        if case .some(nil) = gid { return nil }
        guard let gid = gid ?? person.group else {
            report.error(asked, "uid \(person.id) has no passwd entry, so its group is not known; add group = \"…\"")
            return nil
        }
        return Identity(uid: person.id, gid: gid, groups: others ?? person.groups(host) ?? [gid], user: person.name)
    }

    /// Who runs nexusd.
    private var own: Person {
        host.user(id: host.userID).map(Person.init)
            ?? Person(name: String(host.userID), id: host.userID, group: host.groupID, entry: nil)
    }

    /// oom_score_adj cannot be lowered below one's own without CAP_SYS_RESOURCE (proc(5)).
    static func oomScoreFloor(_ host: any Machine) -> Int { host.may(.raiseLimits) ? 0 : max(0, host.oomScoreAdjust) }

    /// `limits = { … }`.
    func limits(_ map: Placed<Table>?, descriptors: UInt64) -> [Limit] {
        (map?.value.entries ?? []).compactMap { entry in
            let names = ResourceName.allCases.map(\.name)
            guard let resource = ResourceName.allCases.first(where: { $0.name == entry.key }) else {
                let hint = Nearest.hint(for: entry.key, among: names)
                let list = hint.isEmpty ? "; known: \(names.joined(separator: ", "))" : hint
                report.error(entry.position, "unknown limit '\(entry.key)'\(list)")
                return nil
            }
            guard let limit = limit(resource, entry.node) else { return nil }
            if let words = shortage(limit.soft, resource, descriptors) { report.error(entry.node.position, words) }
            return limit
        }
    }

    /// Why no program gets as far as its first line with so little; nil: one may. What the kernel or the loader takes before
    /// that was tried: with less of anything else something starts, and it is the person's to know what.
    private func shortage(_ soft: UInt64, _ resource: ResourceName, _ descriptors: UInt64) -> String? {
        guard var floor = Self.floors[resource] else { return nil }
        let reason: String
        switch resource {
        case .nofile:
            floor = descriptors + 1
            reason = "it has \(descriptors) from nexusd, and its loader needs one more to open its libraries"
        case .stack:
            reason = "the kernel puts its arguments and environment there, and ends it when there is no room"
        case .as:
            reason = "the kernel gives it 128KiB of stack at once, and ends it where that is not to be had"
        case .cpu, .fsize, .data, .core, .rss, .nproc, .memlock, .locks, .sigpending, .msgqueue, .nice, .rtprio,
            .rttime:
            return nil
        }
        guard soft < floor else { return nil }
        return
            "'\(resource.name)': a program cannot start with \(resource.show(soft)): \(reason); write"
            + " \(resource.show(floor)) or more"
    }

    /// The least with which something may start, where nothing more is asked of it. `nofile`: input, outputs and the loader's one.
    /// `stack`: below it a program that does nothing dies at its start, or lives by chance, for where its stack begins is random.
    /// `as`: what execve(2) adds to every stack (setup_arg_pages).
    static let floors: [ResourceName: UInt64] = [.nofile: 4, .stack: 16 << 10, .as: 128 << 10]

    /// Above what a hard limit is that cannot be had, and what can.
    private func excess(of hard: UInt64, _ resource: ResourceName) -> String? {
        let own = host.hardLimit(resource.rawValue)
        if hard > own, !host.may(.raiseLimits) {
            let shown = resource.show(own)
            return
                "nexusd's own (\(shown)), which uid \(host.userID) may not raise; \(shown) is the most that can be had,"
                + " unless nexusd gets more: Limit\(resource.name.uppercased())= in its unit, or ulimit"
        }
        // Nobody's may be above it, root's neither (setrlimit(2)).
        if resource == .nofile, let most = host.mostOpenFiles, hard > most {
            return "what this kernel gives to anybody (\(most)); write \(most) or less, or raise the sysctl fs.nr_open"
        }
        return nil
    }

    private func limit(_ resource: ResourceName, _ node: Node) -> Limit? {
        let text: String
        switch node.value {
        case .string(let given): text = given
        case .integer(let number): text = String(number)
        case .float, .boolean, .time, .array, .table: text = ""
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { resource.parse(String($0)) }
        guard parts.count <= 2, let soft = parts.first.flatMap({ $0 }), let hard = parts.last.flatMap({ $0 }) else {
            report.error(
                node.position, "'\(resource.name)' must be \(resource.form), \"unlimited\", or \"soft:hard\" of these")
            return nil
        }
        if soft > hard {
            report.error(node.position, "'\(resource.name)': the soft limit is above the hard one; swap them")
            return nil
        }
        if let words = excess(of: hard, resource) {
            report.error(node.position, "'\(resource.name)': the hard limit is above \(words)")
            return nil
        }
        return Limit(resource: resource.rawValue, soft: soft, hard: hard)
    }
}

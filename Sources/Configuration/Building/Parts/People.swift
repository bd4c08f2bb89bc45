import Plan

/// Looks up users and groups, by name or number.
struct People {
    let host: any Machine
    let report: Report
    /// `[group.NAME]` of the file, which somebody may mean.
    var treeGroups: [String] = []

    func users(_ names: [Placed<String>], key: String) -> [UInt32] {
        names.compactMap { user($0.value, $0.position, key: key)?.id }
    }

    func groups(_ names: [Placed<String>], key: String) -> [UInt32] {
        names.compactMap { group($0.value, $0.position, key: key) }
    }

    /// A user by name or uid.
    func user(_ text: String, _ position: Position, key: String) -> Person? {
        if let number = UInt32(text), number != .max {
            return host.user(id: number).map(Person.init) ?? Person(name: text, id: number, group: nil, entry: nil)
        }
        if let user = host.user(named: text) { return Person(user) }
        let hint = Nearest.hint(for: text, among: host.userNames)
        let remedy = hint.isEmpty ? "; take one that `getent passwd` lists, or make it with useradd" : hint
        report.error(position, "'\(key)' names an unknown user '\(text)'\(remedy)")
        return nil
    }

    /// A group by name or gid.
    func group(_ text: String, _ position: Position, key: String) -> UInt32? {
        if let number = UInt32(text), number != .max { return number }
        if let group = host.group(named: text) { return group }
        if treeGroups.contains(text) {
            report.error(
                position,
                "'\(key)' is a group of users, and '\(text)' is none; into [group.\(text)] a child comes by the `children` of that"
            )
            return nil
        }
        let hint = Nearest.hint(for: text, among: host.groupNames)
        let remedy =
            hint.isEmpty
            ? "; take one that `getent group` lists, or make it with groupadd"
                + (treeGroups.isEmpty || key != "group"
                    ? "" : "; into a [group.NAME] a child comes by the `children` of that")
            : hint
        report.error(position, "'\(key)' names an unknown group '\(text)'\(remedy)")
        return nil
    }
}

/// A user who may have no passwd entry.
struct Person {
    let name: String
    let id: UInt32
    /// nil: not known, for want of an entry.
    let group: UInt32?
    let entry: User?

    init(name: String, id: UInt32, group: UInt32?, entry: User?) {
        self.name = name
        self.id = id
        self.group = group
        self.entry = entry
    }

    init(_ user: User) { self.init(name: user.name, id: user.id, group: user.group, entry: user) }

    /// Supplementary groups; nil: not known.
    func groups(_ host: any Machine) -> [UInt32]? { entry.map(host.groups) }
}

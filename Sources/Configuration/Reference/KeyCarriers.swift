import Plan

/// What a key that is no child's and no group's comes to in the plan: variables, arguments and other settings of children,
/// by which it is known whether the file says of it what is in force.
struct KeyCarriers {
    /// As nexusd's `diff` names them: `child.chat-bridge.environment.NEXUS_CHAT_URL`, `supervisor.read-users`.
    let settings: [String]
    /// They carry this key and no other of its table.
    let isAlone: Bool

    /// - Parameters:
    ///   - path: in full, as `chat.listen`.
    ///   - root: the file, which says who is given it.
    init(of key: KeyInfo, in section: String, path: String, root: Table?) {
        var isAlone = true
        switch section {
        case SupervisorKeys.section.title: settings = ["supervisor.\(key.name)"]
        case SecretKeys.section.title:
            let name = path.split(separator: ".").dropFirst().first.map(String.init) ?? ""
            settings = Self.children(of: root).map { "child.\($0.name).secret.\(name)" }
        case LogKeys.section.title:
            let own = key.name == "user" ? "user" : "command"
            // log-writer's own log has what others have unless they say otherwise.
            let isDefault = ["size", "files", "rate"].contains(key.name)
            settings = isDefault ? ["child.log-writer.log"] : ["child.log-writer.\(own)"]
        case _:
            let (template, isWhole) = Self.template(key.name, section)
            isAlone = !isWhole
            settings = Self.children(of: root).flatMap { Self.settings(of: $0.table, $0.name, naming: "{\(template)}") }
        }
        self.isAlone = isAlone
    }

    /// The reference by which children are given it, and whether that stands for more than this key.
    private static func template(_ key: String, _ section: String) -> (name: String, isWhole: Bool) {
        switch section {
        case ChatKeys.section.title:
            ["listen", "certificate", "key", "url"].contains(key) ? ("chat-\(key)", false) : ("chat-keep", true)
        case AgentKeys.section.title: key == "workspaces" ? ("workspaces", false) : ("agent", true)
        case WorkspaceKeys.section.title: ("workspaces", true)
        case WordKeys.section.title: ("word", true)
        case _: ("tunnel", true)
        }
    }

    private static func children(of root: Table?) -> [(name: String, table: Table)] {
        guard case .table(let children) = root?["child"]?.node.value else { return [] }
        return children.entries.compactMap { entry in
            if case .table(let table) = entry.node.value { (entry.key, table) } else { nil }
        }
    }

    private static func settings(of child: Table, _ name: String, naming reference: String) -> [String] {
        child.entries.filter { $0.node.shown.contains(reference) }.flatMap { entry -> [String] in
            if entry.key == "environment", case .table(let variables) = entry.node.value {
                return variables.entries.filter { $0.node.shown.contains(reference) }
                    .map { "child.\(name).environment.\($0.key)" }
            }
            return KeyEffect.settings(entry.key, in: ChildKeys.section.title).map { "child.\(name).\($0)" }
        }
    }
}

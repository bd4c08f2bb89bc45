import Plan

/// What a reload makes of a change of a key: the words of the reference's column, taken from the plan's own table.
enum KeyEffect {
    /// Keys that have another name, or none, in the plan's table of settings.
    private static let aliases: [String: String] = [
        "command": "command", "fallback": "command", "environment-files": "environment",
        "state-directory": "environment",
        "group": "user", "supplementary-groups": "user", "memory.recycle-within": "memory.recycle",
        "ready.first": "ready.first",
    ]

    /// `restart`: the child's run is stopped and started again; `in place`: it goes on; nil: nothing of a run goes by it.
    static func words(_ key: KeyInfo, in section: SectionInfo) -> String? {
        switch section.title {
        case ChildKeys.section.title: words(forChild: key.name)
        case SupervisorKeys.section.title, GroupKeys.section.title: Setting.Effect.inPlace.rawValue
        // Log-writer's own words, and the defaults of its children's.
        case LogKeys.section.title: key.name == "user" ? "restart" : log(key.name)
        case SecretKeys.section.title: "restart of whom it is given"
        case AgentKeys.section.title, WorkspaceKeys.section.title, ChatKeys.section.title, WordKeys.section.title,
            TunnelKeys.section.title:
            "restart of whom names it"
        // `ready`, `delay`, …: parts of one setting of a child, unless the table has the part itself.
        case _: words(forChild: "\(section.title).\(key.name)") ?? words(forChild: section.title)
        }
    }

    /// The settings of the plan's table that a key of a child makes up, or is a part of.
    static func settings(_ key: String, in section: String) -> [String] {
        let path = section == ChildKeys.section.title ? key : "\(section).\(key)"
        let names = Setting.all.map(\.name)
        if let alias = aliases[path] { return [alias] }
        if names.contains(path) { return [path] }
        let parts = names.filter { $0.hasPrefix(path + ".") }
        return parts.isEmpty ? names.filter { $0 == section } : parts
    }

    private static func log(_ key: String) -> String {
        ["size", "files", "rate"].contains(key)
            ? Setting.Effect.inPlace.rawValue : "restart of log-writer, where it must"
    }

    private static func words(forChild path: String) -> String? {
        if path == "memory" { return "restart; `recycle` in place" }
        let name = aliases[path] ?? path
        // Of a table whose keys are settings by themselves, all are alike.
        return Setting.all.first { $0.name == name || $0.name.hasPrefix(name + ".") }?.effect.rawValue
    }
}

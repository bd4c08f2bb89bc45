import Plan

/// Keys of a child about rights and limits.
enum ChildIdentityKeys {
    static let user = Key.person(
        "user", shown: "nexusd's own", "uid",
        "User of the child; needs the right to change uids. As nexusd's own, or root, it could leave its cgroup (docs/containment.md)."
    )
    static let group = Key.person("group", shown: "the user's", "gid", "Primary group.")
    static let supplementary = Key<[Placed<String>]?>(
        "supplementary-groups", type: "array of names or gids", shape: .list(of: .form(.person)), initial: nil,
        shown: "the user's", range: "names, or gids in quotes",
        "Supplementary groups, instead of those that the user is in."
    ) { node throws(Mismatch) in try node.texts(of: "group names") }
    static let limits = Key.map(
        "limits", of: "limits",
        shape: .members(
            Dictionary(
                uniqueKeysWithValues: ResourceName.allCases.map { resource in
                    let text = KeyShape.form(.limit(resource))
                    switch resource.unit {
                    case .bytes, .count:
                        let least = Int(IdentityRule.floors[resource] ?? 0)
                        return (resource.name, .any([.integer(least...Int.max), text]))
                    case .seconds, .microseconds: return (resource.name, text)
                    }
                })),
        "{ nofile = 1024, core = \"0:unlimited\" }",
        "Resource limits of setrlimit(2), one value or \"soft:hard\": "
            + ResourceName.allCases.map(\.name).joined(separator: ", ") + ".")
    static let capabilities = Key.table(
        "capabilities", CapabilityKeys.section, shown: "none for another user", "{ ambient = [\"NET_BIND_SERVICE\"] }",
        "What is left of root's rights (capabilities(7)).")
    static let umask = Key.octal("umask", 0o077, "File mode creation mask, octal.")
    static let nice = Key.number("nice", 0, -20...19, "Nice value.")
    static let oomScore = Key.number(
        "oom-score-adjust", in: -1000...1000, shown: "0", "Written to oom_score_adj; 1000 is killed first.")
    static let noNewPrivileges = Key.flag(
        "no-new-privileges", true,
        "The child cannot gain rights through setuid programs (sudo does not work), nor keep a pipe locked (no io_uring)."
    )
}

/// Keys of a child about its environment.
enum ChildEnvironmentKeys {
    static let environment = Key.map(
        "environment", of: "strings",
        shape: .map(of: .any([.form(.template), .fields(["secret"])]), names: .variable),
        "{ NAME = \"value\", TOKEN = { secret = \"NAME\" } }",
        "Variables beside PATH, HOME, USER, LOGNAME, SHELL, LANG and TMPDIR.")
    static let files = Key.texts(
        "environment-files", of: "paths", shape: .list(of: .form(.variableFile)),
        "Files of NAME=VALUE lines, read when the plan is made; a leading `-` allows a file to be missing.")
    static let secrets = Key.texts(
        "secrets", of: "secret names", shape: .names(.name), "Secrets given as private files in $CREDENTIALS_DIRECTORY."
    )
}

/// Keys of a child's `log`.
enum ChildLogKeys {
    static let size = Key.size(
        "size", in: 65_536...1_073_741_824, shown: "that of [log]", "A log file is rotated when it is this long.")
    static let files = Key.number("files", in: 1...1000, shown: "that of [log]", "Rotated files that are kept.")
    static let journal = Key.flag("journal", shown: "that of [log]", "Into journald too, when there is one.")

    static let rate = Key.rate(
        "rate", shown: "that of [log]", "What the child may say at most, with all its runs and both outputs.")

    static let section = SectionInfo(
        title: "log", summary: "`log = { … }` of a child.",
        keys: [size.info, files.info, journal.info, rate.info])
}

import Plan

/// Finds executables: what is named with a path as it is, a bare name beside nexusd, then among the accepted copies
/// (`nexusctl update`), and then in the child's PATH.
struct Programs {
    let context: ChildContext
    let home: String
    let path: String
    let identity: Identity?

    enum Found {
        case path(String)
        /// In words, and what to do beside correcting the name.
        case missing(String, remedy: String = Programs.absence)
        /// As it is named, or lies there, it is never run: in words, with a remedy.
        case unfit(String)
    }

    /// What to do where nothing is there.
    static let absence = "install it"

    func find(_ name: String) -> Found {
        context.programs.once(.init(name: name, home: home, path: path, identity: identity)) { searchWhole(name) }
    }

    private func searchWhole(_ name: String) -> Found {
        let found = search(name)
        // A shell would take it apart; nexusd does not.
        guard case .missing(let words, _) = found, let space = name.firstIndex(of: " "),
            case .path = search(String(name[..<space]))
        else { return found }
        let parts = name.split(separator: " ").map { "\"\($0)\"" }.joined(separator: ", ")
        return .missing(words, remedy: "write arguments as elements of their own ([\(parts)])")
    }

    private func search(_ name: String) -> Found {
        if name.isEmpty { return .missing("the program's name is empty") }
        if name.contains("/") {
            let paths = PathText(places: context.places, host: context.host)
            guard let absolute = paths.absolute(name, home: home) else {
                return .unfit("the program '\(name)' is a relative path; \(paths.remedy(for: name))")
            }
            return look(absolute) ?? missing(absolute)
        }
        var rejected: Found?
        for directory in [context.places.bin, context.places.accepted(name)]
            + path.split(separator: ":").map(String.init)
        where directory.hasPrefix("/") {
            switch look(directory + "/" + name) {
            case .path(let found): return .path(found)
            case .unfit(let words): return .unfit(words)
            case .missing(let words, let remedy): rejected = rejected ?? .missing(words, remedy: remedy)
            case nil: continue
            }
        }
        return rejected ?? .missing("there is no program '\(name)' beside nexusd or in PATH")
    }

    private func missing(_ path: String) -> Found {
        let words = "there is no program '\(path)'"
        guard HiddenHome.mayHide(path, from: context.host) else { return .missing(words) }
        return .missing(
            words,
            remedy:
                "put it where no home is (opencode: nexusctl agent install PATH, and command = [\"opencode\", …]); where "
                + "nexus.service runs nexusd, homes are hidden from it")
    }

    /// nil: nothing is there.
    private func look(_ path: String) -> Found? {
        guard let status = context.host.status(path) else { return nil }
        guard status.kind == .regular else { return .missing("'\(path)' is no regular file") }
        guard isExecutable(status) else {
            return .missing(
                "'\(path)' is not executable for \(whose)",
                remedy: "make it so (chmod +x)")
        }
        // Beside nexusd lies what its owner can change as easily as nexusd itself.
        guard !path.hasPrefix(context.places.bin + "/") else { return .path(path) }
        let trust = Trust(host: context.host, user: identity?.uid, group: identity?.gid)
        return trust.distrust(program: path).map { .unfit($0) } ?? .path(path)
    }

    /// The user, for a sentence.
    var whose: String { identity.map { "'\($0.user)'" } ?? "this user" }

    /// The first directory of a path that the user may not go through, by its bits; nil: there is none.
    func closedDirectory(onTheWayTo path: String) -> String? {
        guard identity?.uid ?? context.host.userID != 0 else { return nil }
        let names = (context.host.realPath(path) ?? path).split(separator: "/")
        return names.indices.lazy.map { "/" + names[...$0].joined(separator: "/") }
            .first { directory in context.host.status(directory).map { !isExecutable($0) } ?? false }
    }

    /// By owner, group and others; root may execute what anybody may (path_resolution(7)).
    private func isExecutable(_ status: FileStatus) -> Bool {
        let uid = identity?.uid ?? context.host.userID
        if uid == 0 { return status.mode & 0o111 != 0 }
        if status.owner == uid { return status.mode & 0o100 != 0 }
        let own = context.host.user(id: uid).map(context.host.groups) ?? [context.host.groupID]
        let groups = identity.map { [$0.gid] + $0.groups } ?? own + [context.host.groupID]
        return status.mode & (groups.contains(status.group) ? 0o010 : 0o001) != 0
    }
}

extension Text {
    /// The text, when it holds no values that are known only later.
    var literal: String? {
        var text = ""
        for piece in pieces {
            guard case .literal(let part) = piece else { return nil }
            text += part
        }
        return text
    }
}

import ControlClient

/// What the unit's drop-in opens and Supervisor.toml does not name: a line that was shown and never came into the file, or was
/// taken out of it by hand.
extension WorkspaceLook {
    var unlisted: [String] {
        (unit?.dropIn().paths ?? []).filter { path in !child.workspaces.list.contains { $0.path == path } }
    }

    /// Nobody but its owner knows which of the two it is.
    static func remedy(ofUnlisted path: String) -> String {
        "nexusctl agent workspace add \(path.shellWord) shows the line for it, nexusctl agent workspace remove \(path.shellWord) takes it back"
    }

    /// A line for a new workspace must not undo the one that was shown for another before it.
    func withUnlisted(besides new: AgentWorkspaces.Workspace) -> [AgentWorkspaces.Workspace] {
        var list = child.workspaces.list
        for path in unlisted where path != new.path {
            guard let name = AgentWorkspaces.name(for: path), name != new.name,
                !list.contains(where: { $0.name == name })
            else { continue }
            list.append(.init(name: name, path: path))
        }
        return list + [new]
    }
}

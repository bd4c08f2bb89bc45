import Wire

/// `[agent] workspaces` as the JSON that workers get: `[{"name":"home","path":"/home/me"}]`.
struct Workspaces {
    let json: String
    /// What to say when nobody chose and somebody asks.
    let note: String?

    /// Workspaces that are taken.
    static let limit = 64

    init(reader: SectionReader, places: Places, host: any Machine, report: Report) {
        let paths = PathText(places: places, host: host)
        guard let nodes = reader(AgentKeys.workspaces) else {
            // The home directory: the place where a person's projects are, and what they may read and write anyhow.
            let home = paths.ownHome ?? "/"
            json = Workspaces.encode([("home", home)])
            note = "no [agent] workspaces: the agent works in '\(home)'"
            return
        }
        var list: [(name: String, path: String)] = []
        for node in nodes {
            guard let workspace = Workspaces.read(node, paths, report) else { continue }
            if list.contains(where: { $0.name == workspace.name }) {
                report.error(node.position, "workspace '\(workspace.name)' is given twice; take another name")
            }
            list.append(workspace)
        }
        if nodes.isEmpty || nodes.count > Workspaces.limit {
            report.error(
                reader.position(of: AgentKeys.workspaces), "'workspaces' must have 1 to \(Workspaces.limit) elements")
        }
        json = Workspaces.encode(list)
        note = nil
    }

    private static func read(_ node: Node, _ paths: PathText, _ report: Report) -> (name: String, path: String)? {
        guard case .table(let table) = node.value else {
            report.error(
                node.position,
                "'workspaces' must have tables such as { name = \"home\", path = \"~\" }, found \(node.kind)")
            return nil
        }
        let reader = SectionReader(WorkspaceKeys.section, table, label: "a workspace", report: report)
        guard let name = reader(WorkspaceKeys.name), let text = reader(WorkspaceKeys.path) else {
            if table["name"] == nil || table["path"] == nil {
                report.error(node.position, "a workspace needs both: { name = \"home\", path = \"~\" }")
            }
            return nil
        }
        if !Name.isValid(name) {
            report.error(
                reader.position(of: WorkspaceKeys.name), "'\(name)' is no name of a workspace; take \(Name.form)")
        }
        let position = reader.position(of: WorkspaceKeys.path)
        guard let path = paths.absolute(text, home: paths.ownHome) else {
            report.error(position, PathText.refusal("path", text))
            return nil
        }
        if paths.host.status(path)?.kind != .directory {
            let hidden =
                HiddenHome.mayHide(path, from: paths.host)
                ? ". Where nexus.service runs nexusd, homes are hidden from it: nexusctl agent workspace add opens one, from the unit's "
                    + "next start on (systemctl restart nexus)" : ""
            report.error(position, "there is no directory '\(path)'; make it or correct the path\(hidden)")
        }
        return (name, path)
    }

    private static func encode(_ list: [(name: String, path: String)]) -> String {
        var json = JSONWriter()
        json.array {
            for workspace in list {
                $0.object {
                    $0.field("name", workspace.name)
                    $0.field("path", workspace.path)
                }
            }
        }
        return String(decoding: json.bytes, as: UTF8.self)
    }
}

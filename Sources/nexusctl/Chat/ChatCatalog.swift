import ControlClient
import Wire

/// What there is to choose and to call.
struct ChatCatalog {
    let link: ChatLink
    let json: Bool

    /// Models, agents and commands of a workspace (nil: of the first).
    func show(of workspace: String?) throws(ControlError) {
        var tables: [(title: String, table: TextTable)] = ["MODEL", "AGENT", "COMMAND"].map { title in
            var table = TextTable()
            table.append([TextTable.Cell(title, .dim), TextTable.Cell(title == "MODEL" ? "NAME" : "", .dim)])
            return (title, table)
        }
        var models = 0
        let asked: [JSONValue.Member] = [.init("op", .string("catalog"))]
        try link.collect(asked + (workspace.map { [.init("workspace", .string($0))] } ?? [])) { entry, line in
            if json { return Output.write(json: line) }
            func text(_ key: String) -> String { Terminal.clean(entry[key]?.text ?? "") }
            switch entry["type"]?.text {
            case "model":
                models += 1
                tables[0].table.append([.init(text("id")), .init("\(text("name")), \(text("provider"))", .dim)])
            case "agent": tables[1].table.append([.init(text("name")), .init(text("description"), .dim)])
            case "command": tables[2].table.append([.init("/" + text("name")), .init(text("description"), .dim)])
            case _: break
            }
        }
        if json { return }
        Output.write(tables.map { $0.table.rendered(for: .standardOutput) }.joined(separator: "\n"))
        if models == 0 {
            Output.complain(
                "[the agent has no model: log in at a provider with `nexusctl agent login`]"
            )
        }
    }
}

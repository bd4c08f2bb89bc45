extension StatusReport {
    /// One line: who runs, since when, how, and what the owner has to know.
    /// - Parameter user: nexusd's own.
    public func headline(user: String?) -> String {
        var parts = ["nexus \(version)", "pid \(pid)"]
        if let uptime { parts.append("up \(uptime.spoken)") }
        parts.append(stateWords)
        parts.append("containment: \(guarantee)")
        if let wall = wallWords(user) { parts.append(wall) }
        return Terminal.clean((parts + notes.filter(Self.belongsToHeadline)).joined(separator: " · "))
    }

    /// Whoever is given up comes no nearer to being ready.
    private var stateWords: String {
        guard state == "running", !ready else { return state }
        let parked = children.count { $0.state == "parked" }
        let others = ["waiting", "delayed", "starting", "stopping", "unkillable"]
        let isAtRest = parked > 0 && !children.contains { others.contains($0.state) }
        return isAtRest ? "running, \(parked) parked" : "running, not ready yet"
    }

    private func wallWords(_ user: String?) -> String? {
        let who = user ?? "nexusd's own user"
        guard uidWall else { return "uid wall off: every child runs as \(who)" }
        return unwalledWords.map { "uid wall has gaps: \($0) as \(who)" }
    }

    /// The same, broken between its parts where the terminal is narrower.
    func headlines(user: String?, for terminal: Terminal) -> [String] {
        let line = headline(user: user)
        guard let columns = terminal.columns else { return [terminal.styled(line, .bold)] }
        return Terminal.wrapped(line.split(separator: " · ").map(String.init), separator: " · ", columns: columns)
            .map { terminal.styled($0, .bold) }
    }

    // The configuration in force is not the one in the file: nobody may overlook that. Every other note has its line.
    private static func belongsToHeadline(_ note: String) -> Bool { note.hasPrefix("the last good plan is in force") }

    // What the headline says in its own words is not said again.
    private static func isInHeadline(_ note: String) -> Bool {
        belongsToHeadline(note) || note.hasPrefix("the uid wall is off")
    }

    /// The whole of `nexusctl status`.
    /// - Parameter names: only these children and groups; empty: all.
    public func table(user: String?, for terminal: Terminal, only names: [String] = []) -> String {
        // A narrow terminal keeps what says most: the status.
        let isNarrow = terminal.columns.map { $0 < Self.narrowColumns } ?? false
        var table = TextTable(rightAligned: isNarrow ? [] : [3, 4])
        let head =
            isNarrow ? ["NAME", "STATE", "SINCE", "STATUS"] : ["NAME", "STATE", "SINCE", "PID", "RESTARTS", "STATUS"]
        table.append(head.map { TextTable.Cell($0, .dim) })
        func shown(_ child: ChildStatus) -> Bool {
            names.isEmpty || names.contains(child.name) || child.group.map { names.contains($0) } ?? false
        }
        for child in children where child.group == nil && shown(child) { table.append(row(child, "", isNarrow)) }
        for (group, members) in zip(groups, childrenByGroup) {
            let members = members.filter { shown(children[$0]) }
            if members.isEmpty { continue }
            table.append(line: group.words, group.state == "parked" ? .red : .bold)
            for member in members { table.append(row(children[member], "  ", isNarrow)) }
        }
        let headline = headlines(user: user, for: terminal).joined(separator: "\n")
        var text = headline + "\n\n" + table.rendered(for: terminal)
        for stray in strays { text += "stray: \(stray.words)\n" }
        if strayCount > strays.count { text += "stray: and \(Int(strayCount) - strays.count) more\n" }
        for note in notes where !Self.isInHeadline(note) {
            text += terminal.folded("note: \(Terminal.clean(note))", indent: 6) + "\n"
        }
        return text
    }

    /// For each group the places of its children. Neighbours mostly share a group: the search begins at the last one's.
    var childrenByGroup: [[Int]] {
        var places = [[Int]](repeating: [], count: groups.count)
        var group = 0
        for (place, child) in children.enumerated() {
            guard let name = child.group else { continue }
            for step in 0..<groups.count where groups[(group + step) % groups.count].name == name {
                group = (group + step) % groups.count
                places[group].append(place)
                break
            }
        }
        return places
    }

    private static let narrowColumns = 72

    private func row(_ child: ChildStatus, _ indent: String, _ isNarrow: Bool) -> [TextTable.Cell] {
        let name = TextTable.Cell(indent + Terminal.clean(child.name))
        let state = TextTable.Cell(child.state, child.style)
        let since = TextTable.Cell(child.since?.spoken ?? "-")
        if isNarrow { return [name, state, since, .init(child.words)] }
        return [
            name, state, since, .init(child.pid.map(String.init) ?? "-"),
            .init(String(child.restarts), child.unstableRuns > 0 ? .yellow : .plain), .init(child.words),
        ]
    }
}

extension GroupStatus {
    /// `agent · one-for-one`, with the state where that is worth a word.
    public var words: String {
        var text = Terminal.clean(name) + " · " + strategy
        if state != "running" { text += " · " + state }
        if let nextTry { text += ", next try in \(nextTry.spoken)" }
        return text
    }
}

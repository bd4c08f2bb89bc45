extension StatusReport {
    /// The tree as a picture: nexusd, the children at the root, the groups with theirs.
    public func tree(for terminal: Terminal) -> String {
        var text = "nexusd \(pid)\n"
        let roots = children.filter { $0.group == nil }
        for (index, child) in roots.enumerated() {
            let last = groups.isEmpty && index == roots.count - 1
            text += (last ? "└─ " : "├─ ") + leaf(child, terminal) + "\n"
        }
        let members = childrenByGroup
        for (index, group) in groups.enumerated() {
            let last = index == groups.count - 1
            text += (last ? "└─ " : "├─ ") + terminal.styled(group.words, .bold) + "\n"
            let inside = members[index]
            for (place, member) in inside.enumerated() {
                text += (last ? "   " : "│  ") + (place == inside.count - 1 ? "└─ " : "├─ ")
                text += leaf(children[member], terminal) + "\n"
            }
        }
        return text
    }

    private func leaf(_ child: ChildStatus, _ terminal: Terminal) -> String {
        var text = Terminal.clean(child.name)
        if let pid = child.pid { text += " \(pid)" }
        text += " " + terminal.styled(child.state, child.style)
        if child.isWorker { text += " (worker)" }
        return text
    }
}

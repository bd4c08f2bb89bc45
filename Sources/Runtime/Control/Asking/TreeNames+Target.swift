import SupervisorCore
import Wire

extension TreeNames {
    /// `NAME` is a group or a child (the group wins), `group:NAME` and `child:NAME` say which, `all` is everything.
    func needTarget(_ word: Substring) throws(VerbError) -> Command.Target {
        if word == "all" { return .all }
        if word.hasPrefix("child:") { return .child(try needChild(word)) }
        if let name = word.after("group:") {
            guard let group = group(named: name) else {
                if child(named: name) != nil { throw VerbError(.unknown, "'\(name)' is a child, no group") }
                throw unknown(name, "group", shown.groups.map { self[$0] })
            }
            return .group(group)
        }
        if let group = group(named: word) { return .group(group) }
        guard let child = child(named: word) else {
            throw unknown(word, "child or group", shown.children.map { self[$0] } + shown.groups.map { self[$0] })
        }
        return .child(child)
    }

    func needChild(_ word: Substring) throws(VerbError) -> ChildID {
        let name = word.after("child:") ?? word
        guard let child = child(named: name) else {
            // `child:NAME` is of no group.
            if name != word, group(named: name) != nil { throw VerbError(.unknown, "'\(name)' is a group, no child") }
            let group = word.after("group:") ?? word
            if self.group(named: group) != nil {
                throw VerbError(
                    .unknown, "'\(group)' is a group; this takes a child: `nexusctl status \(group)` shows them")
            }
            if child(named: group) != nil { throw VerbError(.unknown, "'\(group)' is a child, no group") }
            throw unknown(name, "child", shown.children.map { self[$0] })
        }
        return child
    }

    private func unknown(_ name: Substring, _ what: String, _ known: [String]) -> VerbError {
        let name = String(name.prefix(40))
        // Whoever mistypes a child may mean a group just as well.
        let all = (shown.children.map { self[$0] } + shown.groups.map { self[$0] })
        let hint = Nearest.hint(for: name, among: what == "group" ? known : all)
        // A tree of a thousand must not fill the terminal with names.
        let some =
            known.isEmpty ? "none" : known.prefix(12).joined(separator: ", ") + (known.count > 12 ? ", …" : "")
        return VerbError(.unknown, "there is no \(what) '\(name)'\(hint.isEmpty ? "; there are \(some)" : hint)")
    }
}

extension Substring {
    fileprivate func after(_ prefix: String) -> Substring? { hasPrefix(prefix) ? dropFirst(prefix.count) : nil }
}

import Plan
import SupervisorCore

/// The names that a file may refer to, with their numbers, collected before anything refers to them.
struct TreeNames {
    /// In the order of the file; log-writer, which no key may name, is not among them.
    private(set) var children: [String] = []
    /// In the order of the file.
    private(set) var groups: [String] = []
    /// In the order of the file.
    private(set) var secrets: [String] = []
    /// Values that ready patterns capture.
    var captures: [ChildID: [String]] = [:]
    /// Children that speak the bus.
    var workers: Set<ChildID> = []

    private var childIDs: [String: ChildID] = [:]
    private var groupIDs: [String: GroupID] = [:]
    private var secretIndices: [String: UInt16] = [:]

    mutating func add(child name: String) {
        children.append(name)
        // Number 1 is log-writer.
        childIDs[name] = ChildID(rawValue: UInt16(children.count + 1))
    }

    mutating func add(group name: String) {
        groupIDs[name] = GroupID(rawValue: UInt16(groups.count))
        groups.append(name)
    }

    mutating func add(secret name: String) {
        secretIndices[name] = UInt16(secrets.count)
        secrets.append(name)
    }

    func child(_ name: String) -> ChildID? { childIDs[name] }
    func group(_ name: String) -> GroupID? { groupIDs[name] }
    func secret(_ name: String) -> UInt16? { secretIndices[name] }
    func name(of child: ChildID) -> String { child.rawValue == 1 ? "log-writer" : children[Int(child.rawValue) - 2] }

    /// Why a name is none that a key may use, and what to do: the words behind the key.
    func refusal(of name: String, _ kind: String, among known: [String]) -> String {
        if name == "log-writer" { return "names 'log-writer', which is nexusd's own and always there; take it out" }
        let hint = Nearest.hintOrList(for: name, among: known, of: "[child.…] at all")
        return "names an unknown \(kind) '\(name)'\(hint)"
    }

    /// Children by name, each once; unknown ones are reported with what may have been meant.
    func children(_ names: [Placed<String>], key: String, _ report: Report) -> [Placed<ChildID>] {
        var found: [Placed<ChildID>] = []
        for name in names {
            guard let child = child(name.value) else {
                report.error(name.position, "'\(key)' \(refusal(of: name.value, "child", among: children))")
                continue
            }
            guard !found.contains(where: { $0.value == child }) else {
                report.error(name.position, "'\(key)' names '\(name.value)' twice; take one out")
                continue
            }
            found.append(Placed(value: child, position: name.position))
        }
        return found
    }
}

import ControlClient
import Wire

/// A name of the tree as a person may write it: `NAME`, `child:NAME`, `group:NAME`.
struct WrittenName {
    /// Without what stands before it.
    let name: String
    /// It may be a child's.
    let mayBeChild: Bool
    /// It may be a group's.
    let mayBeGroup: Bool

    init(_ word: String) {
        func after(_ prefix: String) -> String? {
            word.hasPrefix(prefix) ? String(word.dropFirst(prefix.count)) : nil
        }
        let (child, group) = (after("child:"), after("group:"))
        name = child ?? group ?? word
        mayBeChild = group == nil
        mayBeGroup = child == nil
    }

    /// What it says that it is, for a person.
    var kind: String { mayBeChild ? mayBeGroup ? "child or group" : "child" : "group" }

    /// What it is a name of.
    enum Meant {
        case child(String)
        case group(GroupStatus)

        /// Without what stands before it.
        var name: String {
            switch self {
            case .child(let name): name
            case .group(let group): group.name
            }
        }

        /// The child, or all of the group.
        var children: [String] {
            switch self {
            case .child(let name): [name]
            case .group(let group): group.children
            }
        }
    }

    /// What it names in a tree; the group wins, as in nexusd. nil: neither.
    func meant(in report: StatusReport) -> Meant? {
        if mayBeGroup, let group = report.groups.first(where: { $0.name == name }) { return .group(group) }
        return mayBeChild && report.children.contains { $0.name == name } ? .child(name) : nil
    }

    /// The same where it has to be one; the error says what may have been meant.
    func needed(in report: StatusReport) throws(ControlError) -> Meant {
        if let meant = meant(in: report) { return meant }
        // There under the other word: then nothing is mistyped.
        if let other = WrittenName(name).meant(in: report) {
            let word = if case .child = other { "child" } else { "group" }
            throw ControlError(.usage, "'\(name)' is a \(word), no \(kind)", hint: "write \(name), or \(word):\(name)")
        }
        let known = report.children.map(\.name) + report.groups.map(\.name)
        let near = Nearest.hint(for: name, among: known)
        let shown = known.prefix(12).joined(separator: ", ") + (known.count > 12 ? ", …" : "")
        throw ControlError(
            .usage, "there is no \(kind) '\(name)'" + near, hint: near.isEmpty ? "there are: \(shown)" : nil)
    }
}

import ControlClient
import LogStore
import System
import Wire

/// Makes names of children out of what a person wrote: children that have logs, children and groups of the running tree.
struct LogNames {
    private let place: Locations
    private let known: [String]

    /// Looks at what has logs.
    init(_ place: Locations) throws(ControlError) {
        self.place = place
        do throws(Errno) { known = try LogReader(directory: place.logs).children() } catch {
            throw LogPrinter.unreadable(place, error)
        }
    }

    /// Each once, in the order in which they were written. nexusd is asked only about what has no logs.
    func resolve(_ names: [String]) throws(ControlError) -> [String] {
        var found: [String] = []
        let written = names.map(WrittenName.init)
        let tree = written.allSatisfy(hasLogs) ? nil : Self.tree(place)
        for name in written {
            let meant = hasLogs(name) ? [name.name] : try Self.meant(name, known, tree)
            for child in meant where !found.contains(child) { found.append(child) }
        }
        return found
    }

    private func hasLogs(_ written: WrittenName) -> Bool { written.mayBeChild && known.contains(written.name) }

    /// Everybody who has logs.
    static func all(_ place: Locations) throws(ControlError) -> [String] { try LogNames(place).known }

    /// Groups and children of the running nexusd; nil when none answers.
    private static func tree(_ place: Locations) -> (groups: [GroupStatus], children: [String])? {
        guard let connection = try? ControlConnection(socket: place.controlSocket),
            let status = try? StatusQuestion.report(connection)
        else { return nil }
        return (status.groups, status.children.map(\.name))
    }

    private static func meant(
        _ written: WrittenName, _ known: [String], _ tree: (groups: [GroupStatus], children: [String])?
    ) throws(ControlError) -> [String] {
        let name = written.name
        // A child of the tree that has said nothing yet: there may be something to follow.
        if written.mayBeChild, tree?.children.contains(name) ?? false { return [name] }
        if written.mayBeGroup, let group = tree?.groups.first(where: { $0.name == name }) { return group.children }
        let candidates = Set(known + (tree?.children ?? []) + (tree?.groups.map(\.name) ?? [])).sorted()
        let hint =
            Nearest.name(for: name, among: candidates).map { "did you mean '\($0)'?" }
            ?? (known.isEmpty
                ? "there are no logs yet" : "there are logs of: \(known.joined(separator: ", "))")
        let note = tree == nil ? " (nexusd does not run here, so groups are not known)" : ""
        throw ControlError(.usage, "there is no \(written.kind) '\(name)', and no log of one\(note)", hint: hint)
    }
}

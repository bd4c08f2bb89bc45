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

    /// The running tree; nil when no nexusd answers.
    private static func tree(_ place: Locations) -> StatusReport? {
        guard let connection = try? ControlConnection(socket: place.controlSocket) else { return nil }
        return try? StatusQuestion.report(connection)
    }

    private static func meant(
        _ written: WrittenName, _ known: [String], _ tree: StatusReport?
    ) throws(ControlError) -> [String] {
        // Also a child of the tree that has said nothing yet: there may be something to follow.
        if let meant = tree.flatMap(written.meant) { return meant.children }
        let named = tree.map { $0.children.map(\.name) + $0.groups.map(\.name) } ?? []
        let hint =
            Nearest.name(for: written.name, among: Set(known + named).sorted()).map { "did you mean '\($0)'?" }
            ?? (known.isEmpty
                ? "there are no logs yet" : "there are logs of: \(known.joined(separator: ", "))")
        let note = tree == nil ? " (nexusd does not run here, so groups are not known)" : ""
        throw ControlError(
            .usage, "there is no \(written.kind) '\(written.name)', and no log of one\(note)", hint: hint)
    }
}

import ArgumentParser
import ControlClient
import Glibc
import System
import Wire

struct AgentWorkspaceCommand: CommandFamily {
    static let configuration = CommandConfiguration(
        commandName: "workspace",
        abstract: "Directories that the agent works in: its user's rights, and the unit's leave.",
        discussion: """
            A workspace takes three things: that the agent's user may read and write it, that the unit lets it, and a line in \
            `workspaces` of [agent] in Supervisor.toml. The first two are looked at and given here; the line is shown, not written: \
            it is your file.
            """,
        subcommands: [Add.self, List.self, Remove.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows the workspaces of Supervisor.toml, and what keeps the agent from working in them.",
            discussion: "Exit status 1 when it cannot work in one of them.")

        @Flag(help: "One JSON object.")
        var json = false

        @OptionGroup var place: Place

        func run() throws {
            let child = try AgentChild(place)
            let look = WorkspaceLook(child)
            let states = child.workspaces.list.map { ($0, look.complaint($0.path)) }
            let unlisted = look.unlisted
            if json {
                show(states, unlisted)
            } else {
                var table = TextTable()
                for (workspace, complaint) in states {
                    table.append([
                        .init(workspace.name, .bold), .init(Terminal.clean(workspace.path)),
                        .init(Terminal.clean(complaint?.words ?? "good")),
                    ])
                }
                Output.write(table.rendered(for: .standardOutput))
                for path in unlisted {
                    Output.tell(
                        Terminal.clean(
                            "\(look.unit?.name ?? "the unit") lets nexus write in \(path), which is no workspace: ")
                            + Terminal.clean(WorkspaceLook.remedy(ofUnlisted: path)))
                }
            }
            if states.contains(where: { $0.1 != nil }) { throw ExitCode(1) }
        }

        private func show(
            _ states: [(AgentWorkspaces.Workspace, (words: String, remedy: String)?)], _ unlisted: [String]
        ) {
            let list = states.map { workspace, complaint in
                JSONValue.object([
                    .init("name", .string(workspace.name)), .init("path", .string(workspace.path)),
                    .init("good", .bool(complaint == nil)),
                    .init("words", complaint.map { .string($0.words) } ?? .null),
                    .init("remedy", complaint.map { .string($0.remedy) } ?? .null),
                ])
            }
            let members: [JSONValue.Member] = [
                .init("workspaces", .array(list)), .init("unlisted", .array(unlisted.map { .string($0) })),
            ]
            Output.write(JSONValue.object(members).line + "\n")
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes the unit's leave for a workspace back, and shows the line without it.",
            discussion:
                "The rights of the agent's user stay; how they are taken back is said. Exit status 1 when it is no workspace."
        )

        @Argument(help: "Its name or its path.", completion: .directory)
        var workspace: String

        @Flag(help: "One JSON object.")
        var json = false

        @OptionGroup var place: Place

        func run() throws {
            let child = try AgentChild(place)
            let unit = NexusUnit(child.report)
            var rest = child.workspaces
            let named = rest.list.first { $0.name == workspace || $0.path == workspace }
            let path = named?.path ?? WorkspacePath.absolute(workspace)
            rest.list.removeAll { $0.path == path }
            var dropIn = unit?.dropIn() ?? UnitDropIn("")
            let wasWritten = dropIn.remove(path)
            guard wasWritten || named != nil else {
                throw ControlError(
                    .failed, "'\(workspace)' is no workspace, and the unit says nothing of it",
                    hint: "nexusctl agent workspace list")
            }
            if wasWritten { try unit?.write(dropIn) }
            if json { return show(path, wasWritten, named == nil ? nil : rest.line) }
            if wasWritten, let unit {
                Output.tell(
                    Terminal.clean(
                        "\(unit.name) does not let nexus write in \(path) any more, from its next start on: ")
                        + "systemctl restart \(unit.name)")
            }
            if named != nil, !rest.list.isEmpty {
                Output.tell(
                    "This line belongs in [agent] of \(Terminal.clean(child.config)), in place of the one that is there; then:"
                        + " nexusctl reload\n")
                Output.write(Terminal.clean(rest.line) + "\n")
            }
            Output.tell(
                Terminal.clean("What \(child.userName) may do there stays; to take it back: setfacl -R -P -x")
                    + Terminal.clean(" u:\(child.userName),d:u:\(child.userName) \(path.shellWord)"))
        }

        private func show(_ path: String, _ wasWritten: Bool, _ line: String?) {
            let members: [JSONValue.Member] = [
                .init("path", .string(path)), .init("unit_changed", .bool(wasWritten)),
                .init("line", line.map { .string($0) } ?? .null),
            ]
            Output.write(JSONValue.object(members).line + "\n")
        }
    }
}

/// Paths as people type them.
enum WorkspacePath {
    /// From the current directory, without a slash at the end.
    static func absolute(_ path: String) -> String {
        var path = path
        if !path.hasPrefix("/"), let current = getcwd(nil, 0) {
            defer { free(current) }
            path = String(cString: current) + "/" + path
        }
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }

    /// Where it leads, without links, `.` and `..`.
    static func resolved(_ path: String) throws(ControlError) -> String {
        guard let place = realpath(path, nil) else {
            let error = Errno.current
            throw ControlError(
                .failed, "\(path): \(error)",
                hint: error == .noEntry ? "make it first: mkdir -p \(path.shellWord)" : nil)
        }
        defer { free(place) }
        let resolved = String(cString: place)
        guard (try? LiveKernel().status(resolved, followingLinks: false).kind) == .directory else {
            throw ControlError(.failed, "\(path) is no directory")
        }
        return resolved
    }
}

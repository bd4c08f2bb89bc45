import ArgumentParser
import ControlClient
import Glibc
import System
import Wire

extension AgentWorkspaceCommand {
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a directory one that the agent can work in, as far as that is missing.",
            discussion: """
                Whether the agent's user can get there, read and write is asked of the kernel as that user. Where it cannot, the \
                lists of rights (setfacl) that would give it are shown, and set when you say so, or with --yes (the owner of the directory \
                keeps the right to what the agent makes there); never along symbolic links, and in another person's home only when you said so at a terminal. The unit gets a drop-in with \
                ReadWritePaths=, or with BindPaths= below /home, /root and /run/user; it takes effect when nexus is restarted.

                Exit status 1 when the agent cannot work there in the end, or you said no; 4 where that takes root, or in another's \
                home without a terminal.
                """)

        @Argument(help: "The directory.", completion: .directory)
        var path: String

        @Option(help: "What it is called in the chat; without it after the directory.")
        var name: String?

        @Flag(help: "Gives the agent's user the rights it lacks without asking.")
        var yes = false

        @Flag(help: "Restarts nexus with all its children, where the unit takes that.")
        var restart = false

        @Flag(help: "One JSON object; nothing is asked.")
        var json = false

        @OptionGroup var place: Place

        /// What was done, and is left.
        private struct Outcome {
            var workspace: AgentWorkspaces.Workspace
            var given: [String] = []
            var remarks: [String] = []
            var unit: NexusUnit?
            var isWritten = false
            var needsRestart = false
            /// The line for Supervisor.toml; nil: it is there.
            var line: String?
        }

        func run() throws {
            let child = try AgentChild(place)
            let resolved = try WorkspacePath.resolved(path)
            if let objection = AgentWorkspaces.objection(
                to: resolved, kept: [child.locations.state, child.locations.runtime])
            {
                throw ControlError(.failed, "\(resolved) is no place for a workspace: \(objection)")
            }
            var outcome = Outcome(workspace: .init(name: try chosenName(resolved, child), path: resolved))
            let look = WorkspaceLook(child)
            outcome.unit = look.unit
            try giveRights(look, &outcome)
            try openUnit(look, &outcome)
            if !child.workspaces.list.contains(where: { $0.path == resolved }) {
                outcome.line = AgentWorkspaces(look.withUnlisted(besides: outcome.workspace)).line
            }
            if restart, outcome.needsRestart, let unit = look.unit {
                try unit.restart()
                outcome.needsRestart = false
                // By the new nexusd.
                let now = WorkspaceLook(try AgentChild(place))
                if let complaint = now.complaint(resolved) {
                    throw ControlError(.failed, "after the restart: \(complaint.words)", hint: complaint.remedy)
                }
            }
            if json { show(outcome) } else { tell(outcome, child) }
        }

        private func chosenName(_ resolved: String, _ child: AgentChild) throws(ControlError) -> String {
            let list = child.workspaces.list
            if let there = list.first(where: { $0.path == resolved }), name == nil || name == there.name {
                return there.name
            }
            guard let name = name ?? AgentWorkspaces.name(for: resolved), AgentWorkspaces.isName(name) else {
                throw ControlError(
                    .usage, "the workspace needs a name of \(AgentWorkspaces.form)", hint: "--name NAME gives it one")
            }
            guard !list.contains(where: { $0.name == name }) else {
                throw ControlError(
                    .usage, "there is a workspace '\(name)' already", hint: "--name NAME gives this one another name")
            }
            return name
        }

        // MARK: - Rights

        private func giveRights(_ look: WorkspaceLook, _ outcome: inout Outcome) throws {
            let closed = try look.closed(outcome.workspace.path)
            guard !closed.isEmpty else { return }
            let rights = WorkspaceRights(child: look.child)
            try rights.refuseWithoutMeans()
            let grants = try rights.grants(closed)
            guard geteuid() == 0 else {
                throw ControlError(
                    .refused, "\(look.child.userName) cannot work in \(outcome.workspace.path): \(closed[0].words)",
                    hint: grants.map(\.command).joined(separator: "\n"))
            }
            guard try mayGive(grants, closed, look.child) else {
                throw ControlError(
                    .failed, "\(look.child.userName) cannot work in \(outcome.workspace.path), and nothing was changed",
                    hint: (["what gives it:"] + grants.map(\.command)).joined(separator: "\n"))
            }
            outcome.given = grants.map(\.command)
            outcome.remarks = try rights.give(grants)
            if let still = try look.closed(outcome.workspace.path).first {
                let said = outcome.remarks.first.map { "; setfacl said: \($0)" } ?? ""
                throw ControlError(.failed, "\(look.child.userName) still cannot: \(still.words)\(said)")
            }
        }

        /// Whether the owner says so: once for all of it, and at a terminal where it is somebody's home.
        private func mayGive(
            _ grants: [WorkspaceRights.Grant], _ closed: [WorkspaceLook.Closed], _ child: AgentChild
        ) throws -> Bool {
            let isAsked = !json && isatty(STDIN_FILENO) == 1
            if let home = grants.lazy.compactMap(\.home).first {
                guard isAsked else {
                    throw ControlError(
                        .refused,
                        "this is in the home of \(home), which is not opened without somebody who says so at a terminal",
                        hint: (["by hand:"] + grants.map(\.command)).joined(separator: "\n"))
                }
            } else if yes {
                return true
            }
            guard isAsked else {
                throw ControlError(
                    .failed, "\(child.userName) cannot work there: \(closed[0].words)",
                    hint: (["--yes gives it, by:"] + grants.map(\.command)).joined(separator: "\n"))
            }
            for place in closed { Output.tell(Terminal.clean("Closed to \(child.userName): \(place.words)")) }
            Output.write("This would open it:\n")
            for grant in grants {
                Output.write(
                    "    \(Terminal.clean(grant.command))\(grant.home.map { "    (the home of \($0))" } ?? "")\n")
            }
            var questions = Questions()
            let answer = try questions.ask("Do that? [y/N] ", Interrupts())
            return ["y", "yes"].contains(answer?.lowercased())
        }

        // MARK: - The unit

        private func openUnit(_ look: WorkspaceLook, _ outcome: inout Outcome) throws(ControlError) {
            guard let unit = look.unit else { return }
            switch unit.verdict(outcome.workspace.path) {
            case .open: return
            case .written: outcome.needsRestart = true
            case .shut:
                var dropIn = unit.dropIn()
                do throws(UnitDropIn.Unwritable) {
                    outcome.isWritten = try dropIn.add(outcome.workspace.path)
                } catch {
                    throw ControlError(
                        .failed, "\(unit.name) cannot be told of \(outcome.workspace.path): \(error.words)",
                        hint: "give the directory another name")
                }
                try unit.write(dropIn)
                // One that does not run reads it when it starts.
                outcome.needsRestart = unit.process != nil
            }
        }

        // MARK: - Words

        private func tell(_ outcome: Outcome, _ child: AgentChild) {
            let path = Terminal.clean(outcome.workspace.path)
            for command in outcome.given { Output.tell(Terminal.clean("done: \(command)")) }
            for remark in outcome.remarks { Output.tell(Terminal.clean("      \(remark)")) }
            Output.tell("\(Terminal.clean(child.userName)) can read and write \(path).")
            if let unit = outcome.unit, outcome.isWritten || outcome.needsRestart {
                let when = outcome.needsRestart ? ", from its next start on: systemctl restart \(unit.name)" : ""
                Output.tell(Terminal.clean("\(unit.name) lets it (\(unit.file))\(when)"))
            }
            guard let line = outcome.line else { return }
            let next = outcome.needsRestart ? "systemctl restart \(outcome.unit?.name ?? "nexus")" : "nexusctl reload"
            Output.tell(
                "This line belongs in [agent] of \(Terminal.clean(child.config)), in place of the one that is there; then: \(next)\n"
            )
            // To be copied: never folded.
            Output.write(Terminal.clean(line) + "\n")
        }

        private func show(_ outcome: Outcome) {
            let list = { (texts: [String]) in JSONValue.array(texts.map { .string($0) }) }
            let members: [JSONValue.Member] = [
                .init("name", .string(outcome.workspace.name)), .init("path", .string(outcome.workspace.path)),
                .init("given", list(outcome.given)), .init("remarks", list(outcome.remarks)),
                .init("unit", outcome.unit.map { .string($0.name) } ?? .null),
                .init("unit_changed", .bool(outcome.isWritten)), .init("needs_restart", .bool(outcome.needsRestart)),
                .init("line", outcome.line.map { .string($0) } ?? .null),
            ]
            Output.write(JSONValue.object(members).line + "\n")
        }
    }
}

import ArgumentParser
import ControlClient
import Glibc
import System
import Wire

extension AgentCommand {
    struct Install: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copies an opencode to where all can run it and the agent cannot change it.",
            discussion: """
                The copy is tried before it takes its place: it must be a program for this machine, and its `--version`, asked as \
                the agent's user, must be of a line that agent-worker speaks (1.x or 2.x). What a package manager owns is never \
                overwritten. Whatever is refused, what was there before stays as it was; what runs goes on with the old one.

                Exit status 1 when the file is not taken, with the reason; 4 for others than root. With --restart it also waits for \
                the agent, and ends as `nexusctl recycle` or `nexusctl reload` does.
                """)

        @Argument(help: "The program: opencode's own file, a home directory's or a download.", completion: .file())
        var path: String

        @Option(help: "Where it goes. Supervisor.toml's PATH must lead there.", completion: .file())
        var to = "/usr/local/bin/opencode"

        @Flag(help: "Has the tree take it at once: as soon as the agent is idle, where it runs that program already.")
        var restart = false

        @Flag(help: "One JSON object.")
        var json = false

        @OptionGroup var place: Place

        /// What came of it.
        private struct Outcome {
            var program: String
            var version: String
            var before: String?
            /// What the tree would run in its place; nil: it runs this.
            var shadow: String?
            /// The accepted version that is what the tree runs (`nexusctl update`); nil: none is.
            var accepted: String?

            /// What has it tried and taken in place of an accepted one.
            var update: String { "nexusctl update opencode \(program.shellWord)" }
        }

        func run() throws {
            guard geteuid() == 0 else {
                throw ControlError(
                    .refused, "only root can put a program where the agent cannot change it",
                    hint: "sudo nexusctl agent install \(path.shellWord)")
            }
            let child = try AgentChild(place)
            let outcome = try install(child)
            let takeover = AgentTakeover(child, program: outcome.program)
            if !json { tell(outcome, child) }
            let isTaken = restart && outcome.shadow == nil
            if isTaken { try takeover.perform(place, quietly: json) }
            if json { return show(outcome, takeover, isTaken) }
            if !isTaken, outcome.shadow == nil { Output.tell(Terminal.clean(takeover.words)) }
        }

        private func install(_ child: AgentChild) throws(ControlError) -> Outcome {
            try Self.refuseOwned(to)
            let source = realpath(path, nil).map { resolved in
                defer { free(resolved) }
                return String(cString: resolved)
            }
            guard let source else { throw ControlError(.failed, "\(path): \(Errno.current)") }
            let copy = try ProgramCopy(of: source, to: to)
            guard source != copy.destination else {
                throw ControlError(
                    .failed, "\(path) is that file already", hint: "nexusctl doctor says whether it is right")
            }
            let trial = ProgramTrial(child: child, origin: path)
            let version = try trial.agentVersion(copy.temporary)
            let before = Self.before(copy.destination, child)
            try copy.commit()
            let after = try AgentChild(place)
            return Outcome(
                program: copy.destination, version: version.text, before: before,
                shadow: Self.shadow(copy.destination, after), accepted: Self.accepted(after))
        }

        /// A package's own file is for its package manager to replace.
        private static func refuseOwned(_ path: String) throws(ControlError) {
            let query = "/usr/bin/dpkg-query"
            guard path.hasPrefix("/"), access(query, X_OK) == 0 else { return }
            // On a merged /usr a file has two names, and a package knows one of them.
            let other = path.hasPrefix("/usr/") ? String(path.dropFirst(4)) : "/usr" + path
            for name in [path, other] {
                guard let said = Capture.run(query, ["-S", name]), said.status == 0 else { continue }
                let package = said.output.split(separator: ":").first.map(String.init) ?? "a package"
                throw ControlError(
                    .failed, "\(path) belongs to the package \(package), and stays as that has it",
                    hint: "upgrade it with apt, or take another place: --to /usr/local/bin/opencode")
            }
        }

        /// What lies there, in words; nil: nothing.
        private static func before(_ destination: String, _ child: AgentChild) -> String? {
            let kernel = LiveKernel()
            guard let status = try? kernel.status(destination, followingLinks: false) else { return nil }
            if status.kind == .symbolicLink {
                return "a link to \((try? kernel.readLink(destination)) ?? "somewhere")"
            }
            let version = try? ProgramTrial(child: child, origin: destination).version(destination)
            return version.map { "opencode \($0.text)" } ?? "something that says no version"
        }

        /// The program that Supervisor.toml's child comes to before this one.
        private static func shadow(_ destination: String, _ child: AgentChild) -> String? {
            child.executable == destination ? nil : child.executable.isEmpty ? "nothing" : child.executable
        }

        /// The version of the accepted copy that the child runs, which comes before whatever lies in its PATH.
        private static func accepted(_ child: AgentChild) -> String? {
            let shelf = ShelfPlace(AgentUpdate.program, child.locations)
            guard child.executable == shelf.program else { return nil }
            let book = shelf.read().book
            return UpdateOutcome.spoken(book.current, AgentUpdate.program, book)
        }

        private func tell(_ outcome: Outcome, _ child: AgentChild) {
            Output.tell(
                "\(Terminal.clean(outcome.program)): opencode \(Terminal.clean(outcome.version)), root's, executable by all; before:"
                    + " \(Terminal.clean(outcome.before ?? "nothing"))")
            if let accepted = outcome.accepted {
                Output.tell(
                    Terminal.clean(
                        "\(accepted) was accepted by `nexusctl update` and is what \(child.name) runs, whatever lies here. This has the new"
                            + " one tried, and taken when it serves: ") + Terminal.clean(outcome.update))
            } else if let shadow = outcome.shadow {
                Output.tell(
                    "The child \(Terminal.clean(child.name)) would still run \(Terminal.clean(shadow)): its PATH in"
                        + " \(Terminal.clean(child.config)) comes to that first, or not here. Take that away, or correct `command` or PATH;"
                        + " then: nexusctl reload")
            }
        }

        private func show(_ outcome: Outcome, _ takeover: AgentTakeover, _ isTaken: Bool) {
            let text = { (text: String?) in text.map { JSONValue.string($0) } ?? .null }
            let members: [JSONValue.Member] = [
                .init("program", .string(outcome.program)), .init("version", .string(outcome.version)),
                .init("before", text(outcome.before)), .init("runs_instead", text(outcome.shadow)),
                .init("taken", .bool(isTaken)),
                .init("next", .string(isTaken ? "none" : outcome.accepted == nil ? takeover.word : "update")),
            ]
            Output.write(JSONValue.object(members).line + "\n")
        }
    }
}

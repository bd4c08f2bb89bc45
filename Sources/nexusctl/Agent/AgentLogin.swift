import ArgumentParser
import ControlClient
import Glibc
import System
import Wire

extension AgentCommand {
    struct Login: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Runs opencode's own log-in in this terminal, as the agent's user and with its directories.",
            discussion: """
                It is `opencode auth login` with the user, groups, umask, directory and environment that the child opencode has, \
                without its secrets. It gets a terminal of its own: what it reads and shows goes through here, and nothing that \
                runs as the agent gets hold of yours. Words behind `--` are handed on: nexusctl agent login -- --help.

                Exit status 1 when the log-in fails, with its own status in words; 2 without a terminal.
                """)

        @Argument(help: "More words for `opencode auth login`, such as an address.")
        var words: [String] = []

        @Flag(help: "Has the running agent take it, as soon as it is idle.")
        var restart = false

        @Flag(help: "One JSON object on standard output, when it is over.")
        var json = false

        @OptionGroup var place: Place

        func run() throws {
            let child = try AgentChild(place)
            guard !child.isStandIn, !child.executable.isEmpty else {
                throw ControlError(
                    .failed,
                    "opencode is not installed: the child \(child.name) is the built-in echo-agent, which needs no log-in",
                    hint: "nexusctl agent install PATH")
            }
            guard let terminal = TerminalHandover() else {
                throw ControlError(
                    .usage, "a log-in needs a terminal, and standard input is none",
                    hint: "type it in a shell; over ssh: ssh -t HOST nexusctl agent login")
            }
            let status: Int32
            do throws(SpawnFailure) {
                status = try terminal.run(image(child))
            } catch {
                throw ControlError(
                    .failed, "\(child.executable) cannot be executed by \(child.userName): \(error.words)",
                    hint: "nexusctl doctor")
            }
            try conclude(child, status)
        }

        private func image(_ child: AgentChild) -> SpawnImage {
            var image = child.image(child.executable, ["opencode", "auth", "login"] + words)
            image.directory = child.directory
            image.environment = child.environment
                // nexusd makes it when the plan is first accepted.
                .filter { $0.name != "TMPDIR" || access($0.value, F_OK) == 0 }
                .map { "\($0.name)=\($0.value)" }
            for name in ["TERM", "COLORTERM"] where child.variable(name) == nil {
                if let value = getenv(name) { image.environment.append("\(name)=\(String(cString: value))") }
            }
            return image
        }

        private func conclude(_ child: AgentChild, _ status: Int32) throws {
            guard status == 0 else {
                let end = status < 0 ? "was ended by signal \(-status)" : "ended with status \(status)"
                if json { show(child, status, AgentTakeover.nothing, isTaken: false) }
                throw ControlError(
                    .failed, "`opencode auth login` \(end)", hint: "nothing else was changed; try it again")
            }
            // By now: somebody took his time.
            let takeover = AgentTakeover(try AgentChild(place))
            if restart { try takeover.perform(place, quietly: json) }
            if json { return show(child, status, takeover, isTaken: restart) }
            let kept =
                child.isLoggedIn
                ? "It is kept in \(child.login ?? "?")."
                : "Nothing is kept in \(child.login ?? "its data directory") yet: opencode may have been left before the end."
            Output.tell(Terminal.clean(kept + (restart ? "" : " " + takeover.words)))
        }

        private func show(_ child: AgentChild, _ status: Int32, _ takeover: AgentTakeover, isTaken: Bool) {
            let members: [JSONValue.Member] = [
                .init("user", .string(child.userName)), .init("status", .integer(Int64(status))),
                .init("logged_in", .bool(child.isLoggedIn)), .init("file", child.login.map { .string($0) } ?? .null),
                .init("taken", .bool(isTaken)), .init("next", .string(isTaken ? "none" : takeover.word)),
            ]
            Output.write(JSONValue.object(members).line + "\n")
        }
    }
}

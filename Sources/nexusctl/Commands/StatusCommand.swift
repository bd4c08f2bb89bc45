import ArgumentParser
import ControlClient

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows every child: state, since when, pid, restarts, and why.")

    @Argument(help: "Only this child, or the children of this group.")
    var name: String?

    @Flag(help: "nexusd's own answer, one JSON object.")
    var json = false

    @Flag(help: "Shows it anew whenever something happens; Ctrl-C ends.")
    var watch = false

    @OptionGroup var place: Place

    func validate() throws {
        if watch && json { throw ValidationError("--watch draws a table; for JSON follow `nexusctl events -f --json`") }
    }

    func run() throws {
        let connection = try place.connect()
        if watch {
            try WatchedStatus(connection: connection, name: name).run()
        } else if json {
            Output.write(try StatusQuestion.ask(connection, child: name) + [UInt8(ascii: "\n")])
        } else {
            Output.write(
                try Self.text(StatusQuestion.report(connection), from: connection, name: name, for: .standardOutput))
        }
    }

    /// The table, or the part of it that was asked for.
    static func text(
        _ report: StatusReport, from connection: ControlConnection, name: String?, for terminal: Terminal
    ) throws(ControlError) -> String {
        if let name, !report.children.contains(where: { $0.name == name || $0.group == name }) {
            let known = report.children.prefix(12).map(\.name).joined(separator: ", ")
            throw ControlError(.usage, "there is no child or group '\(name)'", hint: "there are: \(known)")
        }
        return StatusQuestion.table(of: report, from: connection, for: terminal, only: name.map { [$0] } ?? [])
    }
}

struct TreeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tree", abstract: "Shows the tree: groups, their strategies, their children.")

    @OptionGroup var place: Place

    func run() throws {
        Output.write(try StatusQuestion.report(place.connect()).tree(for: .standardOutput))
    }
}

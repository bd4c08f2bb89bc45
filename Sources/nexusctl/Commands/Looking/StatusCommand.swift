import ArgumentParser
import ControlClient
import Wire

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows every child: state, since when, pid, restarts, and why.")

    @Argument(help: "Only this child, or the children of this group.", completion: .names)
    var name: String?

    @Flag(help: "nexusd's own answer, one JSON object.")
    var json = false

    @Flag(help: "A live screen, drawn anew whenever something happens; q or Ctrl-C ends.")
    var watch = false

    @OptionGroup var place: Place

    func validate() throws {
        if watch && json { throw ValidationError("--watch draws a table; for JSON follow `nexusctl events -f --json`") }
    }

    func run() throws {
        if watch { return try WatchedStatus(place.locations(), name: name).run() }
        let connection = try place.connect()
        if json {
            Output.write(try answer(connection) + [UInt8(ascii: "\n")])
        } else {
            Output.write(
                try Self.text(StatusQuestion.report(connection), from: connection, name: name, for: .standardOutput))
        }
    }

    /// Of a group there is no answer of nexusd's own: the whole one with its children only.
    private func answer(_ connection: ControlConnection) throws(ControlError) -> [UInt8] {
        guard let name else { return try StatusQuestion.ask(connection) }
        let whole = try ControlConnection.json(StatusQuestion.ask(connection))
        let report = StatusReport(whole)
        let group: String
        switch try WrittenName(name).needed(in: report) {
        case .child(let child): return try StatusQuestion.ask(connection, child: child)
        case .group(let found): group = found.name
        }
        let kept = whole.members.map { member in
            guard member.name == "children" else { return member }
            return JSONValue.Member("children", .array(member.value.elements.filter { $0["group"]?.text == group }))
        }
        return Array(JSONValue.object(kept).line.utf8)
    }

    /// The table, or the part of it that was asked for.
    static func text(
        _ report: StatusReport, from connection: ControlConnection, name: String?, for terminal: Terminal
    ) throws(ControlError) -> String {
        var only: [String] = []
        if let name { only = [try WrittenName(name).needed(in: report).name] }
        return StatusQuestion.table(of: report, from: connection, for: terminal, only: only)
    }
}

struct TreeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tree", abstract: "Shows the tree: groups, their strategies, their children.")

    @Flag(help: "nexusd's own answer, one JSON object.")
    var json = false

    @OptionGroup var place: Place

    func run() throws {
        let connection = try place.connect()
        if json {
            let limit = ControlConnection.now() + StatusQuestion.limitMilliseconds
            let answer = try connection.answer(to: connection.request("tree"), until: limit)
            return Output.write(answer + [UInt8(ascii: "\n")])
        }
        Output.write(try StatusQuestion.report(connection).tree(for: .standardOutput))
    }
}

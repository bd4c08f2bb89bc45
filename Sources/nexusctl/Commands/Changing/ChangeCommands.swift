import ArgumentParser
import ControlClient
import SupervisorCore
import Wire

/// What start, stop, restart and reset have in common.
struct Change: ParsableArguments {
    @Argument(help: "Children or groups, or `all`.", completion: .names)
    var names: [String]

    @Flag(help: "Answers when the command is accepted, not when it has come to be.")
    var noWait = false

    @Flag(help: "What came of each, one JSON object.")
    var json = false

    @OptionGroup var place: Place

    // A command that takes longer than this says what it waits for.
    private static let patienceMilliseconds: Int64 = 2000

    /// Sends all of them at once and waits for each.
    func run(_ verb: String, done: String) throws(ControlError) {
        if let bad = names.first(where: { $0.isEmpty || $0.contains(" ") }) {
            throw ControlError(.usage, "'\(bad)' is no name of a child or a group")
        }
        let connection = try place.connect()
        // One name that is wrong, and nothing is done to the others.
        if names.count > 1 {
            let report = try StatusQuestion.report(connection)
            for name in names where name != "all" {
                _ = try WrittenName(name).needed(in: report)
            }
        }
        let ids = names.map { connection.request("\(verb) \($0)\(noWait ? " --no-wait" : "")") }
        var failure: ControlError?
        var results: [JSONValue] = []
        defer { if json { Output.write(JSONValue.object([.init("results", .array(results))]).line + "\n") } }
        for (name, id) in zip(names, ids) {
            do throws(ControlError) {
                let outcome = try wait(for: id, name: name, verb: verb, on: connection)
                results.append(.object([.init("name", .string(name)), .init("outcome", .string(outcome))]))
                if !json { Output.write("\(name): \(noWait ? "\(verb) accepted" : done)\n") }
            } catch {
                results.append(
                    .object([
                        .init("name", .string(name)), .init("outcome", .string("failed")),
                        .init("error", .string(error.message)),
                    ]))
                if error.code == .failed, connection.isClosed { throw error }
                if names.count > 1 { Output.complain("nexusctl: \(Terminal.clean(name)):") }
                if failure != nil || names.count > 1 { Output.complain(error) }
                failure = failure ?? error
            }
        }
        guard let failure else { return }
        throw names.count > 1 ? ControlError(failure.code, "not every \(verb) came to be") : failure
    }

    private func wait(
        for id: FrameID, name: String, verb: String, on connection: ControlConnection
    ) throws(ControlError) -> String {
        let patience = ControlConnection.now() + Self.patienceMilliseconds
        var answer = try connection.answerIfAny(to: id, until: patience)
        if answer == nil {
            Output.complain("\(verb) \(name): still under way; Ctrl-C ends the waiting, not the work")
            answer = try connection.answer(to: id)
        }
        return try ControlConnection.json(answer ?? [])["outcome"]?.text ?? "done"
    }
}

struct StartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Starts children, with what they require; forgets their failures.")
    @OptionGroup var change: Change

    func run() throws { try change.run("start", done: "ready") }
}

struct StopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stops children, and before them what requires them; they stay off.")
    @OptionGroup var change: Change

    func run() throws { try change.run("stop", done: "stopped") }
}

struct RestartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Stops and starts children; forgets their failures.")
    @OptionGroup var change: Change

    func run() throws { try change.run("restart", done: "ready again") }
}

struct ResetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Forgets failures, parking and what was chosen by command.")
    @OptionGroup var change: Change

    func run() throws { try change.run("reset", done: "reset") }
}

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

    /// What the commands have in common that bring something up.
    static let firstMoments = """
        Ends when they are ready. A child whose exec is all that shows that (ready = "spawned") is looked at for 200 ms \
        more: ends with 1 when it has ended again by then.
        """

    // A command that takes longer than this says what it waits for.
    private static let patienceMilliseconds: Int64 = 2000

    /// Sends all of them at once and waits for each. `comesUp`: it is to be there a moment later as well.
    func run(_ verb: String, done: String, comesUp: Bool = false) throws(ControlError) {
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
        let moments = comesUp && !noWait ? try FirstMoments(place, names, connection) : nil
        let ids = names.map { connection.request("\(verb) \($0)\(noWait ? " --no-wait" : "")") }
        var outcomes: [(name: String, outcome: String, failure: ControlError?)] = []
        for (name, id) in zip(names, ids) where outcomes.last?.failure == nil || !connection.isClosed {
            do throws(ControlError) {
                outcomes.append((name, try wait(for: id, name: name, verb: verb, on: connection), nil))
            } catch {
                outcomes.append((name, "failed", error))
            }
        }
        let ended = try moments?.failures(of: outcomes.filter { $0.outcome == "done" }.map(\.name)) ?? [:]
        for index in outcomes.indices {
            guard let failure = ended[outcomes[index].name], outcomes[index].failure == nil else { continue }
            (outcomes[index].outcome, outcomes[index].failure) = ("failed", failure)
        }
        try show(outcomes, verb, done: done)
    }

    private func show(
        _ outcomes: [(name: String, outcome: String, failure: ControlError?)], _ verb: String, done: String
    ) throws(ControlError) {
        if json {
            let results = outcomes.map { name, outcome, failure in
                let members: [JSONValue.Member] = [.init("name", .string(name)), .init("outcome", .string(outcome))]
                return JSONValue.object(members + (failure.map { [.init("error", .string($0.message))] } ?? []))
            }
            Output.write(JSONValue.object([.init("results", .array(results))]).line + "\n")
        }
        for (name, _, failure) in outcomes {
            if let failure, names.count > 1 {
                Output.complain("nexusctl: \(Terminal.clean(name)):")
                Output.complain(failure)
            } else if failure == nil, !json {
                Output.write("\(name): \(noWait ? "\(verb) accepted" : done)\n")
            }
        }
        guard let first = outcomes.lazy.compactMap(\.failure).first else { return }
        throw names.count > 1 ? ControlError(first.code, "not every \(verb) came to be") : first
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
        commandName: "start", abstract: "Starts children, with what they require; forgets their failures.",
        discussion: Change.firstMoments)
    @OptionGroup var change: Change

    func run() throws { try change.run("start", done: "ready", comesUp: true) }
}

struct StopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stops children, and before them what requires them; they stay off.")
    @OptionGroup var change: Change

    func run() throws { try change.run("stop", done: "stopped") }
}

struct RestartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Stops and starts children; forgets their failures.",
        discussion: Change.firstMoments)
    @OptionGroup var change: Change

    func run() throws { try change.run("restart", done: "ready again", comesUp: true) }
}

struct ResetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Forgets failures, parking and what was chosen by command.")
    @OptionGroup var change: Change

    func run() throws { try change.run("reset", done: "reset") }
}

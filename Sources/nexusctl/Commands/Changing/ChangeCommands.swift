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

    @OptionGroup var limit: Limit

    @Flag(help: "What came of each, one JSON object.")
    var json = false

    @OptionGroup var place: Place

    /// What the commands have in common that bring something up.
    static let firstMoments = """
        Ends when they are ready. A child whose exec is all that shows that (ready = "spawned") is looked at for 200 ms \
        more: ends with 1 when it has ended again by then. While it waits it says, on standard error, of each run that ends \
        why it did and when the next try comes.
        """

    private typealias Outcome = (name: String, outcome: String, failure: ControlError?)

    /// What is known of the end of a run that was asked for, beyond that: that it had to be killed.
    private struct AskedEnd {
        let child: String
        let exit: String
        let detail: String

        var json: JSONValue {
            .object([.init("child", .string(child)), .init("exit", .string(exit)), .init("detail", .string(detail))])
        }
    }

    func validate() throws {
        if noWait, limit.timeout != nil {
            throw ValidationError("--no-wait waits for nothing that --timeout could end")
        }
    }

    /// Sends all of them at once and waits for each. `comesUp`: it is to be there a moment later as well; `goesDown`: how that
    /// went is told.
    func run(
        _ verb: String, done: String, comesUp: Bool = false, goesDown: Bool = false
    ) throws(ControlError) {
        if let bad = names.first(where: { $0.isEmpty || $0.contains(" ") }) {
            throw ControlError(.usage, "'\(bad)' is no name of a child or a group")
        }
        let connection = try place.connect()
        let patience = try Patience(noWait ? nil : EventStream(place.connect()), limit)
        let report = try noWait && names.count == 1 ? nil : StatusQuestion.report(connection)
        let meant = try children(in: report)
        if !noWait { patience.children = try Needs(connection).closure(of: meant.values.flatMap { $0 }) }
        let moments = comesUp && !noWait ? report.map { FirstMoments(meant, $0, patience, connection) } : nil
        var outcomes = outcomes(verb, done, patience, connection)
        let ended = try moments?.failures(of: outcomes.filter { $0.outcome == "done" }.map(\.name)) ?? [:]
        for index in outcomes.indices {
            guard let failure = ended[outcomes[index].name], outcomes[index].failure == nil else { continue }
            (outcomes[index].outcome, outcomes[index].failure) = ("failed", failure)
        }
        let after = goesDown && !noWait ? try? StatusQuestion.report(connection) : nil
        let ends = report.flatMap { before in after.map { askedEnds(of: meant, from: before, to: $0) } }
        // What is left of those that were stopped, or may be: it is not ended with them, for nothing tells that it is theirs.
        let down = outcomes.filter { $0.failure == nil }.flatMap { meant[$0.name] ?? [] }
        let left = after.map { down.isEmpty ? [] : $0.strayWords(of: down, age: ProcessAge.of) } ?? []
        let strays = after.map { down.isEmpty ? [] : $0.strays(of: down, age: ProcessAge.of) } ?? []
        if !json { for words in left { Output.complain("nexusctl: not ended: " + words) } }
        try show(outcomes, ends ?? [:], strays, verb, done: done)
    }

    /// By the name by which they were meant.
    private func askedEnds(
        of meant: [String: [String]], from before: StatusReport, to after: StatusReport
    ) -> [String: [AskedEnd]] {
        let old = Set(before.children.compactMap(\.lastEnd?.run))
        var ends: [String: AskedEnd] = [:]
        for child in after.children {
            guard let end = child.lastEnd, let detail = end.detail, end.cause == "asked", !old.contains(end.run) else {
                continue
            }
            ends[child.name] = AskedEnd(child: child.name, exit: end.exit, detail: detail)
        }
        return meant.mapValues { $0.compactMap { ends[$0] } }
    }

    /// Whom each name means. Of one name alone nexusd says what is wrong with it.
    private func children(in report: StatusReport?) throws(ControlError) -> [String: [String]] {
        guard let report else { return [:] }
        var meant: [String: [String]] = [:]
        for name in names {
            // One name that is wrong, and nothing is done to the others.
            if names.count > 1, name != "all" { _ = try WrittenName(name).needed(in: report) }
            let all = name == "all" ? report.children.map(\.name) : nil
            meant[name] = all ?? WrittenName(name).meant(in: report)?.children ?? []
        }
        return meant
    }

    private func outcomes(
        _ verb: String, _ done: String, _ patience: Patience, _ connection: ControlConnection
    ) -> [Outcome] {
        let ids = names.map { connection.request("\(verb) \($0)\(noWait ? " --no-wait" : "")") }
        var outcomes: [Outcome] = []
        for (name, id) in zip(names, ids) where outcomes.last?.failure == nil || !connection.isClosed {
            patience.begin("\(verb) \(name): still under way; Ctrl-C ends the waiting, not the work")
            do throws(ControlError) {
                if let answer = try patience.answer(to: id, on: connection) {
                    let outcome = try ControlConnection.json(answer)["outcome"]?.text
                    outcomes.append((name, outcome ?? "done", nil))
                } else {
                    outcomes.append((name, "timeout", try late(name, verb, done, connection)))
                }
            } catch {
                outcomes.append((name, "failed", withOthers(error, of: name, verb, connection)))
            }
        }
        return outcomes
    }

    /// nexusd names the first that did not come up; a group may have more.
    private func withOthers(
        _ error: ControlError, of name: String, _ verb: String, _ connection: ControlConnection
    ) -> ControlError {
        guard error.code == .failed, verb != "stop", !connection.isClosed,
            let others = try? Readiness(connection, names: [name]).others(than: error.message)
        else { return error }
        return ControlError(error.code, error.message, hint: others + (error.hint.map { "\n" + $0 } ?? ""))
    }

    /// The time is over: how far it is.
    private func late(
        _ name: String, _ verb: String, _ done: String, _ connection: ControlConnection
    ) throws(ControlError) -> ControlError {
        let sentence = "\(name) is not \(done) within \(limit.timeout ?? "the time")"
        return try Readiness(connection, names: [name], verb == "stop" ? .down : .up)
            .late(sentence, "nexusd goes on with it; see: nexusctl why \(name)")
    }

    private func show(
        _ outcomes: [Outcome], _ ends: [String: [AskedEnd]], _ strays: [StatusReport.Stray], _ verb: String,
        done: String
    ) throws(ControlError) {
        if json {
            let results = outcomes.map { name, outcome, failure in
                var members: [JSONValue.Member] = [.init("name", .string(name)), .init("outcome", .string(outcome))]
                if let ends = ends[name], !ends.isEmpty { members.append(.init("ends", .array(ends.map(\.json)))) }
                return JSONValue.object(members + (failure.map { [.init("error", .string($0.message))] } ?? []))
            }
            let left = strays.isEmpty ? [] : [JSONValue.Member("strays", .array(strays.map(\.json)))]
            Output.write(JSONValue.object([.init("results", .array(results))] + left).line + "\n")
        }
        for (name, _, failure) in outcomes {
            if let failure, names.count > 1 {
                // nexusd's words mostly begin with the name.
                if !failure.message.hasPrefix(WrittenName(name).name) {
                    Output.complain("nexusctl: \(Terminal.clean(name)):")
                }
                Output.complain(failure)
            } else if failure == nil, !json {
                let how = (ends[name] ?? []).map { end in
                    "; "
                        + Terminal.clean(
                            WrittenName(name).name == end.child ? end.detail : "\(end.child): \(end.detail)")
                }
                Output.write("\(name): \(noWait ? "\(verb) accepted" : done)\(how.joined())\n")
            }
        }
        guard let first = outcomes.lazy.compactMap(\.failure).first else { return }
        throw names.count > 1 ? ControlError(first.code, "not every \(verb) came to be") : first
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

    func run() throws { try change.run("stop", done: "stopped", goesDown: true) }
}

struct RestartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Stops and starts children; forgets their failures.",
        discussion: Change.firstMoments)
    @OptionGroup var change: Change

    func run() throws { try change.run("restart", done: "ready again", comesUp: true, goesDown: true) }
}

struct ResetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Forgets failures, parking and what was chosen by command.")
    @OptionGroup var change: Change

    func run() throws { try change.run("reset", done: "reset") }
}

import ArgumentParser
import ControlClient
import Wire

struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Shows what a reload of Supervisor.toml would do; changes nothing.",
        discussion: """
            + added, - removed, ! stopped and started again, ~ changed while it runs. Exit status 2 and \
            file:line:column on standard error when the file is refused.
            """)

    @Flag(help: "nexusd's own answer, one JSON object.")
    var json = false

    @OptionGroup var place: Place

    func run() throws {
        do {
            try Difference.show(place.connect(), json: json)
        } catch {
            if json { Difference.writeRefusal(error) }
            throw error
        }
    }
}

struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Reads Supervisor.toml anew, shows the difference, and puts it in force, whole or not at all.",
        discussion: """
            What did not change keeps its process. Ends when everything that was touched is up, or gone; what shows \
            nothing but that it was started has to be there a second later. Ends with 1 as soon as a \
            child could not come up or stay (the new file is in force; it names that one, and says where the others are by then) or \
            when the machine refuses what the file asks for (nothing is changed; it says which), with 2 when the file is refused \
            (nothing is changed).
            """)

    @Flag(help: "Shows the difference and changes nothing, as `diff`.")
    var dryRun = false

    @OptionGroup var limit: Limit

    @Flag(help: "One JSON object: the difference, as `diff` has it, and `outcome`.")
    var json = false

    @OptionGroup var place: Place

    func run() throws {
        var difference = JSONValue.null
        do throws(ControlError) {
            try reload(place.connect(), &difference)
        } catch {
            if json { Difference.writeRefusal(error, after: difference) }
            throw error
        }
    }

    /// The same for another command.
    static func reload(_ place: Place) throws {
        var command = ReloadCommand()
        (command.dryRun, command.json, command.place, command.limit) = (false, false, place, .none)
        var difference = JSONValue.null
        try command.reload(place.connect(), &difference)
    }

    /// `difference` is what it does, as soon as nexusd has said it; until then nothing was changed.
    private func reload(_ connection: ControlConnection, _ difference: inout JSONValue) throws(ControlError) {
        if dryRun { return try Difference.show(connection, json: json) }
        let patience = try Patience(EventStream(place.connect()), limit)
        patience.begin("reload: still under way; Ctrl-C ends the waiting, not the work")
        let id = connection.request("reload")
        var line: [UInt8] = []
        while try patience.untilReadable(connection) {
            guard let frame = try connection.next(until: 0), frame.header.id == id else { continue }
            switch frame.header.kind {
            case .stream, .reply:
                line += frame.payload
                guard let end = line.firstIndex(of: UInt8(ascii: "\n")), difference == .null else { continue }
                difference = try ControlConnection.json(Array(line[..<end]))
                line.removeSubrange(...end)
                patience.children = Set(Self.touched(difference))
                if !json { Output.write(DiffText(difference).text(for: .standardOutput)) }
            case .end: return try conclude(ControlConnection.json(line), difference)
            case .error:
                let failure = ControlConnection.failure(frame.payload)
                guard difference != .null else {
                    throw ControlError(failure.code, failure.message, hint: failure.hint ?? "nothing was changed")
                }
                let others = try? Readiness(connection, amongMeant: Set(Self.touched(difference)))
                    .others(than: failure.message)
                throw ControlError(
                    failure.code, failure.message,
                    hint: (others.map { $0 + "\n" } ?? "") + "the new file is in force; see: nexusctl status")
            case .hello, .welcome, .request, .event, .cancel, .credit, .ping, .pong, .drain, .drained, .ready, .status,
                .health:
                continue
            }
        }
        throw try late(connection, difference)
    }

    /// Who has to come up, or to go, before it is answered.
    private static func touched(_ difference: JSONValue) -> [String] {
        let changed = (difference["children"]?.elements ?? []).compactMap { $0["name"]?.text }
        return changed + ["dependents", "tried_again"].flatMap { difference[$0]?.elements ?? [] }.compactMap(\.text)
    }

    /// The time is over: how far it is.
    private func late(_ connection: ControlConnection, _ difference: JSONValue) throws(ControlError) -> ControlError {
        let time = limit.timeout ?? "the time"
        guard difference != .null else {
            return ControlError(
                .timeout, "the file was not read within \(time)",
                hint: "nexusd goes on with it; see: nexusctl diff, nexusctl status")
        }
        return try Readiness(connection, amongMeant: Set(Self.touched(difference)))
            .late(
                "the new file is in force; not all is ready within \(time)",
                "nexusd goes on with it; see: nexusctl status")
    }

    private func conclude(_ answer: JSONValue, _ difference: JSONValue) {
        if json { return Output.write(JSONValue.object(difference.members + answer.members).line + "\n") }
        Output.write(answer["outcome"]?.text == "unchanged" ? "nothing to do\n" : "reloaded\n")
    }
}

/// What `diff` and a dry reload have in common.
private enum Difference {
    /// nexus-config has 10 s for the file, and others may be before us.
    private static let limitMilliseconds: Int64 = 120_000

    /// What was refused, for programs: the same words as on standard error.
    /// Behind the difference, where that is in force all the same.
    static func writeRefusal(_ error: ControlError, after difference: JSONValue = .null) {
        let lines = error.message.split(separator: "\n").map { JSONValue.string(String($0)) }
        let words: JSONValue.Member =
            error.code == .configuration ? .init("diagnostics", .array(lines)) : .init("error", .string(error.message))
        let members =
            difference.members + [.init("outcome", .string(error.code == .timeout ? "timeout" : "failed")), words]
        Output.write(JSONValue.object(members).line + "\n")
    }

    static func show(_ connection: ControlConnection, json: Bool) throws(ControlError) {
        let answer = try connection.answer(
            to: connection.request("diff"), until: ControlConnection.now() + limitMilliseconds)
        if json { return Output.write(answer + [UInt8(ascii: "\n")]) }
        Output.write(DiffText(try ControlConnection.json(answer)).text(for: .standardOutput))
    }
}

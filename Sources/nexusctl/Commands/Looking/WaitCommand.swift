import ArgumentParser
import ControlClient
import Glibc
import Wire

struct WaitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Waits until children are ready or done (without names: all that are enabled).",
        discussion: """
            Also waits for nexusd itself, so it can be called right after it was started. Ends with 1 when a child is \
            given up (parked), with 5 after the timeout; both name what is not ready and why.
            """)

    @Argument(help: "Children and groups; none: every enabled child.", completion: .names)
    var names: [String] = []

    @Flag(help: "Until they are ready: what it waits for anyhow.")
    var ready = false

    @Option(
        help:
            "At most this long: 500ms, 30s, 5min, or a bare number of seconds. Without it: for ever, 10 s of it for nexusd to appear."
    )
    var timeout: String?

    @Flag(help: "`{\"ready\":true}`, or what is missing, one JSON object.")
    var json = false

    @OptionGroup var place: Place

    private static let appearanceMilliseconds: Int64 = 10_000

    func validate() throws {
        if let timeout { _ = try Limit.milliseconds(timeout) }
    }

    func run() throws {
        let milliseconds = try timeout.map(Limit.milliseconds)
        let began = ControlConnection.now()
        let deadline = milliseconds.map { began + $0 }
        let connection = try connect(until: began + (milliseconds ?? Self.appearanceMilliseconds))
        let id = connection.request((["wait-ready"] + names).joined(separator: " "))
        do throws(ControlError) {
            if try connection.answerIfAny(to: id, until: deadline) != nil {
                if json { Output.write(Readiness.none.json) }
                return
            }
        } catch {
            guard error.code == .failed, !connection.isClosed else { throw error }
            let missing = try Readiness(connection, names: names)
            if json { Output.write(missing.json) }
            throw missing.failure(error.message)
        }
        let late = try Readiness(connection, names: names)
        if json { Output.write(late.json) }
        // The time was too short for the answer, not for the children.
        if late.missing.isEmpty { return }
        throw ControlError(.timeout, "not ready within \(timeout ?? "the time")", hint: late.hint)
    }

    // nexusd may have been started a moment ago: no socket yet, or not yet a listening one.
    private func connect(until deadline: Int64) throws(ControlError) -> ControlConnection {
        while true {
            let watch = SocketWatch(try place.locations())
            do throws(ControlError) {
                return try place.connect(waitsForNext: false)
            } catch {
                guard error.code == .notRunning, ControlConnection.now() < deadline else { throw error }
                watch.wait(until: deadline)
            }
        }
    }
}

struct IsReadyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "is-ready",
        abstract: "Ends with 0 if children are ready or done (without names: all that are enabled), else with 1.")

    @Argument(help: "Children and groups; none: every enabled child.", completion: .names)
    var names: [String] = []

    @Flag(help: "`{\"ready\":true}`, or what is missing, one JSON object.")
    var json = false

    @OptionGroup var place: Place

    func run() throws {
        let readiness = try Readiness(place.connect(), names: names)
        if json { Output.write(readiness.json) }
        guard readiness.missing.isEmpty else { throw ControlError(.failed, "not ready", hint: readiness.hint) }
    }
}

/// Which of some children are not ready, and why; judged from the status.
struct Readiness {
    /// In plan order.
    let missing: [ChildStatus]
    private let aim: Aim

    /// Where children are to come to.
    enum Aim: String {
        /// One that is scheduled rests until its time is up.
        case up = "ready"
        case down = "down"

        fileprivate var states: [String] {
            switch self {
            case .up: ["ready", "done", "scheduled"]
            case .down: ["off"]
            }
        }
    }

    /// Nothing is missing.
    static let none = Readiness(missing: [])

    private init(missing: [ChildStatus], _ aim: Aim = .up) {
        self.missing = missing
        self.aim = aim
    }

    /// For `--json`, with its newline.
    var json: String {
        let waiting = missing.map { child in
            JSONValue.object([
                .init("name", .string(child.name)), .init("state", .string(child.state)),
                .init("words", .string(child.words)),
            ])
        }
        return JSONValue.object([.init("ready", .bool(missing.isEmpty)), .init("waiting", .array(waiting))]).line + "\n"
    }

    /// Asks. A name that is no child and no group is an error.
    init(_ connection: ControlConnection, names: [String], _ aim: Aim = .up) throws(ControlError) {
        self.aim = aim
        let report = try StatusQuestion.report(connection)
        var asked: Set<String> = []
        for name in names { asked.formUnion(try Self.children(name, report)) }
        missing = report.children.filter { child in
            let isAsked = names.isEmpty ? Self.isMeant(child) : asked.contains(child.name)
            return isAsked && !aim.states.contains(child.state)
        }
    }

    /// Those of these children that are meant to run.
    init(_ connection: ControlConnection, amongMeant names: Set<String>) throws(ControlError) {
        aim = .up
        missing = try StatusQuestion.report(connection).children.filter {
            names.contains($0.name) && Self.isMeant($0) && !Aim.up.states.contains($0.state)
        }
    }

    /// Whom `wait-ready` means too: an owner's choice counts before the file.
    private static func isMeant(_ child: ChildStatus) -> Bool {
        (child.isEnabled || child.choice == "on") && child.state != "off"
    }

    /// A child, or those of a group that are meant to run; of one in which nobody is, all.
    private static func children(_ word: String, _ report: StatusReport) throws(ControlError) -> [String] {
        if word == "all" { return report.children.filter(isMeant).map(\.name) }
        switch try WrittenName(word).needed(in: report) {
        case .child(let name): return [name]
        case .group(let group):
            let meant = report.children.filter { group.children.contains($0.name) && isMeant($0) }.map(\.name)
            return meant.isEmpty ? group.children : meant
        }
    }

    /// Those that are named one by one.
    private static let shownChildren = 12

    /// `cloudflared is parked (config: exit 1; …)`, a line for each.
    var hint: String {
        if missing.isEmpty { return "by now everything asked for is \(aim.rawValue)" }
        let lines = missing.prefix(Self.shownChildren).map(Self.line)
        let left = missing.count - lines.count
        return (lines + (left > 0 ? ["and \(left) more: nexusctl status"] : [])).joined(separator: "\n")
    }

    /// When the time is over: the only one that is missing in the sentence itself.
    func late(_ sentence: String, _ advice: String) -> ControlError {
        guard missing.count == 1 else { return ControlError(.timeout, sentence, hint: hint + "\n" + advice) }
        return ControlError(.timeout, "\(sentence): \(hint)", hint: advice)
    }

    /// Where the others are when nexusd has answered `cloudflared: it was given up …`, which names the first; nil: they are there.
    func others(than answer: String) -> String? {
        let others = Readiness(missing: missing.filter { !answer.hasPrefix("\($0.name): ") }, aim)
        return others.missing.isEmpty ? nil : others.hint
    }

    /// For `answer`, nexusd's `cloudflared is parked (config)`: that child once, in the words of the status, and then the others.
    func failure(_ answer: String) -> ControlError {
        guard let named = missing.first(where: { answer.hasPrefix("\($0.name) is ") }) else {
            return ControlError(.failed, answer, hint: hint)
        }
        // It may be on its way again by now; then it is still for what nexusd said.
        let isSo = answer.hasPrefix("\(named.name) is \(named.state)")
        let others = Readiness(missing: missing.filter { $0.name != named.name }, aim)
        return ControlError(
            .failed, isSo ? Self.line(named) : answer, hint: others.missing.isEmpty ? nil : others.hint)
    }

    private static func line(_ child: ChildStatus) -> String {
        "\(child.name) is \(child.state)" + (child.words.isEmpty ? "" : " (\(child.words))")
    }
}

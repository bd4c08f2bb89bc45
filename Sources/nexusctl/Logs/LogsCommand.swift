import ArgumentParser
import ControlClient
import Glibc
import LogStore
import SupervisorCore

struct LogsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Shows what children and nexusd itself (`nexusd`) said, merged by time.",
        discussion: """
            Reads the files in the state directory, also of children that are in Supervisor.toml no more; nexusd and \
            log-writer need not run (but groups are known only while nexusd runs). Times are shown in UTC. A TIME is 10min \
            (ago), 10:30, 2026-11-25, "2026-11-25 10:00", today, yesterday, now, @1795406706 or RFC 3339; without a zone it \
            is the machine's local time.
            """)

    @Argument(help: "Children and groups; none: all of them, and nexusd.", completion: .names)
    var names: [String] = []

    @Flag(name: [.short, .long], help: "Goes on with what comes, until Ctrl-C; also of children that begin later.")
    var follow = false

    @Option(
        name: [.customShort("n"), .long], parsing: .unconditional,
        help: "Only so many of the last lines. Default: 100; 10 with -f; all with --since.")
    var lines: Int?

    @Option(help: ArgumentHelp("Not older than this.", valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Not younger than this.", valueName: "time"))
    var until: String?

    @Option(
        help: ArgumentHelp(
            "At least this urgent: emerg, alert, crit, err, warning, notice, info, debug.", valueName: "level"),
        completion: .list(LogLevel.allCases.map(\.name)))
    var level: String?

    @Option(name: [.short, .long], help: ArgumentHelp("Only lines that contain this text.", valueName: "text"))
    var grep: String?

    @Flag(help: "The text is an extended regular expression, as for grep -E.")
    var regex = false

    @Flag(name: [.short, .long], help: "The text matches whatever the case of its letters (ASCII).")
    var ignoreCase = false

    @Option(
        name: .customLong("run"),
        help: ArgumentHelp("Only this run (`nexusctl status --json`, `why`).", valueName: "run"))
    var ofRun: String?

    @Option(
        help: ArgumentHelp("Only stdout, stderr, nexusd or log-writer (its remarks).", valueName: "stream"),
        completion: .list(LogSource.all.map(\.word)))
    var stream: String?

    @Flag(help: "One JSON object a line (docs/logs.md).")
    var json = false

    @Flag(help: "Asks journald instead of the files, by executing journalctl with the same choices.")
    var journal = false

    @OptionGroup var place: Place

    private static let usualLines = 100
    private static let usualFollowedLines = 10

    func validate() throws { _ = try choices() }

    func run() throws {
        let place = try place.locations()
        var query = try choices()
        query.last = lines ?? (since != nil ? nil : follow ? Self.usualFollowedLines : Self.usualLines)
        let own = follow ? OwnRun() : nil
        if journal {
            // What is asked of another run is not what this one says.
            let own = query.run.map { $0 == own?.run } ?? true ? own : nil
            return try JournalQuery(query, grep: grep, regex, ignoreCase, json, follow)
                .execute(names, place, without: own)
        }
        var printer = LogPrinter(json: json, terminal: .standardOutput)
        let names = names.isEmpty ? nil : try LogNames(place).resolve(names)
        if let own, names?.contains(own.child) ?? true {
            query.without = own.run
            Output.complain("nexusctl: " + own.words)
        }
        try printer.run(place, names: names, query, follow: follow, silence: silence(names))
    }

    private func silence(_ names: [String]?) -> String {
        let who = names.map { $0.joined(separator: ", ") } ?? "anybody"
        let isChoosy = [since, until, level, grep, ofRun, stream].contains { $0 != nil }
        let words =
            isChoosy
            ? "no line of \(who) is like that"
            : names == nil ? "nobody has said anything yet" : "\(who): not a word yet"
        return "nexusctl: " + Terminal.clean(words + (follow ? "; waiting" : ""))
    }

    /// What the options choose; each refusal says what would be right.
    private func choices() throws -> LogQuery {
        if let lines, lines < 0 { throw ValidationError("-n takes a count of lines, at least 0, found \(lines)") }
        if regex || ignoreCase, grep == nil { throw ValidationError("--regex and --ignore-case belong to --grep TEXT") }
        if follow, until != nil { throw ValidationError("-f has no end: leave --until out") }
        var query = LogQuery(since: try instant(since, "--since"), until: try instant(until, "--until"))
        if let since = query.since, let until = query.until, until < since {
            throw ValidationError("--until is before --since")
        }
        if let level {
            guard let known = Self.level(level) else {
                throw ValidationError(
                    "there is no level '\(level)'; known: \(LogLevel.allCases.map(\.name).joined(separator: ", "))")
            }
            query.level = known
        }
        if let ofRun {
            guard let known = RunID(ofRun) else {
                throw ValidationError("'\(ofRun)' is no run; one looks like 6743f2a1-17")
            }
            query.run = known
        }
        if let stream {
            guard let known = LogSource.all.first(where: { $0.word == stream }) else {
                let words = LogSource.all.map(\.word).joined(separator: ", ")
                throw ValidationError("there is no stream '\(stream)'; known: \(words)")
            }
            query.source = known
        }
        query.pattern = try pattern()
        return query
    }

    private func pattern() throws -> LogPattern? {
        guard let grep else { return nil }
        guard regex else { return LogPattern(text: grep, caseless: ignoreCase) }
        do throws(LogPattern.Refusal) { return try LogPattern(expression: grep, caseless: ignoreCase) } catch {
            throw ValidationError("'\(grep)' is no regular expression: \(error.reason)")
        }
    }

    private static func level(_ word: String) -> LogLevel? {
        switch word {
        case "error": .error
        case "warn": .warning
        case "critical": .critical
        case "emergency": .emergency
        case _: LogLevel.allCases.first { $0.name == word }
        }
    }

    private func instant(_ text: String?, _ option: String) throws -> WallStamp? {
        guard let text else { return nil }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let clock = WallTime(nanosecondsSince1970: Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec))
        guard let time = WallTime(spoken: text, now: clock) else {
            throw ValidationError(
                "\(option): '\(text)' is no time; write 10min, 10:30, today, 2026-11-25 or \"2026-11-25 10:00\"")
        }
        return WallStamp(microseconds: time.seconds * 1_000_000 + time.nanoseconds / 1000)
    }
}

extension LogSource {
    /// In the order of the help.
    static var all: [LogSource] { [.child(.stdout), .child(.stderr), .supervisor, .logWriter] }

    /// As in `--json` and for `--stream`.
    var word: String {
        switch self {
        case .child(.stdout): "stdout"
        case .child(.stderr): "stderr"
        case .supervisor: "nexusd"
        case .logWriter: "log-writer"
        }
    }
}

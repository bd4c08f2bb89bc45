import ArgumentParser
import ControlClient
import Glibc
import LogStore

struct LogsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Shows what children and nexusd itself (`nexusd`) said, merged by time.",
        discussion: "Reads the files in the state directory; nexusd and log-writer need not run.")

    @Argument(help: "Children; none: all of them, and nexusd.")
    var names: [String] = []

    @Flag(name: [.short, .long], help: "Goes on with what comes, until Ctrl-C.")
    var follow = false

    @Option(
        name: [.customShort("n"), .long],
        help: "Only so many of the last lines. Default: 100; 10 with -f; all with --since.")
    var lines: Int?

    @Option(help: "Not older than this: 10min, 2h, or a time like 2026-11-23T04:20:53Z.")
    var since: String?

    @Option(help: "At least this urgent: emerg, alert, crit, err, warning, notice, info, debug.")
    var level: String?

    @Flag(help: "One JSON object a line.")
    var json = false

    @OptionGroup var place: Place

    private static let usualLines = 100
    private static let usualFollowedLines = 10

    func validate() throws {
        if let lines, lines < 0 { throw ValidationError("-n is at least 0") }
        if let level, Self.level(level) == nil { throw ValidationError("there is no level '\(level)'") }
        if let since, Self.instant(since) == nil {
            throw ValidationError("'\(since)' is no time; write 10min, 2h, or 2026-11-23T04:20:53Z")
        }
    }

    func run() throws {
        var query = LogQuery(since: since.flatMap(Self.instant), level: level.flatMap(Self.level))
        query.last = lines ?? (since != nil ? nil : follow ? Self.usualFollowedLines : Self.usualLines)
        let printer = LogPrinter(json: json, terminal: .standardOutput)
        try printer.run(place.locations(), names: names.isEmpty ? nil : names, query, follow: follow)
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

    private static func instant(_ text: String) -> WallStamp? {
        if let time = WallTime(rfc3339: text) {
            return WallStamp(microseconds: time.seconds * 1_000_000 + time.nanoseconds / 1000)
        }
        guard let ago = Duration(spoken: text) else { return nil }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let microseconds = ago.components.seconds * 1_000_000 + ago.components.attoseconds / 1_000_000_000_000
        return WallStamp(microseconds: Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000 - microseconds)
    }
}

/// Prints entries of the log files.
struct LogPrinter {
    let json: Bool
    let terminal: Terminal
    private static let writeBytes = 65_536

    func run(_ place: Locations, names: [String]?, _ query: LogQuery, follow: Bool) throws(ControlError) {
        let reader = LogReader(directory: place.logs)
        let session: LogSession
        do {
            let known = try reader.children()
            if let wrong = names?.first(where: { !known.contains($0) }), !follow {
                throw ControlError(
                    .usage, "there are no logs of '\(wrong)' in \(place.logs)",
                    hint: "there are logs of: \(known.joined(separator: ", "))")
            }
            session = try reader.open(names, query)
        } catch let error as ControlError {
            throw error
        } catch {
            throw ControlError(
                .failed, "cannot read the logs in \(place.logs): \(error)",
                hint: "say where the state directory is: --state DIR")
        }
        repeat {
            show(session)
            if follow { usleep(UInt32(LogSession.followPause.components.attoseconds / 1_000_000_000_000)) }
        } while follow
        Output.write(session.unfinished().flatMap(line))
    }

    private func show(_ session: LogSession) {
        var text: [UInt8] = []
        session.read { entry in
            text += line(entry)
            if text.count >= Self.writeBytes {
                Output.write(text)
                text.removeAll(keepingCapacity: true)
            }
            return true
        }
        Output.write(text)
    }

    private func line(_ entry: LogEntry) -> [UInt8] {
        if json { return Array((object(entry).line + "\n").utf8) }
        // Milliseconds: a reader's eye, not a clock, compares these lines.
        let time = entry.stamp.description.prefix(23) + "Z"
        return Array("\(terminal.styled(String(time), .dim)) \(entry.child): \(coloured(entry))\n".utf8)
    }

    private func coloured(_ entry: LogEntry) -> String {
        switch entry.level {
        case .emergency, .alert, .critical, .error: terminal.styled(entry.text, .red)
        case .warning: terminal.styled(entry.text, .yellow)
        case .notice, .info: entry.text
        case .debug: terminal.styled(entry.text, .dim)
        }
    }

    private func object(_ entry: LogEntry) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("time", .string(entry.stamp.description)), .init("child", .string(entry.child)),
            .init("run", entry.run.map { .string($0.description) } ?? .null),
            .init("source", .string(entry.source.word)), .init("level", .string(entry.level.name)),
            .init("message", .string(entry.message)),
        ]
        if let fields = entry.fields, let facts = try? JSONParser.parse(Array(fields.utf8)) {
            members.append(.init("fields", facts))
        }
        return .object(members)
    }
}

extension LogSource {
    /// As in `--json`.
    fileprivate var word: String {
        switch self {
        case .child(.stdout): "stdout"
        case .child(.stderr): "stderr"
        case .supervisor: "nexusd"
        case .logWriter: "log-writer"
        }
    }
}

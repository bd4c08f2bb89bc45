import ControlClient
import LogStore
import System
import Wire

/// One event of nexusd in the form of docs/control-protocol.md, wherever it was found.
struct Event {
    let json: JSONValue

    init(_ json: JSONValue) { self.json = json }

    /// Nil: none that this version knows.
    var kind: EventKind? { json["message_id"]?.text.flatMap(EventKind.init(rawValue:)) }

    /// Whose it is.
    var child: String? { json["child"]?.text }

    /// What happened, without the full stop.
    var sentence: String {
        let words = Terminal.clean(json["message"]?.text ?? json.line)
        return words.hasSuffix(".") ? String(words.dropLast()) : words
    }

    /// One of the facts beside the sentence.
    func fact(_ name: String) -> String? { json["fields"]?[name]?.text }

    /// An entry of the log of nexusd, of which the facts hold what nexusd sends beside them.
    private init(_ entry: LogEntry) {
        let facts = entry.fields.flatMap { try? JSONParser.parse(Array($0.utf8)) }
        func fact(_ name: String) -> JSONValue { facts?[name] ?? .null }
        json = .object([
            .init("time_ms", .integer(entry.stamp.microseconds / 1000)),
            .init("priority", .integer(Int64(entry.level.rawValue))), .init("message_id", fact("MESSAGE_ID")),
            .init("message", .string(entry.message)), .init("child", fact("CHILD")),
            .init("run", entry.run.map { .string($0.description) } ?? .null),
            .init("fields", .object((facts?.members ?? []).filter { !["MESSAGE_ID", "CHILD"].contains($0.name) })),
        ])
    }

    /// The last ones in the logs, the oldest first.
    static func last(_ count: Int, in place: Locations) throws(ControlError) -> [Event] {
        let session: LogSession
        do throws(Errno) {
            let reader = LogReader(directory: place.logs)
            // Asked for the refusal alone: logs that may not be read are not logs without an event.
            _ = try reader.children()
            session = try reader.open(["nexusd"], LogQuery(last: count))
        } catch {
            throw LogPrinter.unreadable(place, error)
        }
        var events: [Event] = []
        session.read { entry in
            events.append(Event(entry))
            return true
        }
        if events.isEmpty, count > 0, let (path, error) = session.unreadable.first {
            throw LogPrinter.unreadable(file: path, error)
        }
        LogPrinter.complain(session)
        return events
    }

    /// The same event, found in the logs and sent by nexusd: log-writer's clock is a moment behind.
    func isSame(as other: Event) -> Bool {
        guard let time = json["time_ms"]?.number, let otherTime = other.json["time_ms"]?.number,
            abs(time.subtractingReportingOverflow(otherTime).partialValue) < Self.lagMilliseconds
        else { return false }
        return ["message", "run", "message_id"].allSatisfy { json[$0] == other.json[$0] }
    }

    private static let lagMilliseconds: Int64 = 5000

    /// For people: one line, with its newline.
    func text(for terminal: Terminal) -> String {
        if let missed = json["missed"]?.number {
            return "(\(missed) events were missed: this terminal was too slow)\n"
        }
        let time = json["time_ms"]?.number.map {
            terminal.styled(WallTime(nanosecondsSince1970: $0 &* 1_000_000).rfc3339, .dim)
        }
        let words = Terminal.clean(json["message"]?.text ?? json.line)
        return [time, coloured(words, terminal)].compactMap { $0 }.joined(separator: "  ") + "\n"
    }

    private func coloured(_ words: String, _ terminal: Terminal) -> String {
        switch json["priority"]?.number {
        case .some(...3): terminal.styled(words, .red)
        case 4: terminal.styled(words, .yellow)
        case _: words
        }
    }
}

import ControlClient
import LogStore
import SupervisorCore
import System
import Wire

/// Prints entries of the log files.
struct LogPrinter {
    let json: Bool
    let terminal: Terminal
    /// Whose line stands on the terminal without an end.
    private var open: Speaker?

    private struct Speaker: Equatable {
        let child: String
        let run: RunID?
        let source: LogSource

        init(_ entry: LogEntry) { (child, run, source) = (entry.child, entry.run, entry.source) }
    }

    init(json: Bool, terminal: Terminal) {
        self.json = json
        self.terminal = terminal
    }

    private static let writeBytes = 65_536

    /// `names` nil: everybody. `silence` is said when there is nothing to show, so that nobody takes an answer for a failure.
    mutating func run(
        _ place: Locations, names: [String]?, _ query: LogQuery, follow: Bool, silence: String
    ) throws(ControlError) {
        if follow { Output.endWithReader() }
        let session: LogSession
        do throws(Errno) { session = try LogReader(directory: place.logs).open(names, query) } catch {
            throw Self.unreadable(place, error)
        }
        let shown = show(session)
        Self.complain(session)
        if shown == 0, query.last != 0, session.unreadable.isEmpty { Output.complain(silence) }
        while follow, !Output.isRefused {
            do throws(Errno) { try session.wait() } catch { throw Self.unreadable(place, error) }
            _ = show(session)
        }
        if open != nil { Output.write("\n") }
    }

    /// The logs cannot be read at all.
    static func unreadable(_ place: Locations, _ error: Errno) -> ControlError {
        let hint =
            error == .noAccess
            ? groupHint(place.logs)
            : "say where the state directory is: --state DIR"
        return ControlError(.failed, "cannot read the logs in \(place.logs): \(error)", hint: hint)
    }

    /// What is missing in what was shown.
    static func complain(_ session: LogSession) {
        for (path, error) in session.unreadable { complain(path, error) }
    }

    /// What is missing because this file could not be read.
    static func complain(_ path: String, _ error: Errno) {
        Output.complain(Terminal.clean("missing here: \(path), which cannot be read: \(words(error))"))
    }

    private static func words(_ error: Errno) -> String {
        switch error {
        case .notExecutable: "zstd is not installed: apt install zstd"
        case .invalid: "it is no regular file"
        case .badMessage: "it is damaged"
        case _: "\(error)"
        }
    }

    /// Nothing can be said without this file.
    static func unreadable(file path: String, _ error: Errno) -> ControlError {
        ControlError(
            .failed, "cannot read \(path): \(words(error))",
            hint: error == .noAccess
                ? groupHint(path)
                : "move it away; log-writer writes a new one when it is started again: nexusctl restart log-writer")
    }

    /// log-writer's group has what it wrote; a directory above may be closed, and then nobody says whose it is.
    private static func groupHint(_ path: String) -> String {
        guard let status = try? LiveKernel().status(path, followingLinks: true), status.group != 0,
            let group = Accounts.groupName(of: status.group)
        else { return "they are for log-writer's group: become a member of it, or root" }
        return "they are for the group \(group): adduser NAME \(group), and log in anew; or ask as root"
    }

    /// How many there were.
    private mutating func show(_ session: LogSession) -> Int {
        var text: [UInt8] = []
        var count = 0
        session.read(showingUnfinished: true) { entry in
            count += 1
            text += line(entry)
            if text.count >= Self.writeBytes {
                Output.write(text)
                text.removeAll(keepingCapacity: true)
            }
            return true
        }
        Output.write(text)
        return count
    }

    /// A line without an end stands on the terminal as it does for its writer, and goes on there unless somebody else
    /// spoke in between.
    private mutating func line(_ entry: LogEntry) -> [UInt8] {
        if json { return Array((object(entry).line + "\n").utf8) }
        // Milliseconds: a reader's eye, not a clock, compares these lines.
        let time = terminal.styled(entry.stamp.description.prefix(23) + "Z", .dim)
        let speaker = Speaker(entry)
        let goesOn = entry.isContinuation && open == speaker
        var text = goesOn ? "" : (open == nil ? "" : "\n") + "\(time) \(entry.child): "
        if entry.isContinuation, !goesOn { text += "…" }
        text += coloured(entry) + (entry.isCut ? "…" : "")
        open = entry.isPartial && !entry.isCut ? speaker : nil
        return Array((text + (open == nil ? "\n" : "")).utf8)
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
        if entry.isPartial { members.append(.init("partial", .bool(true))) }
        if entry.isContinuation { members.append(.init("continues", .bool(true))) }
        return .object(members)
    }
}

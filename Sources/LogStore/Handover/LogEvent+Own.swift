import SupervisorCore
import System
import Wire

/// Events of nexusd as entries, and those that log-writer itself has to tell.
extension LogEvent {
    /// nexusd had to discard output of a child while no log-writer was there to read it (its `outputDropped`, with the
    /// bytes): the child's own file is to say so too. Where log-writer itself dropped lines the file knows already.
    var isLossOfChild: Bool {
        messageID == EventKind.outputDropped.messageID && fields.contains { $0.name == "BYTES" }
    }

    /// The entry in the file of nexusd's events: the words, a TAB, and the facts as one JSON object.
    func entry(at stamp: WallStamp) -> [UInt8] {
        let words = message.replacing("\t", with: " ")
        return EntryFormat.entry(
            stamp, run ?? EntryFormat.noRun, .supervisor, LogLevel(rawValue: min(priority, 7)) ?? .info,
            text: words + "\t" + facts)
    }

    /// The words and the facts of the end of a run, as the book keeps them.
    var bookText: String { message.replacing("\t", with: " ") + "\t" + facts }

    private var facts: String {
        var facts = JSONWriter()
        facts.object { json in
            if !messageID.isEmpty { json.field("MESSAGE_ID", messageID) }
            if let child { json.field("CHILD", child) }
            for field in fields { json.field(field.name, field.value) }
        }
        return String(decoding: facts.bytes, as: UTF8.self)
    }

    /// The end record of a run whose end nobody saw; nexusd's own MESSAGE_ID for the end of a run.
    static func supervisorDied(_ run: RunID, child: String) -> LogEvent {
        LogEvent(
            priority: 4, messageID: EventKind.ended.messageID,
            message: "\(child) ended while nexusd was not there to see it (\(RunBook.supervisorDied)).", child: child,
            run: run, fields: [Field(name: "CAUSE", value: "unknown")])
    }

    /// log-writer's own end when nexusd has it drain: nobody could write it down later. A nexusd that lives says it anew,
    /// with all it knows.
    static func drained(_ run: RunID, child: String) -> LogEvent {
        LogEvent(
            priority: 6, messageID: EventKind.ended.messageID,
            message: "\(child) ended when it had written everything (asked).", child: child, run: run,
            fields: [Field(name: "CAUSE", value: "asked"), Field(name: "EXIT", value: "drained")])
    }

    /// Something was found wrong with the book of runs at the start; nil: nothing.
    static func ofBook(_ book: RunBook) -> LogEvent? {
        guard book.isReplaced || book.damagedLines > 0 || book.trouble != nil else { return nil }
        let words =
            if book.isReplaced, let error = book.trouble {
                "the book of runs \(book.path) cannot be used (\(error)): what is there, and is no file, is replaced by a new one"
            } else {
                book.note ?? "the book of runs \(book.path) was damaged"
            }
        return trouble("T" + words.dropFirst() + ".")
    }

    /// A stream that cannot be read.
    static func unusable(_ stream: LogStream) -> LogEvent {
        trouble(
            "Output of \(stream.child) cannot be captured: no pipe came with it, or its name is no file name.",
            stream.run)
    }

    /// A pipe that fails.
    static func unreadable(_ target: LogTarget, _ error: Errno) -> LogEvent {
        trouble("Output of \(target.child) is not captured any more: \(error).", target.run)
    }

    /// A packet on the log link that is no order.
    static func unreadableOrder(_ why: String) -> LogEvent {
        trouble("The log link brought something unreadable: \(why).")
    }

    /// What is said about a child's suppressed lines, for the journal.
    static func suppression(of child: String, _ text: String) -> LogEvent {
        LogEvent(priority: 4, messageID: EventKind.suppression.messageID, message: text, child: child)
    }

    /// journald is away.
    static func journalAway(_ error: Errno) -> LogEvent {
        LogEvent(
            priority: 4, messageID: EventKind.journalAway.messageID,
            message: "journald takes nothing (\(error)): what is said goes into the files only, until it is back.",
            fields: [Field(name: "ERRNO", value: String(error.rawValue))])
    }

    /// journald is back.
    static func journalBack(missing: Int) -> LogEvent {
        LogEvent(
            priority: missing > 0 ? 4 : 5, messageID: EventKind.journalBack.messageID,
            message: "journald takes lines again; \(missing) are missing there; the files have them.",
            fields: [Field(name: "LINES", value: String(missing))])
    }

    /// Old files were removed because all logs together were too much.
    static func removed(_ files: [String: Int], before: Int64, total: Int64) -> LogEvent {
        let whose = files.sorted { $0.key < $1.key }.map { "\($0.value) of \($0.key)" }.joined(separator: ", ")
        return LogEvent(
            priority: 5, messageID: EventKind.logsRemoved.messageID,
            message:
                "All logs together had \(before) bytes, more than log.total = \(total): removed the oldest files: \(whose)."
        )
    }

    /// Rotated files stay as they are.
    static func notCompressed(_ error: Errno, isLast: Bool) -> LogEvent {
        trouble(
            "A rotated log could not be compressed: \(error)."
                + (isLast ? " That was the third time: rotated files stay as they are from now on." : ""))
    }

    private static func trouble(_ message: String, _ run: RunID? = nil) -> LogEvent {
        LogEvent(priority: 3, messageID: EventKind.logTrouble.messageID, message: message, run: run)
    }
}

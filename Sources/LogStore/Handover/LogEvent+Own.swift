import SupervisorCore
import System
import Wire

/// Events of nexusd as entries, and those that log-writer itself has to tell. Their MESSAGE_IDs are never changed and never
/// used for something else.
extension LogEvent {
    /// The entry in the file of nexusd's events: the words, a TAB, and the facts as one JSON object.
    func entry(at stamp: WallStamp) -> [UInt8] {
        var facts = JSONWriter()
        facts.object { json in
            if !messageID.isEmpty { json.field("MESSAGE_ID", messageID) }
            if let child { json.field("CHILD", child) }
            for field in fields { json.field(field.name, field.value) }
        }
        let words = message.replacing("\t", with: " ")
        return EntryFormat.entry(
            stamp, run ?? EntryFormat.noRun, .supervisor, LogLevel(rawValue: min(priority, 7)) ?? .info,
            text: words + "\t" + String(decoding: facts.bytes, as: UTF8.self))
    }

    /// The end record of a run whose end nobody saw; nexusd's own MESSAGE_ID for the end of a run.
    static func supervisorDied(_ run: RunID, child: String) -> LogEvent {
        LogEvent(
            priority: 4, messageID: "1c657580dcbb4e52bd2e5ff3959019e0",
            message: "\(child) ended while nexusd was not there to see it (\(RunBook.supervisorDied)).", child: child,
            run: run, fields: [Field(name: "CAUSE", value: "unknown")])
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

    private static func trouble(_ message: String, _ run: RunID? = nil) -> LogEvent {
        LogEvent(priority: 3, messageID: "9cf1e9b6ad6e4d0d8a3c3f0a64f3cf4e", message: message, run: run)
    }
}

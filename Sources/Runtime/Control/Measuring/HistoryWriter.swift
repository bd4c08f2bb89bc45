import SupervisorCore
import System
import Wire

/// The end records of a child as `history` says them.
enum HistoryWriter {
    /// `remark`: what is known of the last end beyond its exit; log-writer's book has that of those before.
    static func json(_ name: String, _ history: EndHistory?, _ remark: EndRemark?) -> [UInt8] {
        var json = JSONWriter(capacity: 256)
        json.object { json in
            json.field("name", name)
            json.array("ends") { json in
                for entry in history?.entries ?? [] { write(entry, remark, into: &json) }
            }
        }
        return json.bytes
    }

    private static func write(_ entry: EndHistory.Entry, _ remark: EndRemark?, into json: inout JSONWriter) {
        json.object { json in
            json.field("run", entry.run.description)
            json.field("cause", entry.cause.rawValue)
            json.field("exit", entry.exit?.words ?? "still there")
            json.field("detail", remark.flatMap { $0.run == entry.run ? $0.words : nil })
            json.field("code", entry.exit?.code)
            json.field("signal", entry.exit?.signal)
            json.field("ended_ms", entry.endedMilliseconds)
            json.field("ran_ms", entry.ranMilliseconds)
            json.field("ready_ms", entry.readyMilliseconds)
            json.field("cpu_ms", entry.cpuMilliseconds)
            json.field("peak_bytes", entry.peakBytes)
        }
    }
}

extension Engine {
    /// Keeps an end record; gives the fields that the log gets beside those of the record itself.
    func keep(_ end: EndRecord, _ usage: RunUsage) -> [LogEvent.Field] {
        let cell = self[end.child]
        cell.ends = cell.ends ?? EndHistory()
        cell.ends?.add(end, usage, wall: kernel.wallClock() / 1_000_000)
        guard let ready = cell.ends?.entries.last?.readyMilliseconds else { return [] }
        return [LogEvent.Field(name: "READY_MS", value: String(ready))]
    }
}

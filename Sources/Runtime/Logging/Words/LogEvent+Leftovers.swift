import Wire

extension Leftovers.Outcome {
    /// What is said of it; nothing when there was nothing.
    var events: [LogEvent] {
        guard count > 0 else { return [] }
        let names = named.map { "\($0.name) (pid \($0.process))" }.joined(separator: ", ")
        let more = count > named.count ? " and \(count - named.count) more" : ""
        let pids = LogEvent.Field(name: "PIDS", value: named.map { "\($0.process)" }.joined(separator: " "))
        var events = [
            LogEvent(
                .leftover, 4,
                "An earlier nexusd was killed and had left \(count == 1 ? "a process behind; it was" : "\(count) processes behind; they were") ended before anything was started: \(names)\(more).",
                nil, nil, [pids])
        ]
        if let note {
            events.append(
                LogEvent(.leftover, 2, note.prefix(1).uppercased() + note.dropFirst() + ".", nil, nil, [pids]))
        }
        return events
    }

    /// For `status`: those that nobody could end.
    var note: String? {
        guard !remaining.isEmpty else { return nil }
        let pids = remaining.prefix(Leftovers.nameLimit).map { "\($0.process)" }.joined(separator: ", ")
        return "\(remaining.count) processes of an earlier nexusd outlived SIGKILL and are still there: pid \(pids)"
    }
}

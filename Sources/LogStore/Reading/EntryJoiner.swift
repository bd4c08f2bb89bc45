import SupervisorCore

/// Puts the parts of long lines together again: `partial` entries are held until the entry that ends their line comes.
struct EntryJoiner {
    /// Longest line that is put together; what is longer is handed out in pieces of this many bytes.
    static let lineLimit = 16 * 1024 * 1024

    private struct Key: Hashable {
        var run: RunID?
        var source: LogSource
    }

    private var open: [Key: LogEntry] = [:]

    /// Takes an entry; gives back a line when it is whole.
    mutating func take(_ entry: LogEntry) -> LogEntry? {
        // Nearly every line is whole: it costs no look-up.
        if open.isEmpty && !entry.isPartial { return entry }
        let key = Key(run: entry.run, source: entry.source)
        var line = entry
        if var earlier = open.removeValue(forKey: key) {
            earlier.bytes += entry.bytes
            earlier.isPartial = entry.isPartial
            line = earlier
        }
        guard line.isPartial, line.bytes.count < EntryJoiner.lineLimit else { return line }
        open[key] = line
        return nil
    }

    /// What is left at the end: lines whose end was never written, by age.
    mutating func finish() -> [LogEntry] {
        defer { open = [:] }
        return open.values.sorted { $0.stamp < $1.stamp }
    }
}

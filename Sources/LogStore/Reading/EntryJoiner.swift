import SupervisorCore

/// Puts the parts of long lines together again: `partial` entries are held until the entry that ends their line comes, or
/// until somebody wants to see what there is of it.
struct EntryJoiner {
    /// Bytes of a line that are put together; a longer one is handed out in pieces.
    static let lineLimit = 256 * 1024

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
            if earlier.bytes.isEmpty { earlier.stamp = entry.stamp }
            earlier.bytes += entry.bytes
            earlier.isPartial = entry.isPartial
            line = earlier
        }
        guard line.isPartial else { return line }
        open[key] = line
        guard line.bytes.count >= EntryJoiner.lineLimit else { return nil }
        line.isCut = true
        handOut(line)
        return line
    }

    /// What there is of lines whose end has not come, by age, as far as it is wanted; their rest is handed out as it comes.
    mutating func showUnfinished(_ wants: (LogEntry) -> Bool) -> [LogEntry] {
        let shown = open.values.filter { !$0.bytes.isEmpty && ($0.isContinuation || wants($0)) }
        for line in shown { handOut(line) }
        return shown.sorted { $0.stamp < $1.stamp }
    }

    /// A piece was not wanted: what comes of its line stands for itself.
    mutating func skip(_ piece: LogEntry) { open[Key(run: piece.run, source: piece.source)]?.isContinuation = false }

    private mutating func handOut(_ piece: LogEntry) {
        var rest = piece
        rest.bytes = []
        rest.isContinuation = true
        rest.isCut = false
        open[Key(run: piece.run, source: piece.source)] = rest
    }

    /// What is left at the end: lines whose end was never written, by age.
    mutating func finish() -> [LogEntry] {
        defer { open = [:] }
        return open.values.filter { !$0.bytes.isEmpty }.sorted { $0.stamp < $1.stamp }
    }
}

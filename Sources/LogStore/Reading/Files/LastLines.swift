import SupervisorCore
import System

/// The last lines of one run for an end record, read from the end of its child's files.
struct LastLines {
    /// Lines of one answer.
    static let lineLimit = 100
    /// Bytes of text of one answer: it has to fit into a frame.
    static let byteLimit = 16 * 1024
    /// Bytes that are searched: a run that said nothing must not have the whole log read.
    static let searchLimit = 1024 * 1024

    private let kernel: any Kernel
    private let directory: String
    private let child: String

    init(_ kernel: any Kernel, directory: String, child: String) {
        self.kernel = kernel
        self.directory = directory
        self.child = child
    }

    /// At most `limit` lines, oldest first. What cannot be read is left out: an end record must not fail for it.
    func of(_ run: RunID, atMost limit: Int) -> [String] {
        var entries: [LogEntry] = []
        var ends = 0
        var searched = 0
        let limit = min(limit, LastLines.lineLimit)
        // What is compressed already is too long ago to be the last that somebody said.
        let files = LogFiles(kernel, directory: directory).plain + [LogFileName.current]
        for file in files.reversed().map({ directory + "/" + $0 }) {
            guard ends <= limit, searched < LastLines.searchLimit,
                let fd = try? kernel.openRegular(file, [.readOnly, .nonBlocking], mode: 0),
                var lines = try? BackwardLines(kernel, fd)
            else { continue }
            while ends <= limit, searched < LastLines.searchLimit, let line = try? lines.next() {
                searched += line.count + 1
                guard let entry = line.withUnsafeBytes({ LogEntry(line: $0, child: child) }), entry.run == run,
                    case .child = entry.source
                else { continue }
                ends += entry.isPartial ? 0 : 1
                entries.append(entry)
            }
        }
        return joined(entries.reversed(), atMost: limit)
    }

    private func joined(_ entries: [LogEntry], atMost limit: Int) -> [String] {
        var joiner = EntryJoiner()
        var whole = entries.compactMap { joiner.take($0) }
        whole += joiner.finish()
        var room = LastLines.byteLimit
        var lines: [String] = []
        for entry in whole.suffix(limit).reversed() {
            var text = entry.text
            // The last line is worth more than the ones before it, and its beginning more than its end.
            if text.utf8.count > room { text = String(decoding: text.utf8.prefix(room), as: UTF8.self) }
            room -= text.utf8.count
            lines.append(text)
            if room <= 0 { break }
        }
        return lines.reversed()
    }
}

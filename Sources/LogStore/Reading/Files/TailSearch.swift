import System

/// Where to begin reading a child's files so that neither more nor less than is wanted is read: by the names of the rotated
/// files for `since`, from the end backwards for `last`.
struct TailSearch {
    private let kernel: any Kernel
    private let directory: String
    private let child: String

    init(_ kernel: any Kernel, directory: String, child: String) {
        self.kernel = kernel
        self.directory = directory
        self.child = child
    }

    /// A place in a child's files.
    enum Place: Hashable, Sendable {
        case beginning
        /// This file, from this offset.
        case file(String, Int64)
    }

    /// `rotated` are the files before `current`, oldest first. That one is open already: whatever is rotated meanwhile, a place
    /// in it is a place in that very file.
    func start(of query: LogQuery, in rotated: [String], and current: ChildCursor.OpenFile?) -> Place {
        let names = rotated + [LogFileName.current]
        return query.last.map { place(before: $0, query, names, current) } ?? place(since: query.since, names)
    }

    /// A file is rotated after its last entry: one that was rotated before the instant has nothing for us.
    private func place(since: WallStamp?, _ names: [String]) -> Place {
        guard let since, let name = names.first(where: { LogFileName.stamp(of: $0).map { $0 >= since } ?? true }) else {
            return .beginning
        }
        return .file(name, 0)
    }

    /// Lines before the wanted ones that are looked through for the beginning of a long line whose end is wanted.
    static let lookBack = 256

    /// A little before the last `count` wanted entries; the session counts them once more when they are joined.
    private func place(
        before count: Int, _ query: LogQuery, _ names: [String], _ current: ChildCursor.OpenFile?
    ) -> Place {
        var found = 0
        var before = 0
        // A line without an end counts as often as it is cut.
        var unfinished = 0
        var place = Place.beginning
        for name in names.reversed() {
            var lines: BackwardLines
            do throws(Errno) {
                lines = try BackwardLines(kernel, open(name, current))
            } catch {
                // Some of the wanted ones may be in it: whoever reads from here finds that out, and says so.
                if error != .noEntry { place = .file(name, 0) }
                continue
            }
            while let line = try? lines.next() {
                guard let entry = line.withUnsafeBytes({ LogEntry(line: $0, child: child) }) else { continue }
                if let since = query.since, entry.stamp < since { return place }
                if found >= count { before += 1 }
                if before > TailSearch.lookBack { return place }
                unfinished = entry.isPartial ? unfinished + entry.bytes.count : 0
                if !entry.isPartial && query.wants(entry) { found += 1 }
                if unfinished >= EntryJoiner.lineLimit {
                    found += 1
                    unfinished = 0
                }
                place = .file(name, lines.offset)
            }
            if lines.isEndless { return .file(name, lines.offset) }
        }
        return place
    }

    private func open(_ name: String, _ current: ChildCursor.OpenFile?) throws(Errno) -> OwnedFD {
        guard name == LogFileName.current else { return try StoredFile(kernel).open(directory + "/" + name) }
        guard let current else { throw .noEntry }
        return try kernel.duplicate(current.fd)
    }
}

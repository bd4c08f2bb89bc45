public import SupervisorCore
public import System

/// How one run ended, by the book of runs.
public struct BookEnd: Hashable, Sendable {
    /// Run.
    public var run: RunID
    /// Name of the child.
    public var child: String
    /// When it was begun; nil when the book has forgotten.
    public var started: WallStamp?
    /// When its end was written down.
    public var ended: WallStamp
    /// A sentence.
    public var words: String
    /// The facts as one JSON object, as nexusd said them (`CAUSE`, `RAN_MS`, …); nil for an end that nobody saw.
    public var facts: String?
}

/// What the book of runs holds.
public struct BookContent: Hashable, Sendable {
    /// Every end, the oldest first.
    public var ends: [BookEnd] = []
    /// Lines that no log-writer wrote, nor the beginning of one: what stood there is missing.
    public var damagedLines = 0
}

/// Reads the book of runs beside a log-writer that may be writing it.
public struct BookReader {
    private let kernel: any Kernel
    private let directory: String
    /// The book is written anew at 1 MiB; a line more is no harm.
    private static let sizeLimit = 4 * 1024 * 1024

    /// `directory` is the `logs` directory below the state directory.
    public init(directory: String, kernel: any Kernel = LiveKernel()) {
        self.kernel = kernel
        self.directory = directory
    }

    /// Where it is.
    public var path: String { directory + "/" + LogFileName.book }

    /// All of it. ENOENT: there is no book; EINVAL: what is in its place is no regular file; EBADMSG: not one line of it is a
    /// line of a book.
    public func read() throws(Errno) -> BookContent {
        let content = try kernel.readFile(path, limit: Self.sizeLimit)
        var begun: [RunID: WallStamp] = [:]
        var ends: [BookEnd] = []
        var damagedLines = 0
        let lines = content.split(separator: 0x0A).compactMap { written in
            let line = BookLine(written)
            if line == nil, !BookLine.isPiece(written) { damagedLines += 1 }
            return line
        }
        guard !lines.isEmpty || content.isEmpty else { throw .badMessage }
        for line in lines {
            switch line.event {
            // One with words was not heard: nobody knows when that was.
            case .starting: if line.text.isEmpty { begun[line.run] = line.stamp }
            case .ended: ends.append(BookEnd(line, started: begun.removeValue(forKey: line.run)))
            }
        }
        return BookContent(ends: ends, damagedLines: damagedLines)
    }
}

extension BookEnd {
    fileprivate init(_ line: BookLine, started: WallStamp?) {
        // JSON writes a TAB as \\t: the last one is ours.
        let tab = line.text.lastIndex(of: "\t")
        self.init(
            run: line.run, child: line.child, started: started, ended: line.stamp,
            words: String(tab.map { line.text[..<$0] } ?? line.text[...]),
            facts: tab.map { String(line.text[line.text.index(after: $0)...]) })
    }
}

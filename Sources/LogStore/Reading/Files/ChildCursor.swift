import System

/// Reads one child's entries forward, file after file, and goes on when more was written or the file was rotated.
final class ChildCursor {
    /// Bytes of one read.
    static let chunkBytes = 64 * 1024

    private let kernel: any Kernel
    private let directory: String
    private let child: String
    private var joiner = EntryJoiner()
    private var next: LogEntry?
    /// What there is of lines without an end, to be handed out before what comes.
    private var unended: [LogEntry] = []

    /// The file that is read now.
    private var file: OpenFile?
    /// Files that come before `current`, oldest first.
    private var earlier: [String] = []
    /// The youngest rotated file that was known when `current` was opened: what is younger came from it or after it.
    private var youngestKnown = ""
    /// Files that are there and could not be read.
    private(set) var unreadable: [(path: String, error: Errno)] = []

    /// One that is being read; it stays the same whatever its name becomes.
    final class OpenFile {
        let fd: OwnedFD
        let inode: UInt64
        let isCurrent: Bool
        var offset: Int64
        var buffer: [UInt8] = []
        /// Where the next line begins in the buffer.
        var start = 0
        /// What is read now goes on for too long to be a line (`BackwardLines.lineLimit`), and is passed over.
        var isEndless = false

        init(fd: consuming OwnedFD, inode: UInt64, isCurrent: Bool, offset: Int64) {
            self.fd = fd
            self.inode = inode
            self.isCurrent = isCurrent
            self.offset = offset
        }
    }

    /// From where what this query wants may begin; nil: from the beginning.
    init(_ kernel: any Kernel, directory: String, child: String, for query: LogQuery? = nil) {
        self.kernel = kernel
        self.directory = directory
        self.child = child
        earlier = freshlyRotated()
        guard let query else { return }
        let current = open(LogFileName.current, from: 0)
        // Looked for after the opening, as below; what is this very file under its new name, or younger, comes after it.
        let known = youngestKnown
        let fresh = freshlyRotated()
        earlier += current.map { current in fresh.prefix { !isSame($0, current) } } ?? fresh[...]
        youngestKnown = earlier.last ?? known
        switch TailSearch(kernel, directory: directory, child: child).start(of: query, in: earlier, and: current) {
        case .beginning: break
        case .file(LogFileName.current, let offset):
            current?.offset = offset
            file = current
            earlier = []
        case .file(let name, let offset):
            earlier.removeAll { $0 <= name }
            file = open(name, from: offset)
        }
    }

    /// The next wanted entry, which `take` takes; nil when there is none now. With `showingUnfinished`, when nothing else is there,
    /// what there is of lines without an end.
    func head(_ query: LogQuery, showingUnfinished: Bool = false) -> LogEntry? {
        takeUnended()
        while next == nil, let line = nextLine() {
            guard let entry = line.withUnsafeBytes({ LogEntry(line: $0, child: child) }),
                let whole = joiner.take(entry)
            else { continue }
            if whole.isContinuation || query.wants(whole) { next = whole } else { joiner.skip(whole) }
        }
        if next == nil, showingUnfinished {
            unended = joiner.showUnfinished(query.wants)
            takeUnended()
        }
        return next
    }

    private func takeUnended() {
        if next == nil, !unended.isEmpty { next = unended.removeFirst() }
    }

    func take() -> LogEntry? {
        defer { next = nil }
        return next
    }

    /// What there is of lines whose end has not come; the rest of them is handed out as it comes.
    func showUnfinished(_ query: LogQuery) -> [LogEntry] { joiner.showUnfinished(query.wants) }

    /// Lines whose end has not come.
    func unfinished() -> [LogEntry] { joiner.finish() }

    private func nextLine() -> ArraySlice<UInt8>? {
        while true {
            guard let file else {
                guard advance() else { return nil }
                continue
            }
            if let newline = file.buffer[file.start...].firstIndex(of: 0x0A) {
                defer { file.start = newline + 1 }
                guard !file.isEndless else {
                    file.isEndless = false
                    continue
                }
                return file.buffer[file.start..<newline]
            }
            if fill(file) { continue }
            // At the end of a file that will not grow. `current` may have been renamed since: then what it holds beyond what
            // was read was written before that, and one more read brings it.
            if file.isCurrent {
                guard isRotated(file) else { return nil }
                if fill(file) { continue }
                // The first that was rotated since is this very file, under its new name: or compressed already, which gave
                // it another inode.
                let fresh = freshlyRotated()
                earlier = fresh.first.map { isSame($0, file) } ?? false ? Array(fresh.dropFirst()) : fresh
            }
            self.file = nil
            guard advance() else { return nil }
        }
    }

    /// Opens the next file that is there; false when there is none.
    private func advance() -> Bool {
        while !earlier.isEmpty {
            file = open(earlier.removeFirst(), from: 0)
            if file != nil { return true }
        }
        let current = open(LogFileName.current, from: 0)
        // Looked for after the opening: what was rotated before it stands between what was read and this file.
        earlier = freshlyRotated()
        if !earlier.isEmpty { return advance() }
        file = current
        return current != nil
    }

    /// Files that were rotated since the last time it was asked, oldest first.
    private func freshlyRotated() -> [String] {
        let known = youngestKnown
        let fresh = LogFiles(kernel, directory: directory).rotated.filter { $0 > known }
        youngestKnown = fresh.last ?? known
        return fresh
    }

    private func open(_ name: String, from offset: Int64) -> OpenFile? {
        let path = directory + "/" + name
        do throws(Errno) {
            let fd = try StoredFile(kernel).open(path)
            let inode = try kernel.status(fd).inode
            return OpenFile(fd: fd, inode: inode, isCurrent: name == LogFileName.current, offset: offset)
        } catch {
            if error != .noEntry, !unreadable.contains(where: { $0.path == path }) {
                unreadable.append((path, error))
            }
            return nil
        }
    }

    private func fill(_ file: OpenFile) -> Bool {
        guard let bytes = try? kernel.bytes(of: file.fd, at: file.offset, count: ChildCursor.chunkBytes), !bytes.isEmpty
        else {
            // A torn line at the end is being written, or will be cut off: it is read again from its start.
            file.offset -= Int64(file.buffer.count - file.start)
            file.buffer = []
            file.start = 0
            return false
        }
        file.buffer = Array(file.buffer[file.start...]) + bytes
        file.start = 0
        file.offset += Int64(bytes.count)
        if file.buffer.count >= BackwardLines.lineLimit {
            file.isEndless = true
            file.buffer = []
        }
        return true
    }

    private func isRotated(_ file: OpenFile) -> Bool { inode(LogFileName.current) != file.inode }

    /// Whether a rotated file is the one that was `current` when we opened it: the same inode or, compressed, the same
    /// beginning, whose stamp and run no other file has.
    private func isSame(_ name: String, _ file: OpenFile) -> Bool {
        if let inode = inode(name) { return inode == file.inode }
        guard let other = try? StoredFile(kernel).open(directory + "/" + name),
            let head = try? kernel.bytes(of: other, at: 0, count: ChildCursor.headBytes)
        else { return false }
        return head == (try? kernel.bytes(of: file.fd, at: 0, count: ChildCursor.headBytes))
    }

    private static let headBytes = 256

    private func inode(_ name: String) -> UInt64? {
        (try? kernel.status(directory + "/" + name, followingLinks: false))?.inode
    }
}

import Foundation
import GRDB

// What is lost with a write-ahead log. It is found before SQLite opens that and makes the index of it anew, which told of the loss: so
// it is written down until all is done about it, whoever is killed meanwhile.
extension StoreFile {
    struct LostLog {
        /// The log, of which SQLite will read a beginning only, and forget the rest; nil: there was none.
        let copy: String?
        /// What to say about it.
        let words: String
    }

    private var note: String { directory + "/lost" }

    /// Keeps what is left of a log in which something that was acknowledged is no more; nil: nothing is lost.
    func keepLostLog(now: Date) throws -> LostLog? {
        if let noted = notedLoss() {
            guard isNew else { return noted }
            forgetLoss()  // Of a store that was taken away.
        }
        guard let loss = try LogInspection.loss(in: path + "-wal", index: LogIndex(path + "-shm")) else { return nil }
        let copy = loss == .all ? nil : try keepLog(now: now)
        var words = "the log of \(path) \(self.words(loss)), and what was stored there last is lost"
        if let copy { words += "; it is kept as \(copy)" }
        // Foundation's errors tell a full disk, which is waited for, from others.
        try Data("\(copy ?? "")\n\(words)\n".utf8).write(to: URL(fileURLWithPath: note))
        chmod(note, 0o600)
        try Self.sync(note)
        return LostLog(copy: copy, words: words)
    }

    /// All is done about it, and it was said.
    func forgetLoss() { unlink(note) }

    /// Nil: none is, or not wholly, and the log and its index are as they were.
    private func notedLoss() -> LostLog? {
        guard let text = try? String(contentsOfFile: note, encoding: .utf8) else { return nil }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 3 else { return nil }
        return LostLog(copy: lines[0].isEmpty ? nil : String(lines[0]), words: String(lines[1]))
    }

    /// Nothing was ever stored in it.
    private var isNew: Bool {
        var about = stat()
        return stat(path, &about) == 0 && about.st_size == 0
    }

    private func words(_ loss: LogInspection.Loss) -> String {
        switch loss {
        case .all: "is gone or empty"
        case .older: "is an older one, put in the place of its own"
        case .from(let byte): "cannot be read from byte \(byte) of \(Self.bytes(path + "-wal")) on"
        }
    }

    private func keepLog(now: Date) throws -> String {
        let log = path + "-wal"
        // By a start that got no further.
        if let last = newestAside(), last.hasSuffix(Self.logSuffix),
            FileManager.default.contentsEqual(atPath: log, andPath: last)
        {
            return last
        }
        let kept = freeName(Self.mark, now: now) + Self.logSuffix
        do {
            try FileManager.default.copyItem(atPath: log, toPath: kept)
        } catch {
            unlink(kept)
            throw error
        }
        return kept
    }
}

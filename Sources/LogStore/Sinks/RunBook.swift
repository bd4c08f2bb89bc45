import SupervisorCore
import System

/// The book of runs, `logs/runs`: a line when a run starts and a line when it ends, so that every spawn has exactly one end
/// record even when nexusd was killed in between. Kept small by writing it anew without what is long over.
final class RunBook {
    /// Above this the book is written anew: runs without an end, and the latest lines.
    static let sizeLimit: Int64 = 1024 * 1024
    /// Bytes of the latest lines that survive it.
    static let latestKept = 256 * 1024
    /// Damaged books that are kept; beyond that the oldest is dropped, and that is said.
    static let damagedLimit = 4
    /// Lines that wait while the disk takes none; beyond that the oldest are given up.
    static let waitingLimit = 1024

    private let kernel: any Kernel
    let path: String
    /// Where a damaged book is kept, the newest first.
    private let aside: [String]
    /// Runs without an end. Nothing else is held in memory: who asks about an older run has the file searched.
    private(set) var open: [RunID: String] = [:]
    /// The latest of each nexusd of which there is one in it, by the second in its numbers: a start of a later one is new.
    private var latest: [UInt32: RunID] = [:]
    private var waiting: [[UInt8]] = []
    private var size: Int64 = 0
    /// The file may end in a piece of a line: what is written next begins a new one.
    private var isTorn = false

    /// Why the book of earlier log-writers cannot be read, or this one's cannot be written, nil: it can. The book is
    /// disposable: log-writer serves without it.
    private(set) var trouble: Errno?
    /// What was in its place and no file was replaced: it can be written all the same.
    private(set) var isReplaced = false
    /// Lines of earlier log-writers that are none.
    private(set) var damagedLines = 0
    /// Damaged books that are there, kept now or at an earlier start, the newest first.
    private(set) var keptAside: [String] = []
    /// There were more than are kept.
    private(set) var isOneDropped = false

    /// Reads what earlier log-writers wrote; a torn line is passed over. A book with other lines that are none is kept aside,
    /// and what can be read of it goes on. What is in its place and no file (a FIFO, a link) is replaced.
    init(_ kernel: any Kernel, directory: String) {
        self.kernel = kernel
        path = directory + "/" + LogFileName.book
        let newest = directory + "/" + LogFileName.damagedBook
        aside = [newest] + (2...Self.damagedLimit).map { "\(newest).\($0)" }
        keptAside = whatIsAside()
        let content: [UInt8]
        do throws(Errno) { content = try self.content() } catch {
            trouble = error
            if error == .invalid || error == .symbolicLink { replaceWhatIsNoFile() }
            return
        }
        for line in content.split(separator: 0x0A) {
            if let line = BookLine(line) { take(line) } else if !BookLine.isPiece(line) { damagedLines += 1 }
        }
        // Written anew once a life: what a crash may have left torn at the end is gone. A disk that has no room for that
        // must not keep log-writer from serving.
        guard !content.isEmpty else { return }
        let isMoved = damagedLines > 0 && moveAside()
        do { try rewrite(content) } catch {
            if isMoved, (try? kernel.rename(aside[0], to: path)) != nil { keptAside = whatIsAside() }
            isTorn = content.last != 0x0A
            size = Int64(content.count)
        }
    }

    /// What is wrong with it and what to do, for `status`; nil: nothing that somebody has to look at.
    var note: String? {
        if let trouble, !isReplaced {
            return "the book of runs \(path) cannot be used (\(trouble)): how runs ended is not kept until it can be; "
                + trouble.loggingRemedy
        }
        let lines = "\(damagedLines) line\(damagedLines == 1 ? "" : "s")"
        if let newest = keptAside.first {
            let what = damagedLines > 0 ? "was damaged (\(lines))" : "was damaged at an earlier start"
            let others = keptAside.dropFirst().joined(separator: ", ")
            let dropped = isOneDropped ? "; \(Self.damagedLimit) are kept, and the oldest was dropped" : ""
            return
                "the book of runs \(path) \(what): ends of runs may be missing in `nexusctl history`; as it was it is kept as "
                + newest + (others.isEmpty ? "" : ", those of earlier times as \(others)") + dropped
                + ": look at \(others.isEmpty ? "it and move it" : "them and move them") away"
        }
        return damagedLines == 0
            ? nil
            : "the book of runs \(path) is damaged (\(lines)) and cannot be moved aside: ends of runs may be missing"
    }

    private func whatIsAside() -> [String] {
        aside.filter { (try? kernel.status($0, followingLinks: false)) != nil }
    }

    /// Keeps the book as it is, beside those that were kept before; true when it is kept.
    private func moveAside() -> Bool {
        if keptAside.first == aside[0] {
            // Down by one, the oldest first, up to the first gap.
            let free = aside.firstIndex { !keptAside.contains($0) }
            isOneDropped = free == nil
            for place in (1...(free ?? aside.count - 1)).reversed() {
                guard (try? kernel.rename(aside[place - 1], to: aside[place])) != nil else { return false }
            }
        }
        let isMoved = (try? kernel.rename(path, to: aside[0])) != nil
        keptAside = whatIsAside()
        return isMoved
    }

    private func replaceWhatIsNoFile() {
        do throws(Errno) {
            try kernel.replaceFile(path, with: [], mode: 0o640)
            isReplaced = true
        } catch {
            // A directory is not replaced.
            trouble = error
        }
    }

    /// The child of a run; nil when the book does not know it (any more).
    func child(of run: RunID) -> String? {
        if let child = open[run] { return child }
        guard let content = try? content() else { return nil }
        return content.split(separator: 0x0A).lazy.compactMap { BookLine($0) }.first { $0.run == run }?.child
    }

    /// Keeps one line; `text` is what is said about an end. A run has one start and behind it one end: whoever is killed may have
    /// said the one or the other to nobody, and the next one, who cannot know, says it again.
    func record(_ stamp: WallStamp, _ run: RunID, _ event: BookLine.Event, child: String, text: String = "") {
        switch event {
        case .starting:
            guard latest[run.second].map({ run > $0 }) ?? true || !knows(run) else { return }
        case .ended where open[run] == nil:
            guard !knows(run) else { return }
            append(BookLine(stamp: stamp, run: run, event: .starting, child: child, text: Self.startUnheard))
        case .ended: break
        }
        append(BookLine(stamp: stamp, run: run, event: event, child: child, text: text))
        flush()
    }

    /// Of a run of which nothing was heard before its end.
    static let startUnheard = "before this, when nobody heard it"

    private func append(_ line: BookLine) {
        take(line)
        waiting.append(line.bytes)
        if waiting.count > RunBook.waitingLimit { waiting.removeFirst() }
    }

    /// Whether there is a line of it, for what is heard again: it is looked for in the whole book.
    private func knows(_ run: RunID) -> Bool {
        func isOfIt(_ line: some Collection<UInt8>) -> Bool { BookLine(line)?.run == run }
        if open[run] != nil || waiting.contains(where: isOfIt) { return true }
        return ((try? content()) ?? []).split(separator: 0x0A).contains(where: isOfIt)
    }

    /// Ends every run that is neither alive nor of this nexusd, which will say itself how its own ended. Gives them back.
    func closeStale(second: UInt32, alive: [RunID], at stamp: WallStamp) -> [(run: RunID, child: String)] {
        let alive = Set(alive)
        let stale = open.filter { !alive.contains($0.key) && $0.key.second != second }
            .sorted { $0.key < $1.key }
        for (run, child) in stale { record(stamp, run, .ended, child: child, text: RunBook.supervisorDied) }
        return stale.map { (run: $0.key, child: $0.value) }
    }

    /// The end of a run that nobody saw end.
    static let supervisorDied = "unknown, supervisor died"

    /// Something is not on the disk yet.
    var isBehind: Bool { !waiting.isEmpty }

    /// Writes what waits; what the disk does not take waits on.
    func flush() {
        guard !waiting.isEmpty else { return }
        if !keptAside.isEmpty {
            keptAside = whatIsAside()
            // Somebody looked at them and moved them away.
            if keptAside.isEmpty {
                damagedLines = 0
                isOneDropped = false
            }
        }
        do {
            let fd = try kernel.openRegular(
                path, [.writeOnly, .create, .append, .noFollow, .nonBlocking], mode: 0o640)
            let bytes: [UInt8] = (isTorn ? [0x0A] : []) + waiting.joined()
            isTorn = true
            try kernel.writeAll(fd, bytes)
            isTorn = false
            waiting = []
            trouble = nil
            size += Int64(bytes.count)
            if size > RunBook.sizeLimit { try rewrite(try content()) }
        } catch {
            // A torn line is passed over when the book is read, and the lines that wait are written whole again.
        }
    }

    private func content() throws(Errno) -> [UInt8] {
        do {
            let fd = try kernel.openRegular(path, [.readOnly, .noFollow, .nonBlocking], mode: 0)
            let limit = RunBook.sizeLimit * 4
            let start = max(0, try kernel.status(fd).size - limit)
            let bytes = try kernel.bytes(of: fd, at: start, count: Int(limit))
            // What is cut off begins in the middle of a line.
            return start > 0 ? Array(bytes.drop { $0 != 0x0A }) : bytes
        } catch  where error == .noEntry {
            return []
        }
    }

    private func rewrite(_ old: [UInt8]) throws(Errno) {
        let tail = max(0, old.count - RunBook.latestKept)
        var new: [UInt8] = []
        var seconds: Set<UInt32> = []
        var offset = 0
        for line in old.split(separator: 0x0A, omittingEmptySubsequences: false) {
            if let entry = BookLine(line), offset >= tail || (entry.event == .starting && open[entry.run] != nil) {
                new += line
                new.append(0x0A)
                seconds.insert(entry.run.second)
            }
            offset += line.count + 1
        }
        try kernel.replaceFile(path, with: new, mode: 0o640)
        size = Int64(new.count)
        latest = latest.filter { seconds.contains($0.key) }
    }

    private func take(_ line: BookLine) {
        latest[line.run.second] = max(latest[line.run.second] ?? line.run, line.run)
        switch line.event {
        case .starting: open[line.run] = line.child
        case .ended: open[line.run] = nil
        }
    }
}

/// One line of the book: `STAMP RUN starting CHILD` or `STAMP RUN ended CHILD how it ended`.
struct BookLine {
    /// What is said.
    enum Event: String {
        case starting, ended
    }

    var stamp: WallStamp
    var run: RunID
    var event: Event
    var child: String
    var text: String

    init(stamp: WallStamp, run: RunID, event: Event, child: String, text: String) {
        self.stamp = stamp
        self.run = run
        self.event = event
        self.child = child
        self.text = text
    }

    init?(_ line: some Collection<UInt8>) {
        let words = line.split(separator: UInt8(ascii: " "), maxSplits: 4)
        guard words.count >= 4, let stamp = WallStamp(words[0]),
            let run = RunID(String(decoding: words[1], as: UTF8.self)),
            let event = Event(rawValue: String(decoding: words[2], as: UTF8.self))
        else { return nil }
        self.init(
            stamp: stamp, run: run, event: event, child: String(decoding: words[3], as: UTF8.self),
            text: words.count > 4 ? String(decoding: words[4], as: UTF8.self) : "")
    }

    /// What a crash or a full disk leaves of a line that was being written: its beginning.
    static func isPiece(_ line: some Collection<UInt8>) -> Bool {
        let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        func isDigits(_ word: some Collection<UInt8>, _ others: String) -> Bool {
            word.allSatisfy { (0x30...0x39).contains($0) || others.utf8.contains($0) }
        }
        guard words.count < 4, let stamp = words.first else { return false }
        guard words.count > 1 else { return stamp.count <= WallStamp.byteCount && isDigits(stamp, "-:.TZ") }
        guard WallStamp(stamp) != nil, isDigits(words[1], "abcdef-") else { return false }
        let event = words.count > 2 ? String(decoding: words[2], as: UTF8.self) : ""
        return [Event.starting, .ended].contains { $0.rawValue.hasPrefix(event) }
    }

    /// With its newline; a newline in the text becomes a space.
    var bytes: [UInt8] {
        let end = text.isEmpty ? "" : " " + text
        return Array("\(stamp) \(run) \(event.rawValue) \(child)\(end)".utf8).map { $0 == 0x0A ? 0x20 : $0 } + [0x0A]
    }
}

import Foundation
import GRDB
import Glibc
import Synchronization

/// Whether the store can be written, as far as is known, and whether its files are still where they were opened.
///
/// SQLite goes on in files that somebody removed or moved away: all that is stored then is gone with the process.
final class StoreWatch: Sendable {
    private struct Identity: Hashable {
        let device: UInt64
        let number: UInt64

        /// Nil: there is none.
        init?(_ path: String) {
            var about = stat()
            guard stat(path, &about) == 0 else { return nil }
            device = UInt64(about.st_dev)
            number = UInt64(about.st_ino)
        }
    }

    private struct State {
        var trouble: String?
        var tell: (@Sendable (String?) -> Void)?
        var report = TroubleReport()
        var reportTo: (@Sendable (String?) -> Void)?
    }

    private let opened: [(path: String, identity: Identity)]
    private let state = Mutex(State())

    /// Of a store that is open: its log is there too.
    init(_ path: String) {
        opened = [path, path + "-wal"].compactMap { path in Identity(path).map { (path, $0) } }
    }

    /// What is at its place is nothing, or another file.
    var isMoved: Bool { opened.contains { Identity($0.path) != $0.identity } }

    /// Throws what SQLite would say if it looked (https://sqlite.org/rescode.html, SQLITE_READONLY_DBMOVED).
    func requireInPlace() throws {
        if isMoved { throw DatabaseError(resultCode: .SQLITE_READONLY_DBMOVED) }
    }

    /// Why the store cannot be written; nil: it can, as far as is known.
    var trouble: String? { state.withLock { $0.trouble } }

    /// `tell` hears of each change, and at once of a trouble that there is.
    func hear(_ tell: @escaping @Sendable (String?) -> Void) {
        let known = state.withLock { state in
            state.tell = tell
            return state.trouble
        }
        if let known { tell(known) }
    }

    /// `tell` hears what is worth a line in the log: a trouble once, and its end when that has lasted.
    func report(_ tell: @escaping @Sendable (String?) -> Void) {
        let known = state.withLock { state in
            state.reportTo = tell
            return state.report.told.last
        }
        if let known { tell(known) }
    }

    /// What a write came to.
    func found(_ trouble: String?) {
        let (tell, line) = state.withLock { state in
            guard state.trouble != trouble else { return (nil as (@Sendable (String?) -> Void)?, nil as String?) }
            state.trouble = trouble
            return (state.tell, state.report.found(trouble, at: .now))
        }
        tell?(trouble)
        if let line { state.withLock { $0.reportTo }?(line) }
    }

    /// Whether the end of a trouble has lasted by now.
    func look() {
        let tell = state.withLock { state in state.report.isOver(at: .now) ? state.reportTo : nil }
        tell?(nil)
    }
}

extension ChatStore {
    /// Why nothing can be stored now; nil: something can, as far as is known.
    public var trouble: String? { watch.trouble }

    /// Hears of each change of that.
    public func onTrouble(_ tell: @escaping @Sendable (String?) -> Void) { watch.hear(tell) }

    /// Hears a trouble once, and nil when none has been for a while; see `TroubleReport`.
    public func onLastingTrouble(_ tell: @escaping @Sendable (String?) -> Void) { watch.report(tell) }

    /// Looks now and then whether the files are in their place, and in a trouble whether it is over: also where nobody
    /// says anything meanwhile.
    public func keepWatch(every pause: Duration = .seconds(5)) async {
        while !Task.isCancelled, !isClosed {
            if watch.trouble != nil || watch.isMoved { await tryToWrite() }
            watch.look()
            try? await Task.sleep(for: pause)
        }
    }

    /// Changes nothing, and needs the room of a page all the same.
    private func tryToWrite() async {
        try? await write { db in
            let mark = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
            try db.execute(sql: "PRAGMA user_version = \(mark)")
        }
    }
}

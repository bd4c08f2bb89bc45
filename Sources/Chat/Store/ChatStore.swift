import Foundation
import GRDB
import Glibc
import Synchronization

/// Sessions, turns and events in one SQLite file. What is accepted is on the disk (WAL, synchronous FULL) before it is
/// acknowledged; every change is one transaction.
///
/// One process writes: chat-bridge. All calls may come from any task.
public final class ChatStore: Sendable {
    let queue: DatabaseQueue
    /// Rings when the list of sessions has changed.
    let bell: ListBell
    let file: StoreFile
    let watch: StoreWatch
    /// Nothing is written any more: another file takes this one's place.
    let isSealed = Mutex(false)
    /// What is to be written before anything else; nil: nothing is.
    let leftOver = Mutex<LeftOver?>(nil)
    /// What is said to the owner of the end of a turn, in the transaction that ends it.
    let endRules = Mutex(WordRules.off)
    let closing = Mutex(false)
    /// It was let go of, so that another file takes its place: this process can do nothing more with it.
    public var isClosed: Bool { closing.withLock { $0 } }
    /// A damaged file that is kept beside the store: moved there now, or at an earlier start and not taken away since.
    public let movedAside: String?
    /// What was wrong with it, when it was moved at this start.
    public let damage: String?
    /// Messages were lost with a damaged write-ahead log: which, and where it is kept.
    public let lostLog: String?
    /// What became of a restore that ended with the chat-bridge before this one.
    public let restoreEnd: RestoreEnd?
    /// There has been a store here, which was removed or emptied, or its log was, while nobody had it open: this is a new one.
    public let isMissing: Bool
    /// Turns that were not over in what is left of a store with a damaged log: nobody knows what became of them.
    let interruptedByLoss: [ChatTurn]
    /// The store was begun anew, or fell back, and the password is the one that is kept beside it.
    public let hasKeptPassword: Bool
    /// The index of words was damaged, and was made anew from the text.
    public let hasNewIndex: Bool
    /// The file.
    public let path: String

    /// Opens or makes `chat.sqlite` in a directory, which is made too (mode 0700, the file 0600). A file that SQLite
    /// finds damaged is moved aside under a dated name and kept; a new one is begun. Throws `StoreRefusal` for one that
    /// is sound and not for this version.
    public init(directory: String, now: Date = Date()) throws {
        file = StoreFile(directory: directory)
        let found = try file.prepare(now: now)
        path = file.path
        restoreEnd = found.restore
        let lost = found.orphan == nil ? try file.keepLostLog(now: now) : nil
        lostLog = found.orphan ?? lost?.words
        var damage: String?
        let verdict = try StoreInspection.verdict(on: file.path)
        switch verdict {
        case .usable, .interrupted: break
        case .refused(let why): throw StoreRefusal(description: why.words(ofStore: file.path))
        case .damaged(let words): damage = words
        }
        if damage == nil {
            do {
                let opened = try Self.open(
                    file, besideFiles: file.hasAttachments, hasLost: lostLog != nil,
                    isInterrupted: verdict == .interrupted)
                (queue, hasNewIndex) = (opened.queue, opened.hasNewIndex)
                (interruptedByLoss, hasKeptPassword) = (opened.interrupted, opened.hasKeptPassword)
                (bell, watch) = (ListBell(queue), StoreWatch(file.path))
                // A log that is kept is told of by itself.
                isMissing = opened.isNew && found.orphan == nil && lost?.copy == nil && file.hasMark
                file.setMark()
                file.forgetRestore()
                self.damage = nil
                movedAside = file.newestAside()
                return
            } catch let error as DatabaseError where StoreInspection.isDamage(error) {
                damage = error.message
            }
        }
        movedAside = try file.moveAside(now: now)
        self.damage = damage
        _ = try file.prepare(now: now)
        let opened = try Self.open(file)
        (queue, hasNewIndex) = (opened.queue, opened.hasNewIndex)
        (interruptedByLoss, hasKeptPassword) = (opened.interrupted, opened.hasKeptPassword)
        (bell, watch) = (ListBell(queue), StoreWatch(file.path))
        isMissing = false
        file.setMark()
    }

    /// `lostLog` has been said; until then each opening has it again.
    public func forgetLoss() { file.forgetLoss() }

    /// One transaction that changes something; refused while the store is about to be replaced, and when its files are not in
    /// their place any more. While another program holds the store it is tried again, for `patience`.
    func write<Value: Sendable>(
        patience given: Duration? = nil, _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        let patience = given ?? (watch.trouble == nil ? Self.patience : .zero)
        let start = ContinuousClock.now
        while true {
            do {
                let value = try await writeOnce(body)
                watch.found(nil)
                return value
            } catch  where StoreFailure.isTrouble(error) {
                let waited = ContinuousClock.now - start
                // What one has waited out in vain no other waits for as long.
                let isKnown = given == nil && watch.trouble != nil
                let isTriedAgain = StoreFailure.isLock(error) && waited < patience && !isKnown
                if !isTriedAgain || waited >= Self.patience { watch.found(StoreFailure.words(error, path: path)) }
                guard isTriedAgain else { throw error }
                try await Task.sleep(for: Self.lockPause)
            }
        }
    }

    private func writeOnce<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try await queue.writeWithoutTransaction { [self] db in
            var done: (value: Value, left: LeftOver?)?
            try db.inTransaction {
                if isSealed.withLock({ $0 }) {
                    throw ChatError(.stopping, "a backup is being restored; ask again when chat-bridge is back")
                }
                try watch.requireInPlace()
                let left = try writeLeftOver(db)
                done = (try body(db), left)
                return .commit
            }
            guard let done else { preconditionFailure("a transaction that was committed came to its end") }
            settle(done.left)
            return done.value
        }
    }

    /// How long a write is tried while another program holds the store, unless that is known to last: then once …
    static let patience: Duration = .seconds(1)
    /// … but what nobody would say again: the agent's words, those to the owner.
    static let longPatience: Duration = .seconds(5)
    /// One try. Whoever reads, and every other write, waits behind it …
    private static let lockWait: Duration = .milliseconds(20)
    /// … and comes in here.
    private static let lockPause: Duration = .milliseconds(50)

    /// Writes everything into the one file and lets go of it.
    public func close() throws { try queue.close() }

    /// `user_version` of a store that was begun where files of messages lay already: the one before it is missing, and may
    /// be put back.
    static let besideFilesMark = 1

    private struct Opened {
        var queue: DatabaseQueue
        /// Nothing was in it, whatever the file's length: what a young store has lies in its log alone.
        var isNew: Bool
        var hasNewIndex: Bool
        var interrupted: [ChatTurn]
        var hasKeptPassword: Bool
    }

    private static func open(
        _ file: StoreFile, besideFiles: Bool = false, hasLost: Bool = false, isInterrupted: Bool = false
    ) throws -> Opened {
        let path = file.path
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(patience / .seconds(1))
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        // FULL: a commit survives the loss of power, not only of the process (https://sqlite.org/pragma.html). Said now and
        // not in `prepareDatabase`: with WAL, GRDB sets NORMAL after that.
        try queue.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA synchronous = FULL") }
        switch isInterrupted ? try queue.read({ try StoreInspection.look($0, path) }) : .usable {
        case .usable, .interrupted: break
        case .refused(let why): throw StoreRefusal(description: why.words(ofStore: file.path))
        case .damaged(let words): throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: words)
        }
        let isNew = try queue.read { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") == 0
        }
        // Before anything else is in it: a crash forgets nothing of that.
        if isNew, besideFiles {
            try queue.write { db in try db.execute(sql: "PRAGMA user_version = \(besideFilesMark)") }
        }
        try Schema.migrator.migrate(queue)
        if let strange = try queue.read({ try StoreInspection.strangeTable($0) }) {
            throw StoreRefusal(description: StoreInspection.Objection.strange(strange).words(ofStore: path))
        }
        let interrupted = hasLost ? try interruptAll(queue) : []
        // What could not be read of it must not be behind what comes now. Not before: a crash in between would be noticed by
        // nobody, and what waits be handed over.
        if hasLost { _ = try queue.writeWithoutTransaction { db in try db.checkpoint(.truncate) } }
        let opened = Opened(
            queue: queue, isNew: isNew, hasNewIndex: try mendIndex(queue), interrupted: interrupted,
            hasKeptPassword: try settlePassword(queue, file, isFallen: isNew || hasLost))
        let wait = Int(lockWait / .milliseconds(1))
        try queue.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA busy_timeout = \(wait)") }
        return opened
    }

    /// Milliseconds since 1970.
    static func milliseconds() -> Int64 { Int64((Date().timeIntervalSince1970 * 1000).rounded()) }
}

import Foundation
import GRDB
import Glibc

/// A copy of the conversations as of one moment, in one file that has no name any more: nothing of it stays, whatever
/// happens.
public final class StoreBackup: Sendable {
    /// Length of the file.
    public let bytes: Int64
    /// What is in it.
    public let contents: StoreContents
    private let descriptor: Int32

    fileprivate init(descriptor: Int32, contents: StoreContents) {
        var about = stat()
        fstat(descriptor, &about)
        self.descriptor = descriptor
        bytes = Int64(about.st_size)
        self.contents = contents
    }

    deinit { close(descriptor) }

    /// Some bytes from an offset on; none at the end.
    public func read(at offset: Int64, upTo count: Int) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        let done = pread(descriptor, &buffer, count, off_t(offset))
        guard done >= 0 else {
            throw ChatError(.failed, "the copy cannot be read: \(String(cString: strerror(errno)))")
        }
        return Array(buffer[..<done])
    }
}

/// In numbers.
public struct StoreContents: Hashable, Sendable {
    /// Sessions.
    public var sessions: Int
    /// Turns.
    public var turns: Int

    init(_ db: Database) throws {
        sessions = try Int.fetchOne(db, sql: "SELECT count(*) FROM session") ?? 0
        turns = try Int.fetchOne(db, sql: "SELECT count(*) FROM turn") ?? 0
    }
}

extension ChatStore {
    /// Copies the conversations by SQLite's online backup, from a connection of its own: in WAL mode a reader keeps
    /// nobody from writing. The copy is checked before it is given out.
    public func backup() async throws -> StoreBackup {
        try await Self.beside { [self] in
            let copy = file.workPath("backup")
            StoreFile.remove(copy)
            defer { StoreFile.remove(copy) }
            do {
                let contents = try copyConversations(to: copy)
                let descriptor = open(copy, O_RDONLY | O_CLOEXEC)
                guard descriptor >= 0 else {
                    throw ChatError(.failed, "cannot open \(copy): \(String(cString: strerror(errno)))")
                }
                return StoreBackup(descriptor: descriptor, contents: contents)
            } catch let error as DatabaseError {
                throw ChatError(.failed, "no backup was made: \(StoreFailure.words(error, path: path))")
            }
        }
    }

    private func copyConversations(to copy: String) throws -> StoreContents {
        try StoreFile.create(copy)
        let target = try DatabaseQueue(path: copy)
        defer { try? target.close() }
        // Files that are not in their place any more are read by the connection only that has them open.
        if watch.isMoved { try queue.backup(to: target) } else { try Self.copyAll(from: path, to: target) }
        return try Self.reduce(target, files: attachmentDirectory)
    }

    private static func copyAll(from path: String, to target: DatabaseQueue) throws {
        var reading = Configuration()
        reading.readonly = true
        reading.busyMode = .timeout(5)
        // One moment for all of it: a copy begins anew when somebody writes between two of its steps.
        reading.allowsUnsafeTransactions = true
        let source = try DatabaseQueue(path: path, configuration: reading)
        defer { try? source.close() }
        try source.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN")
            _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema")
        }
        try source.backup(to: target)
        try source.writeWithoutTransaction { db in try db.execute(sql: "COMMIT") }
    }

    /// To the conversations alone, checked.
    private static func reduce(_ target: DatabaseQueue, files: String) throws -> StoreContents {
        try target.writeWithoutTransaction { db in
            // One file: no log beside it. And nothing of what is deleted stays in its pages.
            try db.execute(sql: "PRAGMA journal_mode = DELETE; PRAGMA secure_delete = ON; PRAGMA foreign_keys = OFF")
            try db.inTransaction {
                try StoreTables.dropOthers(db)
                for table in try StoreTables.ofTheMachine(db) { try db.execute(sql: "DELETE FROM \"\(table)\"") }
                try BackedUpFiles.putIn(db, from: files)
                return .commit
            }
            let check = try String.fetchAll(db, sql: "PRAGMA quick_check(1)")
            guard check == ["ok"] else {
                throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: check.joined(separator: "; "))
            }
            return try StoreContents(db)
        }
    }

    /// Runs what blocks for longer than a transaction on a thread beside those of the tasks.
    static func beside<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global(qos: .utility).async { continuation.resume(with: Result(catching: body)) }
        }
    }
}

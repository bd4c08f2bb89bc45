import Chat
import Foundation
import Synchronization
import WorkerKit

/// Backups and their return, for control clients.
final class KeepingDesk: Sendable {
    private let store: ChatStore
    private let leave: @Sendable () async -> Void
    // Both work on files of one name beside the store.
    private let isBusy = Mutex(false)
    private static let pieceBytes = 32_768

    /// A backup is in place of the store, which is to be opened by a new process.
    var isLeaving: Bool { store.isClosed }

    /// `leave` has the process ended, so that it starts anew on what was restored.
    init(store: ChatStore, leave: @escaping @Sendable () async -> Void) {
        self.store = store
        self.leave = leave
    }

    /// Answers; throws what is wrong.
    func answer(_ asked: KeepingRequest, _ request: IncomingRequest, _ responder: Responder) async throws {
        guard let client = request.client else {
            throw BusError(.refused, "only control clients may ask for backups (nexusctl chat backup)")
        }
        let isFree = isBusy.withLock { busy in
            defer { busy = true }
            return !busy
        }
        guard isFree else {
            throw ChatError(.busy, "another backup is being made or restored; ask again when it is done")
        }
        defer { isBusy.withLock { $0 = false } }
        switch asked {
        case .backup:
            Log.notice("access: \(client.name) of uid \(client.uid) takes a backup")
            try await send(try await store.backup(), responder)
        case .restore(let bytes):
            Log.notice("access: \(client.name) of uid \(client.uid) restores a backup")
            try await restore(bytes, responder)
        }
    }

    private struct Line: Encodable {
        var type: String
        var bytes: Int64?
        var sessions: Int
        var turns: Int
        var kept: String?
    }

    private func send(_ backup: StoreBackup, _ responder: Responder) async throws {
        let about = Line(
            type: "backup", bytes: backup.bytes, sessions: backup.contents.sessions, turns: backup.contents.turns)
        try await responder.send(Array(JSONEncoder().encode(about)))
        var sent: Int64 = 0
        while true {
            let piece = try backup.read(at: sent, upTo: Self.pieceBytes)
            if piece.isEmpty { break }
            try await responder.send(piece)
            sent += Int64(piece.count)
        }
        await responder.end()
    }

    private func restore(_ bytes: Int64, _ responder: Responder) async throws {
        let restore = try StoreRestore(into: store, bytes: bytes)
        for try await piece in responder.upload { try restore.take(piece) }
        let contents = try await restore.prepare()
        do {
            let kept = try await store.replace(with: restore)
            Log.notice("a backup was restored; the conversations before it are kept as \(kept)")
            let line = Line(type: "restored", sessions: contents.sessions, turns: contents.turns, kept: kept)
            await responder.reply(Array(try JSONEncoder().encode(line)))
        } catch {
            guard store.isClosed else { throw error }
            let words = (error as? ChatError ?? ChatError(unforeseen: error, store: store.path)).message
            Log.error("a backup was not restored: \(words)")
            await responder.fail(
                .failed,
                "\(words); what is in place is whole, from before or restored (nexusctl chat --list); restore it again "
                    + "when that is mended")
        }
        await leave()
    }
}

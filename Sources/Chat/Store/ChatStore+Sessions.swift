public import AgentModel
import Foundation
import GRDB

extension ChatStore {
    /// Bytes of a title.
    public static let titleLimit = 200

    /// Gives a session another title.
    public func rename(_ session: SessionID, to title: String) async throws {
        let title = title.storable.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !title.isEmpty, title.utf8.count <= Self.titleLimit, !title.contains(where: \.isNewline) else {
            throw ChatError(.badRequest, "a title is one line of 1 to \(Self.titleLimit) bytes")
        }
        try await write { db in
            try db.execute(sql: "UPDATE session SET title = ? WHERE id = ?", arguments: [title, session.rawValue])
            guard db.changesCount == 1 else { throw Self.unknown(session) }
            try Self.leaveErrand(db, title: title, for: session)
        }
    }

    /// Forgets a session with all its turns; `busy` while one of them waits or runs.
    public func delete(_ session: SessionID) async throws {
        try await write { db in
            let open = try Int.fetchOne(
                db, sql: "SELECT count(*) FROM turn WHERE session = ? AND state IN ('queued', 'running')",
                arguments: [session.rawValue])
            guard open == 0 else {
                throw ChatError(.busy, "a turn of session \(session) is under way; stop it first")
            }
            try Self.forgetWords(db, of: session)
            try Self.leaveErrand(db, title: nil, for: session)
            try db.execute(sql: "DELETE FROM session WHERE id = ?", arguments: [session.rawValue])
            guard db.changesCount == 1 else { throw Self.unknown(session) }
        }
    }

    /// Changes what the next message of a session goes with; returns what holds now.
    @discardableResult
    public func choose(_ change: ChoiceChange, in session: SessionID) async throws -> TurnChoice {
        try change.check()
        return try await write { db in try Self.choose(db, change, in: session) }
    }

    static func choose(_ db: Database, _ change: ChoiceChange, in session: SessionID) throws -> TurnChoice {
        let row = try Row.fetchOne(
            db, sql: "SELECT model, agent FROM session WHERE id = ?", arguments: [session.rawValue])
        guard let row else { throw unknown(session) }
        let choice = change.applied(to: TurnChoice(model: row["model"], agent: row["agent"]))
        guard !change.isNothing else { return choice }
        try db.execute(
            sql: "UPDATE session SET model = ?, agent = ? WHERE id = ?",
            arguments: [choice.model, choice.agent, session.rawValue])
        return choice
    }

    static func unknown(_ session: SessionID) -> ChatError {
        ChatError(.noSession, "there is no session \(session) (any more); see: nexusctl chat --list")
    }
}

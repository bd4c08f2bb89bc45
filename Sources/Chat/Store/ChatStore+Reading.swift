public import AgentModel
import Foundation
import GRDB

extension ChatStore {
    /// Events read at once; longer stretches are read page by page, so that no reader holds the store for long.
    public static let pageLimit = 256
    /// … and so many bytes of them, with the event that goes beyond: somebody may take them slowly.
    static let pageBytes = 65_536

    /// The sessions, the one with the newest turn first.
    public func sessions(limit: Int = listLimit) async throws -> [ChatSession] {
        try await list(limit: limit).sessions
    }

    /// One session; nil: there is none of that name.
    public func session(_ id: SessionID) async throws -> ChatSession? {
        try await queue.read { db in try Self.sessions(db, where: "id = ?", [id.rawValue], limit: 1).first }
    }

    /// The agent's session and the workspace of a session.
    public func agentSession(of session: SessionID) async throws -> (id: AgentSessionID?, workspace: String?) {
        try await queue.read { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT agent_session, workspace FROM session WHERE id = ?", arguments: [session.rawValue])
            guard let row else { throw Self.unknown(session) }
            return ((row["agent_session"] as String?).map(AgentSessionID.init), row["workspace"])
        }
    }

    /// Throws `unknown` for no such session.
    public func require(_ session: SessionID) async throws {
        let isKnown = try await queue.read { db in
            try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM session WHERE id = ?)", arguments: [session.rawValue])
        }
        guard isKnown == true else {
            throw Self.unknown(session)
        }
    }

    /// Turns of a session behind that one, oldest first, at most a page of them.
    public func turns(
        of session: SessionID, after: TurnID = TurnID(rawValue: 0), limit: Int = pageLimit
    ) async throws -> [ChatTurn] {
        try await queue.read { db in
            try Self.turns(
                db, where: "session = ? AND id > ?", [session.rawValue, after.rawValue], limit: limit)
        }
    }

    /// True when no turn of a session waits or runs.
    public func isIdle(_ session: SessionID) async throws -> Bool {
        try await queue.read { db in
            let open = try Bool.fetchOne(
                db,
                sql: "SELECT EXISTS (SELECT 1 FROM turn WHERE session = ? AND state IN ('queued', 'running'))",
                arguments: [session.rawValue])
            return open != true
        }
    }

    /// The turns of a session that wait, oldest first.
    public func queued(in session: SessionID) async throws -> [ChatTurn] {
        try await queue.read { db in
            try Self.turns(db, where: "session = ? AND state = 'queued'", [session.rawValue])
        }
    }

    /// One turn as it stands.
    public func turn(_ id: TurnID) async throws -> ChatTurn? {
        try await queue.read { db in try Self.turn(db, where: "id = ?", [id.rawValue]) }
    }

    /// Notices of a turn that are told when it is read again: the newest.
    public static let noticeLimit = 100
    /// Likewise of what was asked in it, and of what came of that.
    public static let askingLimit = 100

    /// The blocks, lists, notices and what was asked in a turn, as events without numbers, in order of their first
    /// appearance; of a list what it was last.
    public func blocks(of turn: ChatTurn) async throws -> [ChatEvent] {
        try await queue.read { db in try Self.blocks(db, of: turn) }
    }

    static func blocks(_ db: Database, of turn: ChatTurn) throws -> [ChatEvent] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT kind, key, text, position FROM block WHERE turn = ?1 UNION ALL \
                SELECT kind, '', body, (SELECT min(seq) FROM event AS first \
                WHERE first.turn = event.turn AND first.kind = event.kind) FROM event \
                WHERE turn = ?1 AND kind IN ('todos', 'changes', 'usage') AND seq = (SELECT max(seq) FROM event AS last \
                WHERE last.turn = event.turn AND last.kind = event.kind) UNION ALL \
                SELECT * FROM (SELECT kind, '', body, seq FROM event WHERE turn = ?1 AND kind = 'notice' \
                ORDER BY seq DESC LIMIT \(noticeLimit)) UNION ALL \
                SELECT * FROM (SELECT kind, '', body, seq FROM event WHERE turn = ?1 \
                AND kind IN ('permission', 'question', 'answered') ORDER BY seq DESC LIMIT \(2 * askingLimit)) \
                ORDER BY position
                """,
            arguments: [turn.id.rawValue])
        return try rows.map { row in
            ChatEvent(
                number: nil, session: turn.session, turn: turn.id,
                what: try whole(kind: row["kind"], key: row["key"], text: row["text"]))
        }
    }

    /// Some stored events, in order.
    public struct Page: Sendable {
        /// One of them.
        public enum Told: Sendable {
            /// As JSON, a frame.
            case asStored([UInt8])
            /// To be written: its text may be too long for one frame, or is to be rendered, which nobody does while he
            /// holds the store.
            case toWrite(ChatEvent)
        }

        /// All of them.
        public var events: [Told]
        /// Where the next page begins.
        public var upTo: EventNumber
        /// An `ended` is among them.
        public var hasEnd: Bool
    }

    /// Some of the events after a number: of a session, or of one turn in it without its `accepted`. Nil: no more.
    public func page(of session: SessionID, after: EventNumber, only turn: TurnID? = nil) async throws -> Page? {
        try await queue.read { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT event.seq, event.turn, event.kind, event.key, event.body, block.text FROM event \
                    LEFT JOIN block ON block.turn = event.turn AND block.kind = event.kind AND block.key = event.key \
                    WHERE event.session = ? AND event.seq > ? AND (? IS NULL OR event.turn = ? AND event.kind <> 'accepted') \
                    ORDER BY event.seq LIMIT ?
                    """,
                arguments: [session.rawValue, after.rawValue, turn?.rawValue, turn?.rawValue, Self.pageLimit])
            var page = Page(events: [], upTo: after, hasEnd: false)
            var bytes = 0
            while bytes < Self.pageBytes, let row = try rows.next() {
                let (told, size) = try Self.told(row, session)
                bytes += size
                page.events.append(told)
                page.upTo = EventNumber(rawValue: row["seq"])
                if row["kind"] == "ended" { page.hasEnd = true }
            }
            return page.upTo == after ? nil : page
        }
    }

    /// An event, and about how many bytes it is.
    private static func told(_ row: Row, _ session: SessionID) throws -> (Page.Told, bytes: Int) {
        let what: ChatEvent.What
        let bytes: Int
        if let body = row["body"] as String? {
            bytes = body.utf8.count
            guard let text = try WholeText(body, kind: row["kind"]) else {
                return (.asStored(Array(body.utf8)), bytes)
            }
            what = text.what
        } else {
            let text = row["text"] as String? ?? ""
            bytes = text.utf8.count
            what = try whole(kind: row["kind"], key: row["key"] ?? "", text: text)
        }
        let event = ChatEvent(
            number: EventNumber(rawValue: row["seq"]), session: session, turn: TurnID(rawValue: row["turn"]), what: what
        )
        return (.toWrite(event), bytes)
    }

    static func whole(kind: String, key: String, text: String) throws -> ChatEvent.What {
        switch kind {
        case "permission": .permission(try JSONDecoder().decode(PermissionAsk.self, from: Data(text.utf8)))
        case "question": .question(try JSONDecoder().decode(QuestionAsk.self, from: Data(text.utf8)))
        case "answered": .answered(try JSONDecoder().decode(Answered.self, from: Data(text.utf8)))
        case "tool": .tool(try JSONDecoder().decode(ToolCall.self, from: Data(text.utf8)))
        case "todos", "changes", "usage", "notice": try JSONDecoder().decode(ListEvent.self, from: Data(text.utf8)).what
        case "reasoning": .reasoning(block: key, text: text, replaces: true)
        case _: .text(block: key, text: text, replaces: true)
        }
    }

    static func turn(
        _ db: Database, where condition: String, _ arguments: StatementArguments
    ) throws -> ChatTurn? {
        try turns(db, where: condition, arguments).first
    }

    static func turns(
        _ db: Database, where condition: String, _ arguments: StatementArguments, newestFirst: Bool = false,
        limit: Int = queueLimit
    ) throws -> [ChatTurn] {
        let order = newestFirst ? "DESC" : "ASC"
        let sql = "SELECT * FROM turn WHERE \(condition) ORDER BY id \(order) LIMIT ?"
        return try Row.fetchAll(db, sql: sql, arguments: arguments + [limit]).map { row in
            ChatTurn(
                id: TurnID(rawValue: row["id"]), session: SessionID(rawValue: row["session"]),
                state: TurnState(rawValue: row["state"]) ?? .failed, text: row["text"],
                choice: TurnChoice(model: row["model"], agent: row["agent"]), reason: row["reason"],
                before: EventNumber(rawValue: row["before_seq"]), created: row["created"], prompt: row["prompt"],
                isUnplaced: row["started"] != nil && row["ended"] != nil && row["prompt"] == nil,
                isTakenBack: row["taken_back"] != 0, attachments: try attachments(db, of: row["id"]))
        }
    }
}

/// The stored event of a list, or of a notice.
private struct ListEvent: Decodable {
    let todos: [Todo]?
    let changes: [FileChange]?
    let usage: Usage?
    let text: String?

    var what: ChatEvent.What {
        todos.map { .todos($0) } ?? usage.map { .usage($0) } ?? text.map { .notice($0) } ?? .changes(changes ?? [])
    }
}

/// The stored event of a text that replaced what had come of it.
private struct WholeText: Decodable {
    let block: String
    let text: String

    var what: ChatEvent.What { .text(block: block, text: text, replaces: true) }

    /// Nil: it is something else. The members are sorted, and `whole` is the last of them.
    init?(_ body: String, kind: String) throws {
        guard kind == "text", body.hasSuffix(#","whole":true}"#) else { return nil }
        self = try JSONDecoder().decode(Self.self, from: Data(body.utf8))
    }
}

public import AgentModel
import Foundation
import GRDB

/// A message that is stored.
public struct Acceptance: Hashable, Sendable {
    /// The turn.
    public var turn: ChatTurn
    /// False: this client id was stored before, and the turn is that one.
    public var isNew: Bool
    /// What is stored of it already: of a withdrawn one, all that will ever happen.
    var events: [ChatEvent] = []
}

extension ChatStore {
    /// Turns that may wait for the agent, over all sessions.
    public static let queueLimit = 256
    /// Messages of sessions that are gone whose client ids are remembered; above that the oldest is forgotten.
    static let formerLimit = 10_000

    /// Stores a message, and its session where that is new. When this returns it is on the disk. One that is withdrawn is
    /// stored with its end, in one transaction: it is never seen waiting for the agent, also after a crash.
    /// - Parameters:
    ///   - id: of a new session.
    ///   - before: a number that no event of this turn will have, nor a smaller one.
    ///   - workspaces: the session's must be one of these.
    ///   - ceiling: of what today used; above it nothing is taken.
    ///   - first: of two numbers for the events of a withdrawn one; nil: the next that nobody has set aside.
    public func accept(
        _ submission: Submission, newSession id: SessionID, before: EventNumber, workspaces: Workspaces,
        ceiling: DailyCeiling = DailyCeiling(), first: EventNumber? = nil
    ) async throws -> Acceptance {
        var given = submission
        given.text = submission.text.storable
        let submission = given
        try Self.check(submission)
        let now = Self.milliseconds()
        let contents = attachmentDirectory
        return try await write { db in
            if let known = try Self.turn(db, where: "client_id = ?", [submission.clientID]) {
                guard known.text == submission.text, known.attachments.map(\.id) == submission.attachments.map(\.id),
                    submission.session ?? known.session == known.session
                else {
                    throw ChatError(.badRequest, "this client_id was used for another message")
                }
                return Acceptance(turn: known, isNew: false)
            }
            guard try !Self.isFormer(db, submission.clientID) else {
                throw ChatError(
                    .noSession,
                    "this message was taken already, and its session is not there any more; to have it done once more send "
                        + "it with another client_id")
            }
            if let why = ceiling.refusal(of: try Self.spentToday(db), at: Date()) { throw ChatError(.refused, why) }
            let open = try Int.fetchOne(db, sql: "SELECT count(*) FROM turn WHERE state IN ('queued', 'running')") ?? 0
            guard open < Self.queueLimit else {
                throw ChatError(.busy, "\(open) messages wait already; try again when the agent has answered some")
            }
            let session = try Self.session(db, for: submission, new: id, workspaces, now: now)
            let choice = try Self.choose(db, submission.choice, in: session)
            // What was taken back before this is gone at the agent from here on.
            try db.execute(
                sql: "UPDATE turn SET taken_back = 2 WHERE session = ? AND taken_back = 1",
                arguments: [session.rawValue])
            try db.execute(
                sql: """
                    INSERT INTO turn (session, client_id, state, text, model, agent, before_seq, created) \
                    VALUES (?, ?, 'queued', ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    session.rawValue, submission.clientID, submission.text, choice.model, choice.agent, before.rawValue,
                    now,
                ])
            let id = db.lastInsertedRowID
            try Self.attach(db, submission.attachments, to: id, contentsIn: contents)
            let turn = ChatTurn(
                id: TurnID(rawValue: id), session: session, state: .queued, text: submission.text,
                choice: choice, reason: nil, before: before, created: now,
                attachments: try Self.attachments(db, of: id))
            guard submission.isWithdrawn else { return Acceptance(turn: turn, isNew: true) }
            return try Self.withdraw(db, turn, first: first, now: now)
        }
    }

    private static func isFormer(_ db: Database, _ clientID: String) throws -> Bool {
        try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM former_message WHERE client_id = ?)", arguments: [clientID]) == true
    }

    private static func withdraw(
        _ db: Database, _ turn: ChatTurn, first: EventNumber?, now: Int64
    ) throws -> Acceptance {
        let first = try first ?? reserve(db, turn.session, count: 2)
        var turn = turn
        (turn.state, turn.reason) = (.interrupted, TurnRunner.withdrawn)
        let what: [ChatEvent.What] = [turn.accepted, .ended(turn.state, reason: turn.reason)]
        let events = zip(first.rawValue..., what).map { number, what in
            ChatEvent(number: EventNumber(rawValue: number), session: turn.session, turn: turn.id, what: what)
        }
        try end(db, turn.id, turn.state, turn.reason, now: now, last: events)
        return Acceptance(turn: turn, isNew: true, events: events)
    }

    /// Says that a turn goes to the agent now. After this it is never handed over again.
    public func takeUp(_ turn: TurnID) async throws {
        try await change(turn, from: .queued, "state = 'running', started = ?", [Self.milliseconds()]) { db in
            try db.execute(
                sql: "INSERT OR IGNORE INTO at_work (session) SELECT session FROM turn WHERE id = ?",
                arguments: [turn.rawValue])
        }
    }

    /// Remembers the agent's id of a turn's message.
    public func setPrompt(_ prompt: String, of turn: TurnID) async throws {
        try await write(patience: Self.longPatience) { db in
            try db.execute(sql: "UPDATE turn SET prompt = ? WHERE id = ?", arguments: [prompt, turn.rawValue])
        }
    }

    /// Takes `takeUp` back: the agent has certainly not seen the turn.
    public func putBack(_ turn: TurnID) async throws {
        try await change(turn, from: .running, "state = 'queued', started = NULL", [], patience: Self.longPatience) {
            db in
            try Self.rests(db, of: turn)
        }
    }

    /// Remembers the agent's own session; nil: the agent does not know it any more.
    public func setAgentSession(_ agent: AgentSessionID?, of session: SessionID) async throws {
        try await write { db in
            try db.execute(
                sql: "UPDATE session SET agent_session = ? WHERE id = ?",
                arguments: [agent?.rawValue, session.rawValue])
        }
    }

    /// Ends turns that are not over, without anybody who watches.
    static func interrupt(_ db: Database, _ turns: [ChatTurn], reason: String) throws {
        let now = milliseconds()
        for turn in turns {
            let number = try reserve(db, turn.session, count: 1)
            let event = ChatEvent(
                number: number, session: turn.session, turn: turn.id, what: .ended(.interrupted, reason: reason))
            try end(db, turn.id, .interrupted, reason, now: now, last: [event])
        }
    }

    /// What a turn is told that was not over in a store that fell back.
    public static let lossReason =
        "what was stored last was lost with a damaged store; whether the agent has done this is not known, so it is not sent "
        + "again"

    /// Something that was stored is lost: what waits or runs here may have been done, stopped or withdrawn since, and the
    /// agent may be at work with it.
    static func interruptAll(_ queue: DatabaseQueue) throws -> [ChatTurn] {
        try queue.write { db in
            let open = try turns(db, where: "state IN ('queued', 'running')", [])
            try db.execute(
                sql: """
                    INSERT OR IGNORE INTO at_work (session) SELECT session FROM turn WHERE state IN ('queued', 'running')
                    """)
            try interrupt(db, open, reason: lossReason)
            return open
        }
    }

    private func change(
        _ turn: TurnID, from state: TurnState, _ assignments: String, _ arguments: [any DatabaseValueConvertible],
        patience: Duration? = nil, _ more: @escaping @Sendable (Database) throws -> Void
    ) async throws {
        let values = StatementArguments(arguments) + [turn.rawValue, state.rawValue]
        try await write(patience: patience) { db in
            try db.execute(sql: "UPDATE turn SET \(assignments) WHERE id = ? AND state = ?", arguments: values)
            guard db.changesCount == 1 else { throw ChatError(.failed, "turn \(turn) is not \(state.rawValue)") }
            try more(db)
        }
    }

    private static func check(_ submission: Submission) throws {
        try submission.choice.check()
        guard submission.attachments.count <= AttachedFile.limit else {
            throw ChatError(.badRequest, "a message has at most \(AttachedFile.limit) files")
        }
        guard !submission.text.allSatisfy(\.isWhitespace) else { throw ChatError(.badRequest, "the message is empty") }
        let size = Submission.size(of: submission.text)
        guard size <= Submission.textLimit else {
            throw ChatError(
                .badRequest,
                "the message is too long: \(size) bytes, at most \(Submission.textLimit); put the text into a file of the "
                    + "workspace and name it")
        }
        let client = submission.clientID.utf8
        guard (1...Submission.clientIDLimit).contains(client.count), !client.contains(0) else {
            throw ChatError(
                .badRequest, "client_id has 1 to \(Submission.clientIDLimit) bytes, and no U+0000 among them")
        }
    }

    private static func session(
        _ db: Database, for submission: Submission, new id: SessionID, _ workspaces: Workspaces, now: Int64
    ) throws -> SessionID {
        guard let wanted = submission.session else {
            try workspaces.check(submission.workspace)
            // By its name, so that it stays the one when another becomes the first.
            let workspace = submission.workspace ?? workspaces.names?.first
            let title = submission.text.split(separator: "\n").first.map { String($0.prefix(60)) } ?? ""
            try db.execute(
                sql: "INSERT INTO session (id, title, workspace, created, updated) VALUES (?, ?, ?, ?, ?)",
                arguments: [id.rawValue, title, workspace, now, now])
            return id
        }
        guard
            let row = try Row.fetchOne(
                db, sql: "SELECT workspace FROM session WHERE id = ?", arguments: [wanted.rawValue])
        else { throw unknown(wanted) }
        let own = row["workspace"] as String?
        if let workspace = submission.workspace, workspace != own {
            throw ChatError(.badRequest, "session \(wanted) belongs to another workspace; a session never changes it")
        }
        // Its workspace was in the file once. Where nobody said which there are, agent-worker decides.
        if workspaces.names != nil { try workspaces.check(own, of: wanted) }
        try db.execute(sql: "UPDATE session SET updated = ? WHERE id = ?", arguments: [now, wanted.rawValue])
        return wanted
    }
}

import GRDB

/// What the list of sessions shows is kept with each session, so that a list costs a row a session however long they are.
/// Triggers keep it, in the transaction that changes it: no statement can forget to.
///
/// `listing` counts every change of the list, `session.changed` is the number of a session's last one, `gone` those that
/// were ends. Of these the newest are kept; whoever was told less than `floor` needs the whole list. Counting begins with the
/// clock, so that what was told of another file, which a restore or damage put out of its place, is below that too.
enum ListSchema {
    /// Ends of sessions that are kept for who was away.
    static let goneLimit = 1000

    static let tables = """
        ALTER TABLE session ADD COLUMN turns INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE session ADD COLUMN tokens INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE session ADD COLUMN cost REAL NOT NULL DEFAULT 0;
        ALTER TABLE session ADD COLUMN reverted INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE session ADD COLUMN state TEXT NOT NULL DEFAULT 'done';
        ALTER TABLE session ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
        CREATE INDEX session_changed ON session(changed);
        CREATE TABLE listing (
            id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
            last INTEGER NOT NULL,
            floor INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE gone (
            changed INTEGER PRIMARY KEY NOT NULL,
            session TEXT NOT NULL
        ) STRICT;
        INSERT INTO listing (id, last, floor) SELECT 1, now, now FROM (SELECT unixepoch() * 1000 AS now);
        \(sums)
        """

    private static let sums = """
        UPDATE session SET
            turns = (SELECT count(*) FROM turn WHERE turn.session = session.id),
            tokens = (SELECT coalesce(sum(turn.tokens), 0) FROM turn WHERE turn.session = session.id),
            cost = (SELECT coalesce(sum(turn.cost), 0.0) FROM turn WHERE turn.session = session.id),
            reverted = (SELECT count(*) FROM turn WHERE turn.session = session.id AND turn.taken_back = 1),
            state = \(state(of: "session.id"));
        """

    /// Changes turns where the sums of the sessions may be beyond all bounds already: what is no number stays none when
    /// something is added to it, so they are summed anew.
    static func withoutSums(_ db: Database, _ change: (Database) throws -> Void) throws {
        guard try db.triggerExists("turn_changes") else { return try change(db) }
        try db.execute(sql: "DROP TRIGGER turn_changes")
        try change(db)
        try db.execute(sql: sums)
        try db.execute(sql: turnChanges)
    }

    /// The order of the list: turns are numbered as they are said, and the clock may be set back.
    static let places = """
        ALTER TABLE session ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
        CREATE INDEX session_place ON session(place);
        UPDATE session SET place = coalesce(
            (SELECT max(turn.id) FROM turn WHERE turn.session = session.id), \(lastTurn));
        CREATE TRIGGER session_is_placed AFTER INSERT ON session BEGIN
            UPDATE session SET place = \(lastTurn) WHERE id = new.id;
        END;
        CREATE TRIGGER turn_is_placed AFTER INSERT ON turn BEGIN
            UPDATE session SET place = new.id WHERE id = new.session;
        END;
        """

    // That there ever was.
    private static let lastTurn = "coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'turn'), 0)"

    static let triggers = """
        CREATE TRIGGER turn_comes AFTER INSERT ON turn BEGIN
            UPDATE session SET turns = turns + 1, tokens = tokens + new.tokens, cost = cost + new.cost,
                reverted = reverted + (new.taken_back = 1), state = \(state(of: "new.session"))
                WHERE id = new.session;
        END;
        \(turnChanges)
        CREATE TRIGGER turn_goes AFTER DELETE ON turn BEGIN
            UPDATE session SET turns = turns - 1, tokens = tokens - old.tokens, cost = cost - old.cost,
                reverted = reverted - (old.taken_back = 1), state = \(state(of: "old.session"))
                WHERE id = old.session;
        END;
        CREATE TRIGGER session_comes AFTER INSERT ON session BEGIN
            \(number)
        END;
        CREATE TRIGGER session_changes AFTER UPDATE OF
            title, workspace, model, agent, turns, tokens, cost, reverted, state, updated ON session BEGIN
            \(number)
        END;
        CREATE TRIGGER session_goes AFTER DELETE ON session BEGIN
            UPDATE listing SET last = last + 1;
            INSERT INTO gone (changed, session) SELECT last, old.id FROM listing;
            UPDATE listing SET floor = max(floor, coalesce(
                (SELECT changed FROM gone ORDER BY changed DESC LIMIT 1 OFFSET \(goneLimit)), 0));
            DELETE FROM gone WHERE changed <= (SELECT floor FROM listing);
        END;
        """

    /// How much waits for an answer, so that a list says which session needs its owner. What it is stands in the key of
    /// its event, by which the index finds whether it was answered.
    static let asking = """
        ALTER TABLE session ADD COLUMN asking INTEGER NOT NULL DEFAULT 0;
        UPDATE event SET key = json_extract(body, '$.id') WHERE kind IN ('permission', 'question', 'answered')
            AND turn IN (SELECT id FROM turn WHERE state = 'running');
        UPDATE session SET asking = \(asks(of: "session.id"));
        CREATE TRIGGER event_asks AFTER INSERT ON event WHEN new.kind IN ('permission', 'question', 'answered') BEGIN
            UPDATE session SET asking = \(asks(of: "new.session")) WHERE id = new.session;
        END;
        CREATE TRIGGER turn_asks AFTER UPDATE OF state ON turn WHEN old.state = 'running' AND new.state <> 'running' BEGIN
            UPDATE session SET asking = 0 WHERE id = new.session AND asking > 0;
        END;
        CREATE TRIGGER session_asks AFTER UPDATE OF asking ON session WHEN new.asking <> old.asking BEGIN
            \(number)
        END;
        """

    // Of turns that are not over.
    private static func asks(of session: String) -> String {
        """
        (SELECT count(DISTINCT ask.key) FROM turn JOIN event AS ask ON ask.turn = turn.id
                AND ask.kind IN ('permission', 'question') WHERE turn.session = \(session) AND turn.state = 'running'
                AND NOT EXISTS (SELECT 1 FROM event AS said
                    WHERE said.turn = ask.turn AND said.kind = 'answered' AND said.key = ask.key))
        """
    }

    private static let turnChanges = """
        CREATE TRIGGER turn_changes AFTER UPDATE OF state, tokens, cost, taken_back ON turn BEGIN
            UPDATE session SET tokens = tokens + new.tokens - old.tokens, cost = cost + new.cost - old.cost,
                reverted = reverted + (new.taken_back = 1) - (old.taken_back = 1), state = \(state(of: "new.session"))
                WHERE id = new.session;
        END;
        """

    // A file that is being restored has no row in `listing` yet.
    private static let number = """
        UPDATE listing SET last = last + 1;
            UPDATE session SET changed = coalesce((SELECT last FROM listing), 0) WHERE id = new.id;
        """

    /// That of the turn that is not over, else of the last.
    static func state(of session: String) -> String {
        """
        coalesce(
                (SELECT turn.state FROM turn WHERE turn.session = \(session) AND turn.state IN ('running', 'queued')
                    ORDER BY turn.state = 'queued', turn.id LIMIT 1),
                (SELECT turn.state FROM turn WHERE turn.session = \(session) ORDER BY turn.id DESC LIMIT 1), 'done')
        """
    }
}

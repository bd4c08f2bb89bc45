import AgentModel
import GRDB

/// The tables. A step that was released is never changed, renamed or moved; the next one is added behind the others. The one
/// that is not where it was added is the bounds, which older stores need before what the list shows; whoever made his
/// store in the forty minutes between the two gets it last (docs/chat.md, The store).
enum Schema {
    /// By their names, as SQLite keeps them, in the order in which a new store gets them.
    static let steps: [(name: String, make: @Sendable (Database) throws -> Void)] = [
        ("1: sessions, turns, blocks, events", { try $0.execute(sql: first) }),
        ("2: devices", { try $0.execute(sql: devices) }),
        ("3: search", { try $0.execute(sql: search) }),
        ("application id", { try $0.execute(sql: "PRAGMA application_id = \(StoreInspection.applicationID)") }),
        ("choice of model and agent", { try $0.execute(sql: choice) }),
        ("word: words, subscriptions, deliveries", { try $0.execute(sql: WordSchema.tables) }),
        ("password", { try $0.execute(sql: password) }),
        ("what turns and days used", { try $0.execute(sql: usage) }),
        ("copies, what is taken back, errands", { try $0.execute(sql: copies) }),
        ("links by which devices come back", { try $0.execute(sql: WordSchema.links) }),
        ("attachments", { try $0.execute(sql: AttachmentSchema.tables) }),
        ("bounds of what turns and days used", { try ListSchema.withoutSums($0) { try $0.execute(sql: bounds) } }),
        (
            "what the list shows, and its changes",
            {
                try $0.execute(sql: ListSchema.tables)
                try $0.execute(sql: ListSchema.triggers)
            }
        ),
        ("tokens that were revoked", { try $0.execute(sql: revoked) }),
        ("sessions that the agent may be at work in", { try $0.execute(sql: atWork) }),
        ("messages whose session is gone", { try $0.execute(sql: formerMessages) }),
        ("keys that pages hold", { try $0.execute(sql: pageKeys) }),
        ("places in the list", { try $0.execute(sql: ListSchema.places) }),
        ("what waits for an answer, in the list", { try $0.execute(sql: ListSchema.asking) }),
    ]

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        for step in steps { migrator.registerMigration(step.name, migrate: step.make) }
        return migrator
    }

    // One row at most.
    private static let password = """
        CREATE TABLE password (
            id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
            hash TEXT NOT NULL,
            changed INTEGER NOT NULL
        ) STRICT;
        """

    // Times are milliseconds since 1970. `reserved` is the number up to which events may have been numbered: numbers
    // are given in memory, and after a crash counting goes on behind it, so that none is used twice.
    // A finished turn keeps of each block one event without a body: its text is that of the block.
    private static let first = """
        CREATE TABLE session (
            id TEXT PRIMARY KEY NOT NULL,
            title TEXT NOT NULL,
            workspace TEXT,
            agent_session TEXT,
            reserved INTEGER NOT NULL DEFAULT 0,
            created INTEGER NOT NULL,
            updated INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX session_updated ON session(updated);
        CREATE TABLE turn (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            session TEXT NOT NULL REFERENCES session(id) ON DELETE CASCADE,
            client_id TEXT NOT NULL UNIQUE,
            state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'interrupted', 'failed')),
            text TEXT NOT NULL,
            reason TEXT,
            before_seq INTEGER NOT NULL,
            created INTEGER NOT NULL,
            started INTEGER,
            ended INTEGER,
            CHECK ((state IN ('done', 'interrupted', 'failed')) = (ended IS NOT NULL)),
            CHECK ((state IN ('interrupted', 'failed')) = (reason IS NOT NULL))
        ) STRICT;
        CREATE INDEX turn_session ON turn(session, id);
        CREATE INDEX turn_open ON turn(id) WHERE state IN ('queued', 'running');
        CREATE TABLE block (
            turn INTEGER NOT NULL REFERENCES turn(id) ON DELETE CASCADE,
            kind TEXT NOT NULL CHECK (kind IN ('text', 'reasoning', 'tool')),
            key TEXT NOT NULL,
            position INTEGER NOT NULL,
            text TEXT NOT NULL,
            PRIMARY KEY (turn, kind, key)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE event (
            session TEXT NOT NULL REFERENCES session(id) ON DELETE CASCADE,
            seq INTEGER NOT NULL,
            turn INTEGER NOT NULL REFERENCES turn(id) ON DELETE CASCADE,
            kind TEXT NOT NULL,
            key TEXT,
            body TEXT,
            PRIMARY KEY (session, seq)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX event_turn ON event(turn, kind, key);
        """

    // A token is 256 random bits: its plain hash tells nothing, and nobody can make a token from it.
    private static let devices = """
        CREATE TABLE device (
            id TEXT PRIMARY KEY NOT NULL,
            name TEXT NOT NULL,
            role TEXT NOT NULL CHECK (role IN ('owner', 'chat-only')),
            token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
            created INTEGER NOT NULL,
            seen INTEGER NOT NULL,
            address TEXT NOT NULL
        ) STRICT;
        """

    // Null: the browser gives the cookie to nobody but us.
    private static let pageKeys = """
        ALTER TABLE device ADD COLUMN key_hash BLOB CHECK (length(key_hash) = 32);
        """

    // So that a device that was shut out is told so, and one that this store never knew something else.
    private static let revoked = """
        CREATE TABLE revoked_token (
            token_hash BLOB PRIMARY KEY NOT NULL CHECK (length(token_hash) = 32),
            revoked INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """

    // From the moment a turn goes to the agent until the agent's own word that it is over: what ended here without that
    // word may go on there.
    private static let atWork = """
        CREATE TABLE at_work (
            session TEXT PRIMARY KEY NOT NULL REFERENCES session(id) ON DELETE CASCADE
        ) STRICT, WITHOUT ROWID;
        """

    // Whoever did not hear what became of a message sends it again, also when its session is gone: it is not done twice.
    // No statement that deletes turns can forget to write that down.
    private static let formerMessages = """
        CREATE TABLE former_message (
            id INTEGER PRIMARY KEY NOT NULL,
            client_id TEXT NOT NULL UNIQUE
        ) STRICT;
        CREATE TRIGGER turn_is_former AFTER DELETE ON turn BEGIN
            INSERT OR REPLACE INTO former_message (client_id) VALUES (old.client_id);
            DELETE FROM former_message WHERE id <= (SELECT max(id) FROM former_message) - \(ChatStore.formerLimit);
        END;
        """

    // The index keeps no text of its own: it reads it from the view, when it shows what was found.
    private static let search = """
        CREATE VIEW turn_words AS SELECT id, text AS asked, (
            SELECT group_concat(text, char(10)) FROM (
                SELECT text FROM block WHERE block.turn = turn.id AND kind = 'text' ORDER BY position)) AS answered
            FROM turn;
        CREATE VIRTUAL TABLE word USING fts5(
            asked, answered, content = 'turn_words', content_rowid = 'id',
            tokenize = 'unicode61 remove_diacritics 2');
        INSERT INTO word (rowid, asked, answered)
            SELECT id, asked, answered FROM turn_words WHERE id IN (SELECT id FROM turn WHERE ended IS NOT NULL);
        """

    // Of a session what its next message goes with, of a turn what it went with; null: as the agent has it.
    private static let choice = """
        ALTER TABLE session ADD COLUMN model TEXT;
        ALTER TABLE session ADD COLUMN agent TEXT;
        ALTER TABLE turn ADD COLUMN model TEXT;
        ALTER TABLE turn ADD COLUMN agent TEXT;
        """

    // `prompt` is the agent's own id of the message. A turn that was taken back can be brought back (1) until something
    // is said since (2). An errand is what the agent is still to do to a session of its own: a new title, or (null) its
    // end; the session here may be gone by then.
    private static let copies = """
        ALTER TABLE turn ADD COLUMN prompt TEXT;
        ALTER TABLE turn ADD COLUMN taken_back INTEGER NOT NULL DEFAULT 0 CHECK (taken_back IN (0, 1, 2));
        CREATE TABLE errand (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            agent_session TEXT NOT NULL,
            title TEXT,
            created INTEGER NOT NULL
        ) STRICT;
        """

    // A day is one of this machine's time zone, YYYY-MM-DD; its sum outlives the sessions that made it.
    private static let usage = """
        ALTER TABLE turn ADD COLUMN tokens INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE turn ADD COLUMN cost REAL NOT NULL DEFAULT 0;
        CREATE TABLE spent (
            day TEXT PRIMARY KEY NOT NULL,
            tokens INTEGER NOT NULL,
            cost REAL NOT NULL
        ) STRICT, WITHOUT ROWID;
        """

    // Earlier versions stored whatever number the agent said; sums of them overflow.
    private static let bounds = """
        UPDATE turn SET tokens = min(max(tokens, 0), \(5 * Usage.tokensLimit)),
            cost = min(max(cost, 0.0), \(Usage.costLimit))
            WHERE tokens NOT BETWEEN 0 AND \(5 * Usage.tokensLimit) OR cost NOT BETWEEN 0 AND \(Usage.costLimit);
        UPDATE spent SET tokens = min(max(tokens, 0), \(ChatStore.dayTokensLimit)),
            cost = min(max(cost, 0.0), \(ChatStore.dayCostLimit))
            WHERE tokens NOT BETWEEN 0 AND \(ChatStore.dayTokensLimit)
            OR cost NOT BETWEEN 0 AND \(ChatStore.dayCostLimit);
        """
}

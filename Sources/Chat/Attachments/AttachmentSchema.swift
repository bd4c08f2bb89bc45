/// The tables of attachments. `file` is content that lies beside the store, `attachment` what of it a turn has under which
/// name. `content` is empty here: a backup, which is one file, has the contents in it.
enum AttachmentSchema {
    static let tables = """
        CREATE TABLE file (
            hash TEXT PRIMARY KEY NOT NULL CHECK (length(hash) = 64),
            mime TEXT NOT NULL,
            bytes INTEGER NOT NULL,
            created INTEGER NOT NULL,
            used INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE TABLE attachment (
            turn INTEGER NOT NULL REFERENCES turn(id) ON DELETE CASCADE,
            place INTEGER NOT NULL,
            hash TEXT NOT NULL REFERENCES file(hash),
            name TEXT NOT NULL,
            PRIMARY KEY (turn, place)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX attachment_hash ON attachment(hash);
        CREATE TABLE content (
            hash TEXT PRIMARY KEY NOT NULL REFERENCES file(hash) ON DELETE CASCADE,
            bytes BLOB NOT NULL
        ) STRICT;
        """
}

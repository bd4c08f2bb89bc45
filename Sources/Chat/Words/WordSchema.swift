/// Words, whom they are for, and devices that want to be told. Whom a word is for stands in `delivery` until it came or was
/// given up; no device is the webhook.
enum WordSchema {
    static let tables = """
        CREATE TABLE owner_word (
            id TEXT NOT NULL UNIQUE,
            key TEXT NOT NULL UNIQUE,
            body TEXT NOT NULL,
            urgent INTEGER NOT NULL,
            created INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE subscription (
            device TEXT PRIMARY KEY NOT NULL REFERENCES device(id) ON DELETE CASCADE,
            endpoint TEXT NOT NULL,
            public_key BLOB NOT NULL CHECK (length(public_key) = 65),
            secret BLOB NOT NULL CHECK (length(secret) = 16),
            created INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE delivery (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            word TEXT NOT NULL REFERENCES owner_word(id) ON DELETE CASCADE,
            device TEXT REFERENCES subscription(device) ON DELETE CASCADE,
            tries INTEGER NOT NULL,
            due INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX delivery_due ON delivery(due);
        CREATE INDEX delivery_word ON delivery(word);
        CREATE INDEX delivery_device ON delivery(device);
        """

    /// A link is there as it goes out, until it came or was given up; what lets in is the hash of its code.
    static let links = """
        ALTER TABLE delivery ADD COLUMN link TEXT;
        ALTER TABLE delivery ADD COLUMN link_device TEXT;
        CREATE TABLE return_code (
            hash BLOB PRIMARY KEY NOT NULL CHECK (length(hash) = 32),
            device TEXT NOT NULL REFERENCES device(id) ON DELETE CASCADE,
            until INTEGER NOT NULL,
            tries INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX return_code_device ON return_code(device);
        """
}

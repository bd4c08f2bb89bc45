import Foundation
import GRDB

/// A turn in which something was found.
public struct Finding: Hashable, Sendable {
    /// Its session, with title.
    public var session: SessionID
    /// Title of the session.
    public var title: String
    /// The turn.
    public var turn: TurnID
    /// Words around what was found; found words stand between U+0002 and U+0003.
    public var snippet: String
    /// Milliseconds since 1970: when the message was accepted.
    public var created: Int64
}

extension ChatStore {
    /// Bytes of what is searched for.
    public static let searchLimit = 200
    /// Turns that are looked at where the index does not help: the newest.
    static let scanLimit = 20_000
    // Read in one go, so that nobody waits long for the store.
    private static let scanStep = 500

    /// Turns that hold all these words, or words that begin with them, in the message or the answer; newest first. Only
    /// turns that are over are searched. A word of a script without spaces may stand anywhere.
    public func search(_ text: String, limit: Int) async throws -> [Finding] {
        let words = text.split { !$0.isLetter && !$0.isNumber }
        guard !words.isEmpty, text.utf8.count <= Self.searchLimit else {
            throw ChatError(
                .badRequest, "what is searched for has letters or digits, and at most \(Self.searchLimit) bytes")
        }
        if words.contains(where: { $0.unicodeScalars.contains(where: Self.isUnspaced) }) {
            return try await scan(words.map(String.init), limit: min(max(limit, 1), 100))
        }
        // Each word in quotes: nothing in it is an operator (https://sqlite.org/fts5.html, 3).
        let pattern = words.map { "\"\($0)\"*" }.joined(separator: " ")
        let marks = Marks()
        return try await queue.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT turn.session, session.title, turn.id, turn.created, \
                    snippet(word, -1, ?, ?, '…', 16) AS snippet \
                    FROM word JOIN turn ON turn.id = word.rowid JOIN session ON session.id = turn.session \
                    WHERE word MATCH ? ORDER BY word.rowid DESC LIMIT ?
                    """, arguments: [marks.begin, marks.end, pattern, min(max(limit, 1), 100)])
            return rows.map { row in
                Finding(
                    session: SessionID(rawValue: row["session"]), title: row["title"],
                    turn: TurnID(rawValue: row["id"]),
                    snippet: marks.shown(row["snippet"]), created: row["created"])
            }
        }
    }

    /// What stands around found words, as FTS5 writes it: nothing that somebody said.
    private struct Marks {
        let begin: String
        let end: String

        init() {
            let bits = UInt64.random(in: .min ... .max)
            begin = "\u{2}\(bits)\u{2}"
            end = "\u{3}\(bits)\u{3}"
        }

        /// With those of `Finding` in their place, and none that came with the text.
        func shown(_ snippet: String) -> String {
            snippet.split(separator: begin, omittingEmptySubsequences: false)
                .map { part in
                    part.split(separator: end, omittingEmptySubsequences: false).map { Self.plain($0) }
                        .joined(separator: "\u{3}")
                }
                .joined(separator: "\u{2}")
        }

        static func plain(_ text: some StringProtocol) -> String {
            String(text.filter { $0 != "\u{2}" && $0 != "\u{3}" })
        }
    }

    /// Written without spaces between words, of which the index knows whole runs only: Han, kana, Thai, Lao, Khmer, Burmese.
    private static func isUnspaced(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0E00...0x0EFF, 0x1000...0x109F, 0x1780...0x17FF, 0x3005...0x30FF, 0x31F0...0x31FF, 0x3400...0x9FFF,
            0xF900...0xFAFF, 0xFF66...0xFF9F, 0x20000...0x3FFFF:
            true
        case _: false
        }
    }

    /// Turns that hold all these words, wherever they stand in others; the newest turns are looked at, some at a time.
    private func scan(_ words: [String], limit: Int) async throws -> [Finding] {
        // Letters and digits only: nothing in them is a wildcard.
        let condition = words.map { _ in "said LIKE ?" }.joined(separator: " AND ")
        let patterns = words.map { "%\($0)%" }
        var found: [Finding] = []
        var before = Int64.max
        for _ in 0..<(Self.scanLimit / Self.scanStep) {
            let (from, findings) = try await queue.read { [before] db in
                let from = try Int64.fetchOne(
                    db,
                    sql: """
                        SELECT min(id) FROM (SELECT id FROM turn WHERE id < ? ORDER BY id DESC LIMIT \(Self.scanStep))
                        """,
                    arguments: [before])
                let rows = try Row.fetchAll(
                    db,
                    sql: """
                        SELECT turn.session, session.title, turn.id, turn.created, said FROM (\
                        SELECT id, asked || char(10) || ifnull(answered, '') AS said FROM turn_words WHERE id >= ? AND id < ?\
                        ) AS words JOIN turn ON turn.id = words.id JOIN session ON session.id = turn.session \
                        WHERE turn.ended IS NOT NULL AND \(condition) ORDER BY turn.id DESC LIMIT ?
                        """,
                    arguments: [from ?? before, before] + StatementArguments(patterns) + [limit])
                return (
                    from,
                    rows.map { row in
                        Finding(
                            session: SessionID(rawValue: row["session"]), title: row["title"],
                            turn: TurnID(rawValue: row["id"]), snippet: Self.snippet(row["said"], around: words[0]),
                            created: row["created"])
                    }
                )
            }
            found += findings
            guard let from, found.count < limit else { break }
            before = from
        }
        return Array(found.prefix(limit))
    }

    /// Some characters around the first place of a word, which stands between U+0002 and U+0003 as in FTS5's own.
    private static func snippet(_ said: String, around word: String) -> String {
        let text = Marks.plain(said)
        guard let place = text.range(of: word, options: .caseInsensitive) else { return String(text.prefix(60)) }
        let before = text[..<place.lowerBound].suffix(30)
        let after = text[place.upperBound...].prefix(30)
        return (before.startIndex > text.startIndex ? "…" : "") + before + "\u{2}" + text[place] + "\u{3}" + after
            + (after.endIndex < text.endIndex ? "…" : "")
    }

    /// When a turn is over its words do not change any more.
    static func rememberWords(_ db: Database, of turn: TurnID) throws {
        try db.execute(
            sql: "INSERT INTO word (rowid, asked, answered) SELECT id, asked, answered FROM turn_words WHERE id = ?",
            arguments: [turn.rawValue])
    }

    /// An index without content of its own is told what goes (https://sqlite.org/fts5.html, 6.2): before the turns do.
    static func forgetWords(_ db: Database, of session: SessionID) throws {
        let turns = try Int64.fetchAll(
            db, sql: "SELECT id FROM turn WHERE session = ?", arguments: [session.rawValue])
        try forgetWords(db, ofTurns: turns.map(TurnID.init))
    }

    /// The same for some turns.
    static func forgetWords(_ db: Database, ofTurns turns: [TurnID]) throws {
        let list = turns.map(\.description).joined(separator: ", ")
        try db.execute(
            sql: """
                INSERT INTO word (word, rowid, asked, answered) SELECT 'delete', id, asked, answered FROM turn_words \
                WHERE id IN (SELECT id FROM turn WHERE id IN (\(list)) AND ended IS NOT NULL)
                """)
    }

    /// Makes the index anew where FTS5 finds it damaged, which quick_check does not see: a turn could not end with it. One that
    /// cannot be looked at now, because another program holds the store, is at the next start.
    static func mendIndex(_ queue: DatabaseQueue) throws -> Bool {
        do {
            try queue.write { db in try db.execute(sql: "INSERT INTO word (word) VALUES ('integrity-check')") }
            return false
        } catch let error as DatabaseError where StoreInspection.isDamage(error) {
            try queue.write { db in try Self.indexAnew(db) }
            return true
        } catch  where StoreFailure.isPassing(error) {
            return false
        }
    }

    /// Of the turns that are over; the others are added when they are.
    static func indexAnew(_ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO word (word) VALUES ('delete-all');
                INSERT INTO word (rowid, asked, answered)
                    SELECT id, asked, answered FROM turn_words WHERE id IN (SELECT id FROM turn WHERE ended IS NOT NULL);
                """)
    }
}

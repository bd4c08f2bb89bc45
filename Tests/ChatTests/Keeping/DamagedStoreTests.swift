import AgentModel
import Chance
import Chat
import Foundation
import GRDB
import Testing

/// Real files, damaged in many places: what comes of them is usable or kept, byte for byte, and never overwritten.
@Suite(.timeLimit(.minutes(2)))
struct DamagedStoreTests {
    @Test func noDatabaseAtAll_isMovedAsideAndKept() async throws {
        let box = try await FilledStore()
        try box.change { $0.replaceSubrange(0..<26, with: Array("this is no database, is it".utf8)) }
        let store = try box.open()
        let aside = try #require(store.movedAside)
        #expect(aside.hasPrefix(box.path + ".damaged-") && store.damage != nil)
        #expect(try box.bytes(aside) == box.written)
        #expect(try await store.sessions().isEmpty)
    }

    @Test func damagedPages_areMovedAsideAndANewStoreWorks() async throws {
        let box = try await FilledStore()
        try box.change { bytes in
            #expect(bytes.count > 100_000)
            for page in stride(from: 4096, to: bytes.count, by: 4096) {
                for offset in page..<page + 64 { bytes[offset] = 0xA5 }
            }
        }
        let now = try #require(ISO8601DateFormatter().date(from: "2026-11-23T04:20:53Z"))
        let store = try box.open(now: now)
        #expect(store.movedAside == box.path + ".damaged-2026-11-23T042053Z")
        try await FilledStore.use(store)
        #expect(try await store.sessions().count == 1)
        // The next start says it again, as long as the file is there.
        try store.close()
        let next = try box.open()
        #expect(next.movedAside == store.movedAside && next.damage == nil)
    }

    @Test func soundStore_isNotMoved() async throws {
        let box = try await FilledStore()
        let store = try box.open()
        #expect(store.movedAside == nil && store.damage == nil && !store.hasNewIndex)
        #expect(try await store.sessions().count == FilledStore.sessions)
    }

    /// Bytes changed, pages emptied, the end cut off, at random places and at each byte of the header.
    @Test func damagedAnywhere_isUsableOrKeptAsItWas() async throws {
        let seed = Chance.seed()
        var random = SplitMix(seed: seed)
        let box = try await FilledStore()
        var moved = 0
        let rounds = ProcessInfo.processInfo.environment["NEXUS_LONG"] == "1" ? 1000 : 60
        for round in 0..<rounds + 100 {
            try box.change { bytes in
                let place = round < 100 ? round : Int.random(in: 0..<bytes.count, using: &random)
                switch round < 100 ? 0 : round % 4 {
                case 0: bytes[place] ^= UInt8.random(in: 1 ... .max, using: &random)
                case 1:
                    for offset in place..<min(place + 64, bytes.count) {
                        bytes[offset] = .random(in: 0 ... .max, using: &random)
                    }
                case 2:
                    let page = place / 4096 * 4096
                    for offset in page..<page + 4096 { bytes[offset] = 0 }
                case _: bytes.removeSubrange(place...)
                }
            }
            let store: ChatStore
            do {
                store = try box.open()
            } catch let refusal as StoreRefusal {
                // Bytes that say "another version" are left alone too.
                #expect(try box.bytes(box.path) == box.written, "seed \(seed), round \(round): \(refusal)")
                continue
            }
            if let aside = store.movedAside {
                moved += 1
                #expect(try box.bytes(aside) == box.written, "seed \(seed), round \(round): \(store.damage ?? "")")
                #expect(try await store.sessions().isEmpty, "seed \(seed), round \(round)")
            }
            await #expect(throws: Never.self, "seed \(seed), round \(round)") { try await FilledStore.use(store) }
            try store.close()
        }
        #expect(moved > rounds / 4, "seed \(seed)")
    }

    @Test func logOfADamagedFile_goesWithIt() async throws {
        let box = try await FilledStore()
        // Left open: what was accepted last is in the log only.
        let living = try box.open()
        try await FilledStore.use(living)
        let log = try box.bytes(box.path + "-wal")
        #expect(!log.isEmpty)
        let other = try box.copy()
        try other.change { bytes in for offset in 4096..<bytes.count where offset % 4096 < 64 { bytes[offset] = 0xA5 } }
        try Data(log).write(to: URL(fileURLWithPath: other.path + "-wal"))
        let store = try other.open()
        let aside = try #require(store.movedAside)
        #expect(try other.bytes(aside) == other.written)
        #expect(try other.bytes(aside + "-wal") == log)
        #expect(try await store.sessions().isEmpty)
    }

    /// What a process leaves that is killed while it writes the file itself (a restore does): nobody may read it before
    /// that is undone, and it is sound.
    @Test func killedWhileWritingTheFile_isNoDamage() async throws {
        let box = try await FilledStore()
        let other = try box.copy()
        let (from, to) = (box.path, other.path)
        let queue = try DatabaseQueue(path: from)
        try await queue.writeWithoutTransaction { db in
            // Few pages in memory: the others are written before the transaction ends.
            try db.execute(sql: "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 5; BEGIN")
            try db.execute(sql: "UPDATE block SET text = text || 'more'; UPDATE turn SET text = 'changed'")
            for companion in ["", "-journal"] {
                try Data(contentsOf: URL(fileURLWithPath: from + companion))
                    .write(to: URL(fileURLWithPath: to + companion))
            }
            try db.execute(sql: "ROLLBACK")
        }
        let store = try other.open()
        #expect(store.movedAside == nil)
        #expect(try await store.sessions().count == FilledStore.sessions)
        #expect(try await store.search("changed", limit: 1).isEmpty)
        try await FilledStore.use(store)
    }

    /// A crash between the two renames: SQLite would take the log for a stale one and delete it.
    @Test func logWithoutItsFile_isKept() async throws {
        let box = try await FilledStore()
        let living = try box.open()
        try await FilledStore.use(living)
        let log = try box.bytes(box.path + "-wal")
        let other = try box.copy()
        try Data(log).write(to: URL(fileURLWithPath: other.path + "-wal"))
        try FileManager.default.moveItem(atPath: other.path, toPath: other.path + ".damaged-2026-11-23T042053Z")
        let store = try other.open()
        #expect(try await store.sessions().isEmpty)
        #expect(store.movedAside == other.path + ".damaged-2026-11-23T042053Z")
        #expect(try other.bytes(other.path + ".damaged-2026-11-23T042053Z-wal") == log)
    }

    /// Emptied, or taken away, by whom ever: what was stored last stands in the log.
    @Test(arguments: [false, true]) func logOfAFileThatIsGone_isKeptAndSaid(isEmpty: Bool) async throws {
        let box = try await FilledStore()
        let living = try box.open()
        try await FilledStore.use(living)
        let log = try box.bytes(box.path + "-wal")
        let other = try box.copy()
        try FileManager.default.removeItem(atPath: other.path)
        if isEmpty { try Data().write(to: URL(fileURLWithPath: other.path)) }
        try Data(log).write(to: URL(fileURLWithPath: other.path + "-wal"))
        let store = try other.open()
        #expect(try await store.sessions().isEmpty)
        let aside = try #require(store.movedAside)
        #expect(aside.hasSuffix("-wal") && store.lostLog?.contains(aside) == true)
        #expect(try other.bytes(aside) == log)
        try await FilledStore.use(store)
        try store.close()
        // As long as it lies there.
        #expect(try other.open().movedAside == aside)
    }

    /// As a second try does not mend it, it is no crash; nor is a log beside it anybody else's.
    @Test(arguments: [("a directory", S_IFDIR), ("a pipe", S_IFIFO)])
    func anotherKindInPlaceOfTheFile_isRefusedInWords(kind: String, mode: mode_t) throws {
        let directory = FileManager.default.temporaryDirectory.path + "/nexus-chat-test-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let path = directory + "/chat.sqlite"
        #expect((mode == S_IFDIR ? mkdir(path, 0o700) : mknod(path, mode | 0o600, 0)) == 0)
        try Data("a log".utf8).write(to: URL(fileURLWithPath: path + "-wal"))
        let error = #expect(throws: StoreRefusal.self) { try ChatStore(directory: directory) }
        #expect(error?.description.contains("chat.sqlite is \(kind) and no file") == true)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory).sorted() == [
                "chat.sqlite", "chat.sqlite-wal",
            ])
    }

    /// Somebody moved it to a larger disk.
    @Test(arguments: [true, false]) func linkInPlaceOfTheFile_isRefusedWithWhatToMove(_ leads: Bool) async throws {
        let box = try await FilledStore()
        let place = box.directory + "/elsewhere"
        try FileManager.default.moveItem(atPath: box.path, toPath: place)
        try FileManager.default.createSymbolicLink(atPath: box.path, withDestinationPath: leads ? place : "/none")
        let before = try box.bytes(place)
        let error = #expect(throws: StoreRefusal.self) { try box.open() }
        let words = error?.description ?? ""
        #expect(words.contains("is a symbolic link") && words.contains("--directory"), "\(words)")
        #expect(try box.bytes(place) == before)
    }

    @Test func newerSchema_isRefusedInWordsAndUntouched() async throws {
        let box = try await FilledStore()
        try box.execute("INSERT INTO grdb_migrations VALUES ('99: thoughts')")
        let before = try box.bytes(box.path)
        let refusal = #expect(throws: StoreRefusal.self) { try box.open() }
        #expect(refusal?.description.contains("newer Nexus (it has \"99: thoughts\"") == true)
        #expect(try box.bytes(box.path) == before)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: box.directory).count { $0.contains("damaged") } == 0)
    }

    /// What people do to a database that they look into.
    @Test func whatSomebodyAdded_isHis_andNoDamage() async throws {
        let box = try await FilledStore()
        for sql in [
            "ANALYZE", "CREATE INDEX of_mine ON turn(created)", "CREATE TABLE notes (text)",
            "CREATE VIEW lately AS SELECT id FROM turn", "INSERT INTO notes VALUES ('kept')",
        ] { try box.execute(sql) }
        let store = try box.open()
        #expect(store.movedAside == nil && store.damage == nil)
        #expect(try await store.sessions().count == FilledStore.sessions)
        try await FilledStore.use(store)
        // It is in no backup, and in the way of none.
        let backup = try await store.backup()
        let restore = try StoreRestore(into: store, bytes: backup.bytes)
        let bytes = try backup.read(at: 0, upTo: Int(backup.bytes))
        #expect(Data(bytes).range(of: Data("notes".utf8)) == nil)
        try restore.take(bytes)
        _ = try await restore.prepare()
        _ = try await store.replace(with: restore)
        let again = try box.open()
        #expect(try await again.sessions().count == FilledStore.sessions + 1)
        #expect(again.movedAside == nil)
    }

    @Test(arguments: ["DROP INDEX turn_open", "ALTER TABLE device RENAME COLUMN address TO place", "DROP TABLE errand"])
    func ourOwnThatIsMissingOrChanged_isRefusedInWordsAndUntouched(_ sql: String) async throws {
        let box = try await FilledStore()
        try box.execute(sql)
        let before = try box.bytes(box.path)
        let refusal = #expect(throws: StoreRefusal.self) { try box.open() }
        #expect(refusal?.description.contains("is not as any version of Nexus makes it") == true)
        #expect(try box.bytes(box.path) == before)
    }

    @Test func databaseOfSomebodyElse_isRefusedInWordsAndUntouched() async throws {
        let box = try await FilledStore()
        for table in ["word", "grdb_migrations"] { try box.execute("DROP TABLE \(table)") }
        let before = try box.bytes(box.path)
        let refusal = #expect(throws: StoreRefusal.self) { try box.open() }
        #expect(refusal?.description.contains("is no store of chat-bridge") == true)
        #expect(try box.bytes(box.path) == before)
    }

    /// quick_check does not look into it, and a turn could not end with it.
    @Test func damagedIndexOfWords_isMadeAnew() async throws {
        let box = try await FilledStore()
        try box.execute("UPDATE word_data SET block = x'0102030405' WHERE id > 10")
        let store = try box.open()
        #expect(store.hasNewIndex && store.movedAside == nil)
        #expect(try await store.search("message 39", limit: 10).count == 1)
        try await FilledStore.use(store)
    }
}

/// A store with something of everything, closed: its bytes can be changed and looked at.
final class FilledStore {
    static let sessions = 40
    let directory: String
    var path: String { directory + "/chat.sqlite" }
    /// As it was closed.
    private let sound: [UInt8]
    /// As `change` left it.
    private(set) var written: [UInt8]

    init() async throws {
        directory = FileManager.default.temporaryDirectory.path + "/nexus-chat-test-\(UUID().uuidString)"
        let store = try ChatStore(directory: directory)
        for number in 0..<Self.sessions { try await Self.use(store, number) }
        try store.close()
        sound = Array(try Data(contentsOf: URL(fileURLWithPath: directory + "/chat.sqlite")))
        written = sound
    }

    private init(of other: FilledStore) throws {
        directory = other.directory + "-copy"
        sound = other.sound
        written = sound
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try change { _ in }
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// The same in a directory of its own.
    func copy() throws -> FilledStore { try FilledStore(of: self) }

    /// Begins from the sound file: nothing else is in the directory.
    func change(_ body: (inout [UInt8]) -> Void) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
            try FileManager.default.removeItem(atPath: directory + "/" + name)
        }
        written = sound
        body(&written)
        try Data(written).write(to: URL(fileURLWithPath: path))
    }

    func open(now: Date = Date()) throws -> ChatStore { try ChatStore(directory: directory, now: now) }

    /// With SQLite alone.
    func execute(_ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { db in try db.execute(sql: sql) }
        try queue.close()
    }

    func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

    /// Takes a message, answers it, reads it back.
    static func use(_ store: ChatStore, _ number: Int = 4711) async throws {
        var generator = SystemRandomNumberGenerator()
        let turn = try await store.accept(
            Submission(session: nil, text: "message \(number)", clientID: UUID().uuidString),
            newSession: .random(using: &generator), before: .start, workspaces: Workspaces(names: nil)
        ).turn
        let text = "answer \(number) " + String(repeating: "\(number * 7) ", count: 300)
        func event(_ number: Int64, _ what: ChatEvent.What) -> ChatEvent {
            ChatEvent(number: EventNumber(rawValue: number), session: turn.session, turn: turn.id, what: what)
        }
        try await store.takeUp(turn.id)
        try await store.end(
            turn.id, .done, reason: nil,
            last: [
                event(1, .text(block: "b", text: text, replaces: true)), event(2, .ended(.done, reason: nil)),
            ])
        let blocks = try await store.blocks(of: turn)
        guard blocks.map(\.what) == [.text(block: "b", text: text, replaces: true)] else { throw NotReadBack() }
    }
}

/// What was stored came back changed.
struct NotReadBack: Error {}

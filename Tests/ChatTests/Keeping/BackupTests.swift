import AgentModel
import Chat
import Foundation
import GRDB
import Testing

/// Backup by SQLite's own API beside running chats, and the way back.
@Suite(.timeLimit(.minutes(2)))
struct BackupTests {
    private static func bytes(_ backup: StoreBackup) throws -> [UInt8] {
        var all: [UInt8] = []
        while case let piece = try backup.read(at: Int64(all.count), upTo: 10_000), !piece.isEmpty { all += piece }
        return all
    }

    private static func restore(_ bytes: [UInt8], into store: ChatStore) async throws -> String {
        let restore = try StoreRestore(into: store, bytes: Int64(bytes.count))
        for start in stride(from: 0, to: bytes.count, by: 30_000) {
            try restore.take(Array(bytes[start..<min(start + 30_000, bytes.count)]))
        }
        _ = try await restore.prepare()
        return try await store.replace(with: restore)
    }

    /// Most of it is in its log.
    @Test func copyOfTheFileOfAStoreInUse_isRefusedWithTheRemedy() async throws {
        let box = try StoreBox()
        _ = try await box.accept("hello")
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: box.directory + "/chat.sqlite")))
        let error = await #expect(throws: ChatError.self) { try await Self.restore(bytes, into: box.store) }
        #expect(error?.message.contains("nexusctl chat backup") == true, "\(error?.message ?? "")")
    }

    private static func device(_ number: UInt8) -> (Device, [UInt8]) {
        let device = Device(
            id: DeviceID(rawValue: "dev\(number)"), name: "phone \(number)", role: .owner, created: 1,
            seen: Int64(Date().timeIntervalSince1970 * 1000), address: "127.0.0.1")
        return (device, [UInt8](repeating: number, count: 32))
    }

    @Test func backupWhileMessagesCome_isOneMoment() async throws {
        let box = try StoreBox()
        let first = try await box.accept("message 0")
        let writer = Task { [store = box.store] in
            var count = 0
            while !Task.isCancelled {
                count += 1
                var generator = SystemRandomNumberGenerator()
                let submission = Submission(session: first.session, text: "message \(count)", clientID: "w\(count)")
                do {
                    let turn = try await store.accept(
                        submission, newSession: .random(using: &generator), before: .start,
                        workspaces: Workspaces(names: nil)
                    ).turn
                    try await store.end(turn.id, .done, reason: nil, last: [])
                } catch is CancellationError {}
            }
            return count
        }
        var backups: [StoreBackup] = []
        for _ in 0..<8 { backups.append(try await box.store.backup()) }
        writer.cancel()
        let written = try await writer.value
        #expect(written > 8)
        for backup in backups {
            let other = try StoreBox()
            _ = try await Self.restore(Self.bytes(backup), into: other.store)
            try other.reopen()
            let texts = try await other.store.turns(of: first.session, limit: 10_000).map(\.text)
            // Everything up to one moment, nothing behind it.
            #expect(texts == (0..<texts.count).map { "message \($0)" } && texts.count == backup.contents.turns)
            #expect(try await other.store.search("message 0", limit: 100).isEmpty == false || texts.count < 2)
        }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: box.directory).count { $0.contains("partial") } == 0)
    }

    @Test func restored_conversationsAreThoseOfTheBackup_whatIsTheMachinesStays() async throws {
        let box = try StoreBox()
        let (revoked, revokedHash) = Self.device(17)
        let (later, laterHash) = Self.device(23)
        try await box.store.add(revoked, tokenHash: revokedHash)
        let push = PushSubscription(
            endpoint: "https://push.example.invalid/mine", publicKey: Data([4] + [UInt8](repeating: 1, count: 64)),
            secret: Data(count: 16))
        try await box.store.subscribe(revoked.id, try #require(push))
        try await FilledStore.use(box.store, 1)
        let open = try await box.accept("waits")
        let bytes = try Self.bytes(try await box.store.backup())
        // Who may come in is nothing that a backup tells.
        #expect(Data(bytes).range(of: Data(revokedHash)) == nil && Data(bytes).range(of: Data("phone 17".utf8)) == nil)
        #expect(Data(bytes).range(of: Data("push.example.invalid".utf8)) == nil)

        try await box.store.end(open.id, .done, reason: nil, last: [])
        try await box.store.revoke(revoked.id)
        try await box.store.add(later, tokenHash: laterHash)
        let position = try await box.store.reserve(open.session)
        try await FilledStore.use(box.store, 2)
        let newest = try #require(try await box.store.sessions().first)
        let kept = try await Self.restore(bytes, into: box.store)
        // Until the process ends, whoever asks (a page, a device) is answered: SQLite would not outlive a question after its end.
        await #expect(throws: ChatError.self) { try await box.accept("too late") }
        #expect(try await box.store.devices().map(\.id) == [later.id])
        #expect(try await box.store.sessions().count == 3)

        try box.reopen()
        #expect(box.store.movedAside == nil)
        #expect(try await box.store.sessions().count == 2)
        #expect(try await box.store.session(newest.id) == nil)
        let turn = try #require(try await box.store.turn(open.id))
        #expect(turn.state == .interrupted && turn.reason?.contains("not sent again") == true)
        #expect(try await box.store.devices().map(\.id) == [later.id])
        // No number is given twice, whatever was given out meanwhile.
        #expect(try await box.store.reserve(open.session) > position)
        #expect(try await box.accept("another").id > TurnID(rawValue: 3))
        #expect(try await box.store.search("waits", limit: 10).count == 1)

        let before = try DatabaseQueue(path: kept)
        #expect(try await before.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM session") } == 3)
    }

    /// Neither what was deleted since nor what a restore takes back is done once more by its sender's next try.
    @Test func messageThatIsInNoRestoredConversation_isNotTakenAgain() async throws {
        let box = try StoreBox()
        let bytes = try Self.bytes(try await box.store.backup())
        for client in ["deleted", "later"] {
            let turn = try await box.accept("hello", client: client)
            try await box.store.end(turn.id, .done, reason: nil, last: [])
            if client == "deleted" { try await box.store.delete(turn.session) }
        }
        _ = try await Self.restore(bytes, into: box.store)
        try box.reopen()
        for client in ["deleted", "later"] {
            let error = await #expect(throws: ChatError.self) { try await box.accept("hello", client: client) }
            #expect(error?.code == .noSession)
        }
        #expect(try await box.store.sessions().isEmpty)
    }

    /// What is bad is the file that was given, not the copy of it that is gone by then.
    @Test(arguments: [
        "DELETE FROM grdb_migrations WHERE rowid = 1",
        """
        UPDATE turn SET state = 'running', ended = NULL WHERE id = 1;
        UPDATE block SET kind = 'tool', text = CAST(zeroblob(30) AS TEXT) WHERE turn = 1
        """,
    ]) func backupThatIsNoneInItself_isSaidToBeDamaged(_ sql: String) async throws {
        let box = try StoreBox()
        let bad = try await FilledStore()
        try bad.execute(sql)
        let error = await #expect(throws: ChatError.self) {
            try await Self.restore(try bad.bytes(bad.path), into: box.store)
        }
        let words = error?.message ?? ""
        #expect(error?.code == .badRequest && words.contains("it is damaged"), "\(words)")
        #expect(!words.contains("partial") && !words.contains("restart chat-bridge"), "\(words)")
    }

    @Test func whatIsNoBackup_isRefusedInWordsAndChangesNothing() async throws {
        let box = try StoreBox()
        try await FilledStore.use(box.store, 1)
        let sound = try Self.bytes(try await box.store.backup())
        var damaged = sound
        for offset in 8192..<8256 { damaged[offset] = 0xA5 }
        let newer = try await FilledStore()
        try newer.execute("INSERT INTO grdb_migrations VALUES ('99: thoughts')")
        let other = try await FilledStore()
        for table in ["word", "grdb_migrations"] { try other.execute("DROP TABLE \(table)") }
        let strange = try await FilledStore()
        try strange.execute("DROP TABLE errand")
        for (bytes, words) in [
            (damaged, "damaged"), (Array(sound.dropLast(5000)), "damaged"),
            (Array("no database at all".utf8), "damaged"),
            ([UInt8](repeating: 0, count: 4096), "not a database"), (try newer.bytes(newer.path), "newer Nexus"),
            (try other.bytes(other.path), "a database of something else"),
            (try strange.bytes(strange.path), "its errand is not as"),
        ] {
            let error = await #expect(throws: ChatError.self) { try await Self.restore(bytes, into: box.store) }
            #expect(error?.code == .badRequest && error?.message.contains(words) == true, "\(error?.message ?? "")")
            // Nothing is the matter with the store.
            #expect(error?.message.contains("move") == false, "\(error?.message ?? "")")
            try await FilledStore.use(box.store, 3)
        }
        let short = try StoreRestore(into: box.store, bytes: Int64(sound.count))
        try short.take(Array(sound.dropLast(10)))
        await #expect(throws: ChatError.self) { try await short.prepare() }
        #expect(throws: ChatError.self) { try short.take([UInt8](repeating: 0, count: 11)) }
        #expect(try await box.store.sessions().count == 8)
    }

    @Test func turnsUnderWay_areNotSweptAway() async throws {
        let box = try StoreBox()
        let bytes = try Self.bytes(try await box.store.backup())
        let turn = try await box.accept("I am at it")
        let error = await #expect(throws: ChatError.self) { try await Self.restore(bytes, into: box.store) }
        #expect(error?.code == .busy && error?.message.contains("1 turn waits or runs") == true)
        // Nothing is closed: it goes on.
        try await box.store.takeUp(turn.id)
    }
}

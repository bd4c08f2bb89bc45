import AgentModel
import Foundation
import GRDB
import Testing

@testable import Chat

/// Each store that any version up to now made is opened, with all that is in it.
@Suite(.timeLimit(.minutes(1)))
struct FormerVersionTests {
    /// As they were released, one behind the other; a name that changes, or goes, makes a stranger of somebody's store.
    private static let released = [
        "1: sessions, turns, blocks, events", "2: devices", "3: search", "application id", "choice of model and agent",
        "word: words, subscriptions, deliveries", "password", "what turns and days used",
        "copies, what is taken back, errands", "links by which devices come back", "attachments",
        "bounds of what turns and days used", "what the list shows, and its changes", "tokens that were revoked",
        "sessions that the agent may be at work in", "messages whose session is gone",
    ]
    /// A version lived for forty minutes in which what the list shows was there and the step before it not yet.
    private static let versions =
        (1...released.count).map { Array(released.prefix($0)) } + [
            released.filter { !$0.hasPrefix("bounds") }.dropLast(2)
        ]

    @Test func steps_areThoseThatWereReleased_inTheirOrder() {
        #expect(Array(Schema.steps.map(\.name).prefix(Self.released.count)) == Self.released)
        #expect(Set(Schema.steps.map(\.name)).count == Schema.steps.count)
    }

    private func make(_ names: [String], in directory: String) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let old = try DatabaseQueue(path: directory + "/chat.sqlite")
        defer { try? old.close() }
        var migrator = DatabaseMigrator()
        for step in Schema.steps where names.contains(step.name) {
            migrator.registerMigration(step.name, migrate: step.make)
        }
        try migrator.migrate(old)
        try old.write { db in
            try db.execute(
                sql: """
                    INSERT INTO session (id, title, reserved, created, updated) VALUES ('s', 'a title', 1024, 1, 1);
                    INSERT INTO turn (id, session, client_id, state, text, before_seq, created, ended) VALUES
                        (1, 's', 'a', 'done', 'asked for quinces', 0, 1, 1);
                    INSERT INTO turn (id, session, client_id, state, text, before_seq, created) VALUES
                        (2, 's', 'b', 'queued', 'waits', 2, 2);
                    INSERT INTO block (turn, kind, key, position, text) VALUES (1, 'text', 'b', 1, 'found medlars');
                    INSERT INTO event (session, seq, turn, kind, key) VALUES ('s', 1, 1, 'text', 'b');
                    """)
            // What versions before the bounds took for a number.
            guard names.contains("what turns and days used"), !names.contains(where: { $0.hasPrefix("bounds") }) else {
                return
            }
            try db.execute(sql: "UPDATE turn SET tokens = 9223372036854775807, cost = 9e999 WHERE id = 1")
        }
    }

    @Test(arguments: versions) func storeOfAnEarlierVersion_isOpenedWithAllThatIsInIt(names: [String]) async throws {
        let directory = FileManager.default.temporaryDirectory.path + "/nexus-chat-version-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try make(names, in: directory)
        // The second opening finds it as this version makes it.
        for _ in 0..<2 {
            let store = try ChatStore(directory: directory)
            #expect(store.movedAside == nil)
            let session = try #require(try await store.sessions().first)
            #expect(session.title == "a title" && session.turns == 2 && session.state == .queued)
            #expect(session.cost.isFinite && (0...(10 * Usage.tokensLimit)).contains(session.tokens))
            let opening = try await store.opening(of: session.id, Stretch())
            #expect(opening.turns.map(\.turn.text) == ["asked for quinces", "waits"])
            #expect(opening.turns[0].blocks.map(\.what) == [.text(block: "b", text: "found medlars", replaces: true)])
            if names.count <= 2 {
                // The step that makes the index fills it.
                #expect(try await store.search("medlars", limit: 5).count == 1)
            }
            #expect(try await store.queued(in: session.id).map(\.text) == ["waits"])
            try store.close()
        }
    }
}

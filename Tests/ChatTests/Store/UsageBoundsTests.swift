import AgentModel
import Foundation
import GRDB
import Testing

@testable import Chat

/// Whatever numbers an agent says, no sum of them overflows, and every session can be listed.
@Suite(.timeLimit(.minutes(1)))
struct UsageBoundsTests {
    @Test(arguments: ["9e18", "1e30", "9223372036854775807", "1e308"])
    func numbersBeyondAllBounds_areTheBound(number: String) throws {
        let json =
            #"{"input":\#(number),"output":\#(number),"reasoning":0,"cache_read":-5,"cache_write":0,"cost":\#(number)}"#
        let usage = try JSONDecoder().decode(Usage.self, from: Data(json.utf8))
        #expect(usage.input == Usage.tokensLimit && usage.cacheRead == 0 && usage.cost == Usage.costLimit)
        let sum = (0..<100).reduce(Usage()) { sum, _ in sum + usage }
        #expect(sum.tokens == 2 * Usage.tokensLimit && sum.cost == Usage.costLimit)
        #expect(try JSONDecoder().decode(Usage.self, from: JSONEncoder().encode(sum)) == sum)
        #expect(
            Usage.tokens(.nan) == 0 && Usage(cost: .infinity).cost == Usage.costLimit && Usage(cost: .nan).cost == 0)
    }

    @Test func sumsOfSessionAndDay_stayNumbers() async throws {
        let box = try StoreBox()
        let largest = Usage(
            input: .max, output: .max, reasoning: .max, cacheRead: .max, cacheWrite: .max,
            cost: .greatestFiniteMagnitude)
        let turn = try await box.accept("one")
        _ = try await box.store.reserve(turn.session)
        // Reckoned anew again and again: each time the day gets all of it.
        let events = (1...3000).map { number in
            ChatEvent(
                number: EventNumber(rawValue: Int64(number)), session: turn.session, turn: turn.id,
                what: .usage(number.isMultiple(of: 2) ? Usage() : largest))
        }
        try await box.store.append(events)
        let spent = try await box.store.spentToday()
        #expect(spent.tokens == ChatStore.dayTokensLimit && spent.cost == ChatStore.dayCostLimit)
        #expect(try await box.store.sessions().first?.tokens == 0)
        #expect(DailyCeiling(tokens: 1000).refusal(of: spent, at: Date()) != nil)
    }

    @Test func storeOfAnEarlierVersionWithSuchNumbers_isReadAgain() async throws {
        let directory = FileManager.default.temporaryDirectory.path + "/nexus-chat-bounds-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let old = try DatabaseQueue(path: directory + "/chat.sqlite")
        try Schema.migrator.migrate(old, upTo: "attachments")
        try await old.write { db in
            try db.execute(
                sql: """
                    INSERT INTO session (id, title, created, updated) VALUES ('s', 't', 1, 1);
                    INSERT INTO turn (id, session, client_id, state, text, before_seq, created, ended, tokens, cost) VALUES
                        (1, 's', 'a', 'done', 'x', 0, 1, 1, 9000000000000000000, 1e308),
                        (2, 's', 'b', 'done', 'y', 0, 1, 1, 9000000000000000000, 9e999),
                        (3, 's', 'c', 'done', 'z', 0, 1, 1, 7, 0.5);
                    INSERT INTO event (session, seq, turn, kind, body) VALUES ('s', 1, 1, 'usage', ?);
                    INSERT INTO spent (day, tokens, cost) VALUES ('2026-11-26', 9000000000000000000, 9e999);
                    """,
                arguments: [
                    #"{"type":"usage","usage":{"input":9000000000000000000,"output":0,"reasoning":0,"cache_read":0,"cache_write":0,"cost":1e308}}"#
                ])
        }
        try old.close()
        let store = try ChatStore(directory: directory)
        let session = try #require(try await store.sessions().first)
        #expect(session.tokens == 10 * Usage.tokensLimit + 7 && session.cost == 2 * Usage.costLimit + 0.5)
        let opening = try await store.opening(of: session.id, Stretch())
        #expect(opening.turns[0].blocks.map(\.what) == [.usage(Usage(input: .max, cost: .infinity))])
        #expect(try JSONEncoder().encode(session.cost).isEmpty == false)
        #expect(
            try await store.queue.read { try Int.fetchOne($0, sql: "SELECT tokens FROM spent") }
                == ChatStore.dayTokensLimit)
    }
}

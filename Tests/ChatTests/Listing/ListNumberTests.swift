import AgentModel
import Chance
import Chat
import Foundation
import GRDB
import Testing

/// What the list of sessions says is kept with each session, and every change of it has a number.
@Suite(.timeLimit(.minutes(1)))
struct ListNumberTests {
    private func change(_ box: StoreBox, after number: ListNumber) async throws -> [ListChange] {
        try #require(try await box.store.listChanges(after: number))
    }

    /// The sums of a session's row, and the same counted anew.
    private func sums(_ box: StoreBox) throws -> (kept: [Row], counted: [Row]) {
        try DatabaseQueue(path: box.store.path).read { db in
            (
                try Row.fetchAll(
                    db, sql: "SELECT id, turns, tokens, round(cost, 9), reverted, state FROM session ORDER BY id"),
                try Row.fetchAll(
                    db,
                    sql: """
                        SELECT id, (SELECT count(*) FROM turn WHERE session = session.id),
                        (SELECT coalesce(sum(turn.tokens), 0) FROM turn WHERE session = session.id),
                        round((SELECT coalesce(sum(turn.cost), 0.0) FROM turn WHERE session = session.id), 9),
                        (SELECT count(*) FROM turn WHERE session = session.id AND taken_back = 1),
                        coalesce((SELECT turn.state FROM turn WHERE session = session.id AND
                            turn.state IN ('running', 'queued') ORDER BY turn.state = 'queued', id LIMIT 1),
                            (SELECT turn.state FROM turn WHERE session = session.id ORDER BY id DESC LIMIT 1), 'done')
                        FROM session ORDER BY id
                        """)
            )
        }
    }

    private func use(_ box: StoreBox, _ turn: ChatTurn, tokens: Int, cost: Double) async throws {
        try await box.store.append([
            ChatEvent(
                number: try await box.store.reserve(turn.session), session: turn.session, turn: turn.id,
                what: .usage(Usage(input: tokens, cost: cost)))
        ])
    }

    @Test func everythingThatHappensToSessions_leavesTheSumsAsCountedAnew() async throws {
        let seed = Chance.seed()
        var random = SplitMix(seed: seed)
        let box = try StoreBox()
        var open: [ChatTurn] = []
        var isTakenUp: Set<TurnID> = []
        for step in 0..<300 {
            let sessions = try await box.store.sessions()
            let chosen = sessions.randomElement(using: &random)
            switch Int.random(in: 0..<8, using: &random) {
            case 0...2: open.append(try await box.accept("\(step)", in: chosen?.id))
            case 3: open.append(try await box.accept("\(step)"))
            case 4:
                guard let turn = open.first, isTakenUp.insert(turn.id).inserted else { continue }
                try await box.store.takeUp(turn.id)
            case 5:
                guard let turn = open.first else { continue }
                open.removeFirst()
                try await use(
                    box, turn, tokens: .random(in: 0...99, using: &random), cost: .random(in: 0...1, using: &random))
                try await box.store.end(turn.id, .done, reason: nil, last: [])
            case 6:
                guard let chosen, let last = try await box.store.turns(of: chosen.id).last else { continue }
                _ = try await box.store.takeBack(from: last.id, upTo: last.id, in: chosen.id)
            case _:
                guard let chosen, !open.contains(where: { $0.session == chosen.id }) else { continue }
                try await box.store.delete(chosen.id)
            }
        }
        let (kept, counted) = try sums(box)
        #expect(kept.map { Array($0.databaseValues) } == counted.map { Array($0.databaseValues) }, "seed \(seed)")
    }

    @Test func changes_areToldOnceInOrder_ofASessionTheLast() async throws {
        let box = try StoreBox()
        let start = try await box.store.list().number
        let first = try await box.accept("one")
        let second = try await box.accept("two")
        try await box.store.takeUp(first.id)
        let changes = try await change(box, after: start)
        #expect(changes.map(\.number) == changes.map(\.number).sorted())
        #expect(
            changes.compactMap { if case .session(let session) = $0.what { session.title } else { nil } } == [
                "two", "one",
            ])
        let upTo = try #require(changes.last?.number)
        #expect(try await change(box, after: upTo).isEmpty)
        try await box.store.rename(second.session, to: "another")
        #expect(try await change(box, after: upTo).count == 1)
        try await box.store.end(first.id, .done, reason: nil, last: [])
        try await box.store.delete(first.session)
        let last = try await change(box, after: upTo)
        #expect(last.map(\.what).contains(.gone(first.session)) && last.count == 2)
        try box.reopen()
        #expect(try await change(box, after: upTo) == last)
    }

    @Test func whoWasAwayTooLong_orKnowsAnotherFile_needsTheWholeList() async throws {
        let box = try StoreBox()
        let start = try await box.store.list().number
        let other = try StoreBox()
        #expect(try await other.store.listChanges(after: ListNumber(rawValue: start.rawValue + 1_000_000)) == nil)
        #expect(try await other.store.listChanges(after: ListNumber(rawValue: 5)) == nil)
        for number in 0..<1001 {
            let turn = try await box.accept("\(number)")
            try await box.store.end(turn.id, .done, reason: nil, last: [])
            try await box.store.delete(turn.session)
        }
        #expect(try await box.store.listChanges(after: start) == nil)
        let now = try await box.store.list()
        #expect(now.sessions.isEmpty && now.number > start)
        #expect(try await box.store.listChanges(after: now.number) == [])
    }

    /// Numbers for people: what a list of many long sessions takes.
    @Test func listOfTenThousandTurns_isReadByRowsOfSessionsAlone() async throws {
        let box = try StoreBox()
        try await DatabaseQueue(path: box.store.path).write { db in
            let text = String(repeating: "what was said ", count: 200)
            for session in 0..<200 {
                try db.execute(
                    sql: "INSERT INTO session (id, title, created, updated) VALUES (?, 'title', ?, ?)",
                    arguments: ["s\(session)", session, session])
                for turn in 0..<50 {
                    try db.execute(
                        sql: """
                            INSERT INTO turn (session, client_id, state, text, before_seq, created, ended, tokens, cost) \
                            VALUES (?, ?, 'done', ?, 0, 0, 0, 10, 0.25)
                            """, arguments: ["s\(session)", "\(session)-\(turn)", text])
                }
            }
        }
        _ = try await box.store.list()
        var times: [Duration] = []
        let clock = ContinuousClock()
        for _ in 0..<21 { times.append(try await clock.measure { _ = try await box.store.list() }) }
        let median = times.sorted()[10]
        print("list of 200 sessions with 10,000 turns: median \(median), longest \(times.max() ?? .zero)")
        let sessions = try await box.store.sessions()
        #expect(sessions.count == 200 && sessions.allSatisfy { $0.turns == 50 && $0.tokens == 500 && $0.cost == 12.5 })
    }
}

import AgentModel
import Chat
import Foundation
import GRDB
import Testing

@Suite(.timeLimit(.minutes(1)))
struct RetentionTests {
    private let day: TimeInterval = 86_400

    /// Steps until nothing is left to do; the sessions that went, and how many steps it took.
    private func sweep(
        _ box: StoreBox, _ retention: Retention, now: Date = Date()
    ) async throws -> (gone: [SessionID], steps: Int) {
        var gone: [SessionID] = []
        for step in 0..<10_000 {
            switch try await box.store.sweep(retention, now: now) {
            case .forgot(let session): gone.append(session)
            case .more: continue
            case .done: return (gone, step)
            }
        }
        return (gone, .max)
    }

    private func pages(_ box: StoreBox) throws -> Int {
        try DatabaseQueue(path: box.store.path).read { try Int.fetchOne($0, sql: "PRAGMA page_count") ?? 0 }
    }

    @Test func oldSessions_goWithTheirWords_othersAndThoseUnderWayStay() async throws {
        let box = try StoreBox()
        try await FilledStore.use(box.store, 1)
        let waits = try await box.accept("waits for ever")
        let retention = Retention(maxAge: .seconds(3 * 86_400))
        #expect(try await sweep(box, retention).gone.isEmpty)
        let first = try #require(try await box.store.sessions().first { $0.id != waits.session })
        #expect(try await sweep(box, retention, now: Date() + 4 * day).gone == [first.id])
        #expect(try await box.store.sessions().map(\.id) == [waits.session])
        #expect(try await box.store.search("answer", limit: 10).isEmpty)
        // The index holds nothing of it: FTS5 looks itself.
        try box.reopen()
        #expect(!box.store.hasNewIndex && box.store.movedAside == nil)
        #expect(try await sweep(box, Retention(), now: Date() + 4 * day).gone.isEmpty)
    }

    @Test func tooMuch_theSessionUnusedForLongestGoesFirst_andTheFileShrinks() async throws {
        let box = try StoreBox()
        try await box.store.letShrink()
        for number in 0..<150 { try await FilledStore.use(box.store, number) }
        let before = try await box.store.sessions().map(\.id)
        let full = try pages(box)
        let total = Int64(full * 4096 / 2)
        let (gone, _) = try await sweep(box, Retention(total: total))
        #expect(gone == Array(before.reversed().prefix(gone.count)) && gone.count > 30 && gone.count < 140)
        #expect(try Int64(pages(box) * 4096) <= total)
        // The newest stays, however small the bound.
        #expect(try await sweep(box, Retention(total: 1)).gone.count == 149 - gone.count)
        #expect(try await box.store.sessions().map(\.id) == [before[0]])
    }

    @Test func longSession_goesInBoundedSteps() async throws {
        let box = try StoreBox()
        let first = try await box.accept("0")
        try await box.store.end(first.id, .done, reason: nil, last: [])
        for number in 1..<600 {
            let turn = try await box.accept("\(number)", in: first.session)
            try await box.store.end(turn.id, .done, reason: nil, last: [])
        }
        let retention = Retention(maxAge: .seconds(60))
        let later = Date() + day
        #expect(try await box.store.sweep(retention, now: later) == .more)
        #expect(try await box.store.turns(of: first.session, limit: 1000).count == 600 - 256)
        #expect(try await box.store.sweep(retention, now: later) == .more)
        #expect(try await box.store.sweep(retention, now: later) == .forgot(first.session))
    }

    @Test func whatGoes_goesAtTheAgentToo() async throws {
        let box = try StoreBox()
        let turn = try await box.accept("hello")
        try await box.store.setAgentSession(AgentSessionID(rawValue: "ses_1"), of: turn.session)
        try await box.store.end(turn.id, .done, reason: nil, last: [])
        #expect(try await sweep(box, Retention(maxAge: .seconds(60)), now: Date() + day).gone == [turn.session])
        let errand = try #require(try await box.store.nextErrand())
        #expect(errand.session == AgentSessionID(rawValue: "ses_1") && errand.title == nil)
        // Over a crash too: it is in the store with the end of the session.
        try box.reopen()
        #expect(try await box.store.nextErrand() == errand)
    }

    /// Said while the clock was wrong; it is right again.
    @Test func sessionOfATimeToCome_isNotTheNewestForEver() async throws {
        let box = try StoreBox()
        for number in 0..<3 { try await FilledStore.use(box.store, number) }
        let before = try await box.store.sessions().map(\.id)
        let ahead = Int64((Date() + 400 * day).timeIntervalSince1970 * 1000)
        try await DatabaseQueue(path: box.store.path).write { db in
            try db.execute(
                sql: "UPDATE session SET updated = ? WHERE id = ?", arguments: [ahead, before[2].rawValue])
        }
        #expect(try await box.store.sessions().map(\.id) == before)
        let listed = try await box.store.list()
        #expect(listed.sessions.map(\.id) == before)
        // Whoever follows the list puts what changes in its place by the same number.
        let behind = ListNumber(rawValue: listed.number.rawValue - 1)
        let changes = try #require(try await box.store.listChanges(after: behind))
        guard case .session(let changed) = changes.last?.what else { return #expect(Bool(false), "\(changes)") }
        #expect(changed.id == before[2] && changed.place < listed.sessions[1].place)
        #expect(try await sweep(box, Retention(total: 1)).gone == [before[2], before[1]])
    }

    @Test func settings_areReadOrRefused() {
        #expect(
            Retention(json: #"{"max-age-milliseconds":1000,"total-bytes":5}"#)
                == Retention(maxAge: .seconds(1), total: 5))
        #expect(Retention(json: "{}")?.isBounded == false)
        #expect(Retention(json: "7 days") == nil)
    }
}

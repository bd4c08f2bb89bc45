import AgentModel
import Foundation
import Synchronization
import Testing

@testable import Chat

/// What becomes a word, and that each is said once.
@Suite(.timeLimit(.minutes(1))) struct WordBookTests {
    private static let all = WordRules(
        send: Set(Word.Kind.allCases), withTitle: false, webhook: "https://hook.example.invalid",
        mayPushToPrivate: false)
    private let session = SessionID(rawValue: "s")
    private let turn = TurnID(rawValue: 1)

    /// What the webhook would get of what is heard, oldest first; `address` comes last, so that the end is known.
    private func said(
        _ box: StoreBox, _ rules: WordRules = all, _ hear: (WordBook) -> Void
    ) async throws -> [[String: Any]] {
        let (added, ring) = AsyncStream<Void>.makeStream()
        let book = WordBook(store: box.store, rules: rules) {
            ring.yield()
        } trouble: {
            Issue.record("\($0)")
        }
        hear(book)
        let end = "https://end-\(UUID().uuidString).example.invalid"
        book.hear(address: end)
        let task = Task { await book.run() }
        defer { task.cancel() }
        for await _ in added {
            let all = try await bodies(box)
            if all.last?["url"] as? String == end { return all.dropLast() }
        }
        return []
    }

    private func bodies(_ box: StoreBox) async throws -> [[String: Any]] {
        try await box.store.dueDeliveries(now: .distantFuture, limit: 999).sorted { $0.id < $1.id }
            .map { try StoreBox.object(Array($0.body.utf8)) }
    }

    private func event(_ what: ChatEvent.What, turn: Int64 = 1) -> ChatEvent {
        ChatEvent(number: nil, session: session, turn: TurnID(rawValue: turn), what: what)
    }

    @Test func ends_askings_parkedChildren_becomeWords_andNothingElse() async throws {
        let words = try await said(try StoreBox()) { book in
            book.hear(event(.accepted(text: "secret words")))
            book.hear(event(.text(block: "b", text: "secret answer", replaces: true)))
            book.hear(event(.started))
            book.hear(event(.permission(PermissionAsk(id: "p", action: "bash", resources: ["rm -rf"])), turn: 3))
            book.hear(event(.question(QuestionAsk(id: "q", questions: [])), turn: 3))
            book.hear(event(.ended(.done, reason: nil)))
            book.hear(event(.ended(.failed, reason: "secret reason"), turn: 2))
            book.hear(parked: [.parked(child: "cloudflared", cause: "crash", isTriedAgain: false)], back: [])
        }
        #expect(words.map { $0["kind"] as? String } == ["asked", "asked", "turn", "turn", "parked"])
        #expect(words.map { $0["asking"] as? String } == ["permission", "question", nil, nil, nil])
        #expect(words[4]["sentence"] as? String == "cloudflared is parked (crash) and needs you.")
        // No word of the chat, of what the agent wants, or of why something failed.
        for word in words {
            #expect(!"\(word)".contains("secret") && !"\(word)".contains("rm -rf") && word["title"] == nil)
        }
    }

    /// Killed before anybody heard of the end: nothing was done behind its transaction.
    @Test func endOfATurn_bringsItsWordInItsOwnTransaction() async throws {
        let box = try StoreBox()
        silentBook(of: box)
        let hub = EventHub(store: box.store)
        let ends: [(TurnState, String?)] = [(.done, nil), (.failed, "secret"), (.interrupted, "stopped by the user")]
        for (state, reason) in ends {
            let turn = try await box.accept("x")
            try await box.store.takeUp(turn.id)
            try await hub.conclude(turn.id, in: turn.session, state, reason: reason, rest: [])
        }
        try box.reopen()
        #expect(try await bodies(box).map { $0["state"] as? String } == ["done", "failed"])
    }

    @Test func wordThatCannotBeWritten_leavesTheTurnOpen() async throws {
        let box = try StoreBox()
        silentBook(of: box)
        let turn = try await box.accept("x")
        try await box.store.takeUp(turn.id)
        try await box.store.queue.write { db in
            try db.execute(
                sql: """
                    CREATE TEMP TRIGGER fault BEFORE INSERT ON main.delivery \
                    BEGIN SELECT RAISE(ABORT, 'a fault'); END
                    """)
        }
        await #expect(throws: (any Error).self) {
            try await box.store.end(turn.id, .done, reason: nil, last: [])
        }
        try box.reopen()
        #expect(try await box.store.turn(turn.id)?.state == .running)
        #expect(try await bodies(box).isEmpty)
    }

    @Test func turnThatARestartInterrupts_bringsItsWordToo() async throws {
        let box = try StoreBox()
        let turn = try await box.accept("x")
        try await box.store.takeUp(turn.id)
        try box.reopen()
        silentBook(of: box)
        let found = try await box.store.recover(reason: TurnRunner.restartReason)
        #expect(found.interrupted.map(\.id) == [turn.id])
        #expect(try await bodies(box).map { $0["state"] as? String } == ["interrupted"])
    }

    /// One that is never run: what it would do behind an event is not done.
    private func silentBook(of box: StoreBox) {
        _ = WordBook(store: box.store, rules: Self.all, added: {}, trouble: { _ in })
    }

    @Test func turnThatTheUserStopped_isNoWord() async throws {
        let words = try await said(try StoreBox()) { book in
            book.hear(event(.ended(.interrupted, reason: "stopped by the user")))
            book.hear(event(.ended(.interrupted, reason: "withdrawn before it was handed to the agent"), turn: 2))
            book.hear(event(.ended(.interrupted, reason: TurnRunner.restartReason), turn: 3))
        }
        #expect(words.map { $0["turn"] as? Int } == [3])
    }

    @Test func sameThing_isSaidOnce_alsoAfterACrash() async throws {
        let box = try StoreBox()
        let hear: (WordBook) -> Void = { book in
            book.hear(event(.ended(.done, reason: nil)))
            book.hear(event(.question(QuestionAsk(id: "q", questions: [])), turn: 2))
            book.hear(parked: [.parked(child: "a", cause: "crash", isTriedAgain: true)], back: [])
        }
        #expect(try await said(box, Self.all, hear).count == 3)
        try box.reopen()
        #expect(try await said(box, Self.all, hear).filter { $0["kind"] as? String != "address" }.count == 3)
    }

    /// The way out was away meanwhile: what it brings when it is back is to be so then.
    @Test func askingThatNobodyWaitsForAnyMore_isNotBroughtAnyMore() async throws {
        let permission = PermissionAsk(id: "p", action: "bash", resources: [])
        let words = try await said(try StoreBox()) { book in
            book.hear(event(.permission(permission)))
            book.hear(event(.question(QuestionAsk(id: "q", questions: []))))
            book.hear(event(.answered(Answered(id: "p", answer: .once, by: .user))))
            book.hear(event(.permission(PermissionAsk(id: "p2", action: "bash", resources: [])), turn: 2))
            book.hear(event(.question(QuestionAsk(id: "q2", questions: [])), turn: 2))
            // Whoever stopped it needs no word of that either.
            book.hear(event(.ended(.interrupted, reason: "stopped by the user"), turn: 2))
        }
        #expect(words.map { $0["asking"] as? String } == ["question"])
    }

    @Test func parkedChild_isSaidAgainOnlyWhenItCameBackMeanwhile() async throws {
        let parked = [Word.parked(child: "a", cause: "crash", isTriedAgain: true)]
        let words = try await said(try StoreBox()) { book in
            book.hear(parked: parked, back: ["b"])
            book.hear(parked: [], back: [])  // it is tried
            book.hear(parked: parked, back: [])  // in vain
            book.hear(parked: [], back: ["a", "b"])
            book.hear(parked: parked, back: [])
        }
        #expect(words.count == 2)
    }

    @Test func addressThatComesBack_isNewAgain_andAnOldOneIsNotToldAnyMore() async throws {
        let box = try StoreBox()
        var isNew: [Bool] = []
        for (number, name) in ["a", "a", "b", "a"].enumerated() {
            let word = Word.address("https://\(name).example.invalid")
            isNew.append(try await box.store.add(word, id: "w\(number)", Self.all, now: 0))
        }
        #expect(isNew == [true, false, true, true])
        #expect(try await bodies(box).map { $0["url"] as? String } == ["https://a.example.invalid"])
    }

    @Test func onlyWhatIsAskedFor_isSaid() async throws {
        let rules = WordRules(
            send: [.asked, .address], withTitle: false, webhook: "https://h.invalid", mayPushToPrivate: false)
        let words = try await said(try StoreBox(), rules) { book in
            book.hear(event(.ended(.done, reason: nil)))
            book.hear(parked: [.parked(child: "a", cause: "crash", isTriedAgain: true)], back: [])
            book.hear(event(.question(QuestionAsk(id: "q", questions: []))))
        }
        #expect(words.map { $0["kind"] as? String } == ["asked"])
    }

    @Test func title_goesAlongOnlyWhereItIsWanted() async throws {
        let box = try StoreBox()
        let turn = try await box.accept("Paint the shed\nand more")
        var rules = Self.all
        rules.withTitle = true
        let words = try await said(box, rules) { book in
            book.hear(ChatEvent(number: nil, session: turn.session, turn: turn.id, what: .ended(.done, reason: nil)))
        }
        #expect(words.map { $0["title"] as? String } == ["Paint the shed"])
    }

    @Test func wordsOnTheirWay_areBounded_theOldestGoesFirst() async throws {
        let box = try StoreBox()
        for number in 0..<ChatStore.deliveryLimit + 5 {
            _ = try await box.store.add(
                .turn(session, TurnID(rawValue: Int64(number)), .done), id: "w\(number)", Self.all, now: 0)
        }
        let left = try await box.store.dueDeliveries(now: .distantFuture, limit: 999)
        #expect(left.count == ChatStore.deliveryLimit && left.first?.word == "w5")
    }

    @Test func deviceForTheChatAlone_learnsNothingOfTheMachine() async throws {
        let box = try StoreBox()
        for (number, role) in [DeviceRole.owner, .chatOnly].enumerated() {
            let device = Device(
                id: DeviceID(rawValue: role.rawValue), name: "phone", role: role, created: 0, seen: 0, address: "::1")
            try await box.store.add(device, tokenHash: [UInt8](repeating: UInt8(number), count: 32))
            try await box.store.subscribe(device.id, #require(subscription("https://push.example.invalid/\(number)")))
        }
        var rules = Self.all
        rules.webhook = nil
        _ = try await box.store.add(
            .parked(child: "a", cause: "crash", isTriedAgain: true), id: "w1", rules, now: 0)
        _ = try await box.store.add(.turn(session, turn, .done), id: "w2", rules, now: 0)
        let told = try await box.store.dueDeliveries(now: .distantFuture, limit: 9).map { delivery in
            if case .device(let device, _) = delivery.receiver { "\(delivery.word) \(device)" } else { "webhook" }
        }
        #expect(told.sorted() == ["w1 owner", "w2 chat-only", "w2 owner"])
    }

    @Test func subscription_goesWithItsDevice() async throws {
        let box = try StoreBox()
        let device = Device(
            id: DeviceID(rawValue: "aaaaaa"), name: "phone", role: .owner, created: 0, seen: 0, address: "127.0.0.1")
        try await box.store.add(device, tokenHash: [UInt8](repeating: 1, count: 32))
        let one = try #require(subscription("https://push.example.invalid/1"))
        try await box.store.subscribe(device.id, one)
        let two = try #require(subscription("https://push.example.invalid/2"))
        try await box.store.subscribe(device.id, two)
        try await box.store.forget(one, of: device.id)
        #expect(try await box.store.subscription(of: device.id) == two)
        try await box.store.revoke(device.id)
        #expect(try await box.store.subscription(of: device.id) == nil)
    }

    private func subscription(_ endpoint: String, key: Int = 65, secret: Int = 16) -> PushSubscription? {
        PushSubscription(
            endpoint: endpoint, publicKey: Data([4] + [UInt8](repeating: 1, count: key - 1)),
            secret: Data(count: secret))
    }

    @Test(arguments: [
        "http://push.example.invalid/1", "https://", "https:///x", "https://me:you@push.example.invalid/",
        "file:///etc",
        "https://push.example.invalid/#x", "https://push.example.invalid/ x", "https://push.example.invalid/\r\nX: y",
        "https://push.example.invalid/" + String(repeating: "x", count: 1024),
    ]) func endpointThatIsNone_isNotKept(endpoint: String) {
        #expect(subscription(endpoint) == nil)
    }

    @Test func keyOrSecretOfAnotherLength_isNotKept() {
        #expect(subscription("https://push.example.invalid/1") != nil)
        #expect(subscription("https://push.example.invalid/1", key: 64) == nil)
        #expect(subscription("https://push.example.invalid/1", secret: 15) == nil)
    }

    @Test func rules_areReadFromWhatSupervisorTomlSays() throws {
        let rules = try #require(
            WordRules(
                json:
                    #"{"send":["turn","parked"],"text":"title","webhook":"","contact":"mailto:a@b.invalid","push-to":"private"}"#
            ))
        #expect(rules.send == [.turn, .parked] && rules.withTitle && rules.webhook == nil && rules.mayPushToPrivate)
        #expect(
            WordRules(json: #"{"send":["tale"],"text":"none","webhook":"","contact":"","push-to":"public"}"#) == nil)
    }
}

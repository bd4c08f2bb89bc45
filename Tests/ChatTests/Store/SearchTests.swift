import AgentModel
import Chat
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SearchTests {
    private func answer(_ box: StoreBox, _ turn: ChatTurn, _ text: String) async throws {
        try await box.store.takeUp(turn.id)
        let first = try await box.store.reserve(turn.session).rawValue + 1
        let events: [ChatEvent.What] = [.text(block: "b", text: text, replaces: true), .ended(.done, reason: nil)]
        try await box.store.end(
            turn.id, .done, reason: nil,
            last: events.enumerated().map { index, what in
                ChatEvent(
                    number: EventNumber(rawValue: first + Int64(index)), session: turn.session, turn: turn.id,
                    what: what)
            })
    }

    @Test func words_areFoundInMessagesAndAnswers_alsoTheirBeginnings_newestFirst() async throws {
        let box = try StoreBox()
        let first = try await box.accept("Where is the café?")
        try await answer(box, first, "Behind the station.")
        let second = try await box.accept("And the stationery?")
        try await answer(box, second, "Next door.")
        #expect(try await box.store.search("station", limit: 10).map(\.turn) == [second.id, first.id])
        #expect(try await box.store.search("cafe STATION", limit: 10).map(\.turn) == [first.id])
        #expect(try await box.store.search("station", limit: 1).count == 1)
        #expect(try await box.store.search("nothing", limit: 10).isEmpty)
        let found = try #require(try await box.store.search("door", limit: 10).first)
        #expect(found.snippet.contains("\u{2}door\u{3}") && found.title == "And the stationery?")
    }

    @Test func wordWithoutSpacesAroundIt_isFound_whereScriptsHaveNone() async throws {
        let box = try StoreBox()
        let first = try await box.accept("日本語のテキスト")
        try await answer(box, first, "はい、GPTモデルです。")
        let second = try await box.accept("今日は天気がいい")
        try await answer(box, second, "ครับผม")
        let open = try await box.accept("テキスト, not over yet")
        #expect(try await box.store.search("テキスト", limit: 10).map(\.turn) == [first.id])
        #expect(try await box.store.search("gptモデル 日本", limit: 10).map(\.turn) == [first.id])
        #expect(try await box.store.search("天気 テキスト", limit: 10).isEmpty)
        #expect(try await box.store.search("日", limit: 10).map(\.turn) == [second.id, first.id])
        #expect(try await box.store.search("日", limit: 1).map(\.turn) == [second.id])
        #expect(try await box.store.search("ผม", limit: 10).map(\.turn) == [second.id])
        #expect(try await box.store.search("テキスト", limit: 1).first?.snippet.contains("日本語の\u{2}テキスト\u{3}") == true)
        #expect(try await box.store.turn(open.id)?.state == .queued)
    }

    @Test(arguments: ["door", "扉"]) func marksThatStandInTheText_markNothing(word: String) async throws {
        let box = try StoreBox()
        let turn = try await box.accept("which one?")
        try await answer(box, turn, "the \u{2}other\u{3} \(word) \u{3}and\u{2} no more")
        let found = try #require(try await box.store.search(word, limit: 10).first)
        #expect(found.snippet.hasSuffix("the other \u{2}\(word)\u{3} and no more"), "\(found.snippet.debugDescription)")
    }

    @Test func manyTurns_areLookedAtInSteps_theOldestToo() async throws {
        let box = try StoreBox()
        let first = try await box.accept("最初の言葉")
        try await answer(box, first, "x")
        for number in 0..<520 { try await answer(box, try await box.accept("later \(number)"), "x") }
        #expect(try await box.store.search("言葉", limit: 10).map(\.turn) == [first.id])
    }

    @Test(arguments: ["\" OR 1", "NEAR(a b)", "a* NOT b", "asked:x", "(", "x\u{0}y", "^a - b"])
    func operators_areWordsOrRefused(_ text: String) async throws {
        let box = try StoreBox()
        try await answer(box, try await box.accept("hello"), "world")
        do {
            #expect(try await box.store.search(text, limit: 10).isEmpty)
        } catch let error as ChatError {
            #expect(error.code == .badRequest)
        }
    }

    @Test func deletedSession_isGoneWithItsWords_othersStay() async throws {
        let box = try StoreBox()
        let first = try await box.accept("same words")
        try await answer(box, first, "an answer")
        let second = try await box.accept("same words")
        try await answer(box, second, "an answer")
        try await box.store.delete(first.session)
        #expect(try await box.store.search("same answer", limit: 10).map(\.turn) == [second.id])
        #expect(try await box.store.sessions().map(\.id) == [second.session])
        let error = await #expect(throws: ChatError.self) { try await box.store.delete(first.session) }
        #expect(error?.code == .noSession)
        try box.reopen()
        #expect(box.store.movedAside == nil)
        #expect(try await box.store.search("same", limit: 10).count == 1)
    }

    @Test func sessionWithATurnUnderWay_isNotDeleted() async throws {
        let box = try StoreBox()
        let turn = try await box.accept("hello")
        let error = await #expect(throws: ChatError.self) { try await box.store.delete(turn.session) }
        #expect(error?.code == .busy)
        #expect(try await box.store.turn(turn.id)?.state == .queued)
    }

    @Test func title_isOneLineThatFits() async throws {
        let box = try StoreBox()
        let turn = try await box.accept("hello")
        try await box.store.rename(turn.session, to: "  A better one ")
        #expect(try await box.store.sessions().first?.title == "A better one")
        for title in ["", " ", "a\nb", String(repeating: "x", count: 201)] {
            let error = await #expect(throws: ChatError.self) { try await box.store.rename(turn.session, to: title) }
            #expect(error?.code == .badRequest)
        }
    }
}

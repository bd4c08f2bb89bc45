import AgentModel
import Chat
import Testing

@Suite(.timeLimit(.minutes(1)))
struct OpeningTests {
    private func event(_ number: Int64, _ turn: ChatTurn, _ what: ChatEvent.What) -> ChatEvent {
        ChatEvent(number: EventNumber(rawValue: number), session: turn.session, turn: turn.id, what: what)
    }
    private func text(_ text: String) -> ChatEvent.What { .text(block: "b", text: text, replaces: false) }

    /// Blocks and number fit: what the one does not tell is behind the other.
    @Test func turnUnderWay_comesWithoutBlocks_andTheNumberIsBeforeAllItsEvents() async throws {
        let box = try StoreBox()
        let first = try await box.accept("one")
        _ = try await box.store.reserve(first.session)
        try await box.store.takeUp(first.id)
        try await box.store.end(
            first.id, .done, reason: nil,
            last: [event(1, first, text("a")), event(2, first, .ended(.done, reason: nil))])
        var opening = try await box.store.opening(of: first.session, Stretch())
        #expect(
            opening.position == EventNumber(rawValue: 2)
                && opening.turns[0].blocks.map(\.what) == [
                    .text(block: "b", text: "a", replaces: true)
                ])

        let second = try await box.accept("two", in: first.session, before: EventNumber(rawValue: 2))
        try await box.store.takeUp(second.id)
        try await box.store.append([event(3, second, text("b"))])
        opening = try await box.store.opening(of: first.session, Stretch())
        #expect(opening.position == EventNumber(rawValue: 2))
        #expect(opening.turns.map(\.turn.id) == [first.id, second.id] && opening.turns[1].blocks.isEmpty)
        #expect(try await box.events(first.session, after: opening.position).count == 1)
    }

    /// What was said of it while it ran ("trying again", "answered by default") stands where it was said, the newest of it.
    @Test func notices_areToldWhenTheTurnIsReadAgain() async throws {
        let box = try StoreBox()
        let turn = try await box.accept("one")
        _ = try await box.store.reserve(turn.session)
        try await box.store.takeUp(turn.id)
        try await box.store.append([
            event(1, turn, text("a")), event(2, turn, .notice("trying again")),
            event(3, turn, .text(block: "c", text: "b", replaces: false)),
        ])
        try await box.store.end(turn.id, .done, reason: nil, last: [event(4, turn, .ended(.done, reason: nil))])
        #expect(
            try await box.store.opening(of: turn.session, Stretch()).turns[0].blocks.map(\.what) == [
                .text(block: "b", text: "a", replaces: true), .notice("trying again"),
                .text(block: "c", text: "b", replaces: true),
            ])
        let many = try await box.accept("two", in: turn.session, before: EventNumber(rawValue: 4))
        try await box.store.takeUp(many.id)
        let limit = ChatStore.noticeLimit
        try await box.store.append((0...limit).map { event(Int64(10 + $0), many, .notice("\($0)")) })
        try await box.store.end(many.id, .done, reason: nil, last: [event(900, many, .ended(.done, reason: nil))])
        #expect(try await box.store.blocks(of: many).map(\.what) == (1...limit).map { .notice("\($0)") })
    }

    /// A finished turn is told with its lists as they were last, where they came first; what was between is gone.
    @Test func lists_areToldAsTheyWereLast_whereTheyCameFirst() async throws {
        let box = try StoreBox()
        let turn = try await box.accept("one")
        _ = try await box.store.reserve(turn.session)
        try await box.store.takeUp(turn.id)
        let todos = [Todo.Status.pending, .inProgress, .completed].map {
            [Todo(content: "it", status: $0, priority: "high")]
        }
        let changes = [FileChange(path: "f", status: .added, additions: 1, deletions: 0, patch: "+x")]
        try await box.store.append([
            event(1, turn, .todos(todos[0])), event(2, turn, text("a")), event(3, turn, .todos(todos[1])),
            event(4, turn, .changes(changes)),
        ])
        let told: [ChatEvent.What] = [
            .todos(todos[2]), .text(block: "b", text: "a", replaces: true), .changes(changes),
        ]
        try await box.store.end(
            turn.id, .done, reason: nil,
            last: [event(5, turn, .todos(todos[2])), event(6, turn, .ended(.done, reason: nil))])
        #expect(try await box.store.opening(of: turn.session, Stretch()).turns[0].blocks.map(\.what) == told)
        let types = try await box.events(turn.session).compactMap { $0["type"] as? String }
        #expect(types == ["todos", "text", "changes", "todos", "ended"])
    }

    @Test func stretches_areTheNewest_thoseBefore_orOneAlone() async throws {
        let box = try StoreBox()
        let first = try await box.accept("1")
        var all = [first]
        for number in 2...5 { all.append(try await box.accept("\(number)", in: first.session)) }
        let store = box.store
        let newest = try await store.opening(of: first.session, Stretch(limit: 2))
        #expect(newest.hasEarlier && newest.turns.map(\.turn.text) == ["4", "5"])
        let before = try await store.opening(of: first.session, Stretch(before: all[3].id, limit: 3))
        #expect(!before.hasEarlier && before.turns.map(\.turn.text) == ["1", "2", "3"])
        let behind = try await store.opening(of: first.session, Stretch(after: all[0].id, limit: 2))
        #expect(behind.hasEarlier && behind.turns.map(\.turn.id) == [all[1].id, all[2].id])
        let one = try await store.opening(of: first.session, Stretch(only: all[2].id))
        #expect(one.turns.map(\.turn.text) == ["3"])
        await #expect(throws: ChatError.self) { try await store.opening(of: SessionID(rawValue: "none"), Stretch()) }
    }
}

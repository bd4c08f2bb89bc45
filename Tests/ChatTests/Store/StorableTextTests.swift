import AgentModel
import Chat
import Foundation
import Testing

/// SQLite's text ends at U+0000: nothing that stands behind one may be lost.
@Suite(.timeLimit(.minutes(1)))
struct StorableTextTests {
    @Test func messageWithNUL_isKeptWhole_andIsTheSameTurnWhenSentAgain() async throws {
        let box = try StoreBox()
        let first = try await box.accept("be\0\u{301}hind\n\0", client: "c1")
        #expect(first.text == "be\u{FFFD}\u{301}hind\n\u{FFFD}")
        #expect(try await box.accept("be\0\u{301}hind\n\0", client: "c1") == first)
        await #expect(throws: ChatError.self) { try await box.accept("be\0other", client: "c1") }
        try box.reopen()
        #expect(try await box.store.turns(of: first.session).map(\.text) == [first.text])
        #expect(try await box.store.sessions().map(\.title) == ["be\u{FFFD}\u{301}hind"])
    }

    @Test func clientIDAndModelWithNUL_areRefusedInWords() async throws {
        let box = try StoreBox()
        let client = await #expect(throws: ChatError.self) { try await box.accept("hello", client: "c\0d") }
        #expect(client?.code == .badRequest && client?.message.contains("client_id") == true)
        #expect(try await box.store.sessions().isEmpty)
        let turn = try await box.accept("hello")
        let model = await #expect(throws: ChatError.self) {
            try await box.store.choose(ChoiceChange(model: .set("m\0n")), in: turn.session)
        }
        #expect(model?.code == .badRequest && model?.message.contains("U+0000") == true)
    }

    @Test func titleWithNUL_isKeptWhole() async throws {
        let box = try StoreBox()
        let turn = try await box.accept("hello")
        try await box.store.rename(turn.session, to: "one\0two")
        #expect(try await box.store.sessions().map(\.title) == ["one\u{FFFD}two"])
    }

    @Test func answerWithNUL_isReadAgainAsItWasSeen() async throws {
        let box = try StoreBox()
        let hub = EventHub(store: box.store)
        let turn = try await box.accept("hello")
        try await box.store.takeUp(turn.id)
        var rest: [ChatEvent] = []
        for what in [
            ChatEvent.What.text(block: "b\0" + "1", text: "one\0", replaces: false),
            .text(block: "b\0" + "1", text: "two", replaces: false),
            .reasoning(block: "b\0" + "2", text: "why\0so", replaces: false),
            .tool(ToolCall(id: "t\0" + "1", name: "bash", status: .completed, title: "ls", output: "a\0b")),
        ] {
            rest.append(try await hub.publish(what, turn: turn.id, in: turn.session))
        }
        #expect(rest.first?.what == .text(block: "b\u{FFFD}1", text: "one\u{FFFD}", replaces: false))
        try await hub.conclude(turn.id, in: turn.session, .failed, reason: "it\0broke", rest: rest)
        try box.reopen()
        let events = try await box.events(turn.session)
        let texts = events.compactMap {
            (($0["tool"] as? [String: Any])?["output"] ?? $0["text"] ?? $0["reason"]) as? String
        }
        #expect(texts == ["one\u{FFFD}two", "why\u{FFFD}so", "a\u{FFFD}b", "it\u{FFFD}broke"])
        #expect(try await box.store.turns(of: turn.session).map(\.reason) == ["it\u{FFFD}broke"])
    }
}

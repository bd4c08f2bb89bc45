import AgentModel
import Chat
import Foundation
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ExportTests {
    private struct NoAgent: AgentPort {
        func rename(session: AgentSessionID, to title: String) async throws {}
        func remove(session: AgentSessionID) async throws {}
        func fork(session: AgentSessionID, before prompt: String?) async throws -> AgentSessionID { session }
        func revert(session: AgentSessionID, to prompt: String) async throws {}
        func unrevert(session: AgentSessionID) async throws {}

        struct Absent: Error {}
        func describe() async throws -> AgentDescription { throw Absent() }
        func catalog(workspace: String?) async throws -> [CatalogEntry] { throw Absent() }
        func openSession(title: String, workspace: String?) async throws -> AgentSessionID { throw Absent() }
        func runTurn(
            session: AgentSessionID, workspace: String?, text: String, files: [FileToSend], choice: TurnChoice
        ) async throws -> any AsyncSequence<AgentEvent, any Error> & Sendable { throw Absent() }
        func followTurn(
            session: AgentSessionID, prompt: String
        ) async throws -> any AsyncSequence<AgentEvent, any Error> & Sendable { throw Absent() }
        func abort(session: AgentSessionID) async throws {}
        func answer(_ answer: ChatAnswer, to id: String, session: AgentSessionID) async throws {}
    }

    private func export(_ box: StoreBox, _ session: SessionID, _ format: ExportFormat) async throws -> String {
        let hub = EventHub(store: box.store)
        let service = ChatService(
            store: box.store, hub: hub, runner: TurnRunner(store: box.store, hub: hub, agent: NoAgent()),
            workspaces: Workspaces(names: nil))
        let (pieces, piece) = AsyncStream<[UInt8]>.makeStream()
        try await service.export(session, as: format) { frame in
            #expect(frame.count <= 65_520)
            piece.yield(frame)
        }
        piece.finish()
        var text = ""
        for await frame in pieces { text += try #require(StoreBox.object(frame)["text"] as? String) }
        return text
    }

    private func filled(_ box: StoreBox) async throws -> ChatTurn {
        let turn = try await box.accept("Fix it\nplease", workspace: "home")
        _ = try await box.store.reserve(turn.session)
        try await box.store.takeUp(turn.id)
        let tool = ToolCall(
            id: "t", name: "bash", status: .completed, title: "make", input: "command: make", output: "a ``` b\n")
        let whats: [ChatEvent.What] = [
            .reasoning(block: "r", text: "first\nthen", replaces: true), .tool(tool),
            .text(block: "b", text: String(repeating: "é\u{1}word ", count: 8000), replaces: true),
            .ended(.failed, reason: "the provider\nsaid no"),
        ]
        let events = whats.enumerated().map {
            ChatEvent(
                number: EventNumber(rawValue: Int64($0.offset + 1)), session: turn.session, turn: turn.id,
                what: $0.element)
        }
        try await box.store.end(turn.id, .failed, reason: "the provider\nsaid no", last: events)
        return turn
    }

    @Test func markdown_holdsEverythingInOrder() async throws {
        let box = try StoreBox()
        let turn = try await filled(box)
        let text = try await export(box, turn.session, .markdown)
        let parts = [
            "# Fix it\n", "workspace home", "> Fix it\n> please\n", "*Reasoning*\n\n> first\n> then\n",
            "*bash: make (completed)*\n\n```\ncommand: make\n```\n\n````\na ``` b\n````\n",
            String(repeating: "é\u{1}word ", count: 8000), "*failed: the provider said no*",
        ]
        var rest = text[...]
        for part in parts {
            let found = try #require(rest.range(of: part), "\(part.prefix(40)) in order")
            rest = rest[found.upperBound...]
        }
    }

    /// As of a turn that was stopped inside of its code: what is behind it is no part of that.
    @Test(
        arguments: [
            ("so:\n```swift\nlet a", "```"), ("~~~~\nx\n~~~", "~~~~"), ("   ````\n```", "````"),
            ("a\n<!-- no end", "-->"),
            ("<pre>\n```", "</pre>"), ("- item\n\nno item\n```\nx", "```"), ("```\n- ```", "```"),
            ("closed\n```\nx\n```", nil), ("- item\n  ```\n  x", nil), ("1. ```\n   x\n   ```", nil),
            ("- a\n  - ```\n    x\n    ```\n  b\n", nil), ("> ```\n> x", nil), ("`` ``` ``", nil),
            ("``` a ` b\nx", nil),
            ("    ```\nx", nil), ("<!-- a -->\nb", nil), ("a <b", nil), ("- ```\n  x\n\nno item", nil),
            ("* * *\nx", nil),
        ] as [(String, String?)])
    func markdown_whatABlockLeavesOpen_isClosedBehindIt(body: String, end: String?) async throws {
        let box = try StoreBox()
        let turn = try await box.accept("go")
        _ = try await box.store.reserve(turn.session)
        try await box.store.takeUp(turn.id)
        let event = ChatEvent(
            number: EventNumber(rawValue: 1), session: turn.session, turn: turn.id,
            what: .text(block: "b", text: body, replaces: true))
        try await box.store.end(turn.id, .interrupted, reason: "stopped", last: [event])
        let text = try await export(box, turn.session, .markdown)
        let trimmed = body.trimmingCharacters(in: .newlines)
        let whole = trimmed + (end.map { "\n" + $0 } ?? "") + "\n\n*interrupted: stopped*\n"
        #expect(text.hasSuffix("\n" + whole), "\(text)")
    }

    @Test func json_isOneObjectWithAllTurns() async throws {
        let box = try StoreBox()
        let turn = try await filled(box)
        _ = try await box.accept("and then", in: turn.session)
        let whole = try StoreBox.object(Array(try await export(box, turn.session, .json).utf8))
        #expect(whole["title"] as? String == "Fix it" && whole["workspace"] as? String == "home")
        let turns = try #require(whole["turns"] as? [[String: Any]])
        #expect(turns.compactMap { ($0["turn"] as? [String: Any])?["state"] as? String } == ["failed", "queued"])
        let blocks = try #require(turns[0]["blocks"] as? [[String: Any]])
        #expect(blocks.compactMap { $0["type"] as? String }.prefix(3) == ["reasoning", "tool", "text"])
    }

    @Test func emptyAndUnknownSessions_areSaid() async throws {
        let box = try StoreBox()
        let error = await #expect(throws: ChatError.self) {
            try await export(box, SessionID(rawValue: "nosuch"), .json)
        }
        #expect(error?.code == .noSession)
    }
}

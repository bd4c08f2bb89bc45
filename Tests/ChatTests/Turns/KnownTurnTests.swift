import AgentModel
import Testing

@testable import Chat

/// A turn is told once more from its beginning.
struct KnownTurnTests {
    private func stored(_ whats: ChatEvent.What...) -> [ChatEvent] {
        whats.map {
            ChatEvent(
                number: nil, session: SessionID(rawValue: "s"), turn: TurnID(rawValue: 1), what: $0)
        }
    }

    private func text(_ text: String, replaces: Bool = false, _ block: String = "b") -> ChatEvent.What {
        .text(block: block, text: text, replaces: replaces)
    }

    @Test func textThatIsStored_isNotTakenAgain_whereverItIsCut() {
        for pieces in [["hello world"], ["hel", "lo wo", "rld"], ["hello", " ", "world"]] {
            var known = KnownTurn(stored(text("hello")))
            let news = pieces.compactMap { known.news(text($0)) }
            var shown = "hello"
            for case .text(_, let text, let replaces) in news { shown = replaces ? text : shown + text }
            #expect(shown == "hello world", "\(pieces)")
            #expect(known.news(text("!")) == text("!"))
        }
    }

    @Test func blockThatComesWhole_replacesOnlyWhatDiffers() {
        var known = KnownTurn(stored(text("hello")))
        #expect(known.news(text("hello", replaces: true)) == nil)
        known = KnownTurn(stored(text("hello")))
        #expect(known.news(text("hello world", replaces: true)) == text("hello world", replaces: true))
        known = KnownTurn(stored(text("hello")))
        #expect(known.news(text("other words", replaces: true)) == text("other words", replaces: true))
        // What is level is level.
        #expect(known.news(text("hello", replaces: true)) == text("hello", replaces: true))
    }

    @Test func agentThatKeptLessThanItHadStreamed_takesNothingBack() {
        var known = KnownTurn(stored(text("hello world")))
        #expect(known.news(text("hello")) == nil)
        #expect(known.news(text(" world, and")) == text("hello world, and", replaces: true))
        #expect(known.news(text(" on")) == text(" on"))
    }

    @Test func reasoningIsNoText_andOtherBlocksPass() {
        var known = KnownTurn(stored(.reasoning(block: "b", text: "hm", replaces: false)))
        // Of a block that is not stored somebody may have seen words too.
        #expect(known.news(text("hm")) == text("hm", replaces: true))
        #expect(known.news(.reasoning(block: "b", text: "hm", replaces: false)) == nil)
        #expect(known.news(text("new", "c")) == text("new", replaces: true, "c"))
        #expect(known.news(text("er", "c")) == text("er", "c"))
    }

    @Test func toolAskAndLists_passWhereTheyAreNew() {
        let call = ToolCall(id: "t", name: "bash", status: .running, title: "ls", input: "{}", output: "")
        var done = call
        done.status = .completed
        let ask = PermissionAsk(id: "p", action: "edit", resources: ["a"])
        let answered = Answered(id: "p", answer: .once, by: .user)
        var known = KnownTurn(
            stored(.tool(call), .permission(ask), .todos([]), .notice("said"), .usage(Usage())))
        for what in [.tool(call), .permission(ask), .todos([]), .notice("said"), .usage(Usage())] as [ChatEvent.What] {
            #expect(known.news(what) == nil, "\(what)")
        }
        for what in [.tool(done), .answered(answered), .notice("more"), .changes([])] as [ChatEvent.What] {
            #expect(known.news(what) == what)
            #expect(known.news(what) == nil)
        }
    }
}

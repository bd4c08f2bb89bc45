import Testing

@testable import Telegram

/// What the events of a turn become.
@Suite(.timeLimit(.minutes(1))) struct TurnTextTests {
    private func shown(_ lines: [String]) throws -> String {
        var text = TurnText()
        for line in lines { text.take(try #require(ChatLine(json: Array(line.utf8)))) }
        return text.shown
    }

    @Test func words_tools_andTheEnd_standInTheirOrder() throws {
        let text = try shown([
            #"{"type":"accepted","session":"s","turn":1,"text":"hi"}"#, #"{"type":"started"}"#,
            #"{"type":"text","block":"1","text":"Hel"}"#, #"{"type":"text","block":"1","text":"lo."}"#,
            #"{"type":"reasoning","block":"r","text":"hm"}"#,
            #"{"type":"tool","tool":{"id":"t","name":"bash","status":"running","title":"ls","output":""}}"#,
            #"{"type":"text","block":"2","text":"Bye"}"#,
            #"{"type":"tool","tool":{"id":"t","name":"bash","status":"completed","title":"ls","output":"x"}}"#,
            #"{"type":"text","block":"1","text":"Hello!","whole":true}"#,
            #"{"type":"ended","state":"failed","reason":"no"}"#,
        ])
        #expect(text == "Hello!\n\n✓ bash: ls\n\nBye\n\n— failed: no")
    }

    @Test func nothingYet_waiting_andNothingAtAll_areWords() throws {
        #expect(try shown([]) == "Working …")
        #expect(try shown([#"{"type":"waiting","reason":"the agent is away"}"#]) == "Waiting: the agent is away")
        #expect(try shown([#"{"type":"waiting","reason":"x"}"#, #"{"type":"started"}"#]) == "Working …")
        #expect(try shown([#"{"type":"ended","state":"done"}"#]) == "Done, without a word.")
    }
}

/// Questions as messages with buttons, and what comes back.
@Suite(.timeLimit(.minutes(1))) struct AskTests {
    private func ask(_ json: String) throws -> Ask {
        let line = try #require(ChatLine(json: Array(json.utf8)))
        return try #require(Ask(line))
    }

    @Test func question_isAnsweredByTap_number_orOwnWords() throws {
        let ask = try ask(
            #"{"type":"question","session":"s","id":"q","questions":[{"header":"","question":"Which?","options":[{"label":"SQLite","description":"small"},{"label":"Postgres"}],"multiple":false,"custom":true}]}"#
        )
        #expect(ask.text.contains("1. SQLite – small\n2. Postgres"))
        #expect(ask.keyboard("n").inline_keyboard.flatMap { $0 }.map(\.text) == ["SQLite", "Postgres", "Put aside"])
        #expect(ask.answer(tapped: "1") == .answers([["Postgres"]]) && ask.answer(tapped: "2") == nil)
        #expect(ask.answer(tapped: "x") == .reply("dismiss"))
        #expect(ask.answer(written: " 1 ") == .answers([["SQLite"]]))
        #expect(ask.answer(written: "none of them") == .answers([["none of them"]]))
    }

    @Test func severalQuestions_areAnsweredByALineEach() throws {
        let ask = try ask(
            #"{"type":"question","session":"s","id":"q","questions":[{"question":"A?","options":[{"label":"a"},{"label":"b"}],"multiple":true},{"question":"B?","options":[]}]}"#
        )
        #expect(ask.keyboard("n").inline_keyboard.flatMap { $0 }.map(\.text) == ["Put aside"])
        #expect(ask.answer(written: "1, 2\nown words") == .answers([["a", "b"], ["own words"]]))
        #expect(ask.answer(written: "only one line") == nil)
    }

    @Test func button_carriesNoMoreThanTelegramTakes() throws {
        let name = String(UInt64.max, radix: 36)
        let ask = try ask(#"{"type":"permission","session":"s","id":"p","action":"bash"}"#)
        for button in ask.keyboard(name).inline_keyboard.flatMap({ $0 }) {
            #expect(button.callback_data.utf8.count <= 64)
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct SayingTests {
    @Test func ownCommands_areKnown_othersAreTheAgents() {
        #expect(Saying("/stop") == .stop(then: nil) && Saying("/stop@nexus_bot do this") == .stop(then: "do this"))
        #expect(Saying("/new") == .new(nil) && Saying("/new  ") == .new(nil) && Saying("/start x") == .help)
        #expect(Saying("/new fix it\nand that") == .new("fix it\nand that") && Saying("/new\nfix it") == .new("fix it"))
        #expect(Saying("/help") == .help && Saying("/help me") == .message("/help me"))
        #expect(Saying("/review this") == .message("/review this"))
        #expect(Saying("stop") == .message("stop") && Saying("") == .message(""))
    }
}
